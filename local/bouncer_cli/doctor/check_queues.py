"""Checks the queues: the jobs that wait, how long they have waited, and the dead letters."""

import json
from collections.abc import Mapping
from datetime import timedelta

from bouncer.reporting.message_count import message_count
from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import REPAIR, Finding, Findings, ok, problem, warning
from bouncer_cli.doctor.queue_depth import oldest_s
from bouncer_infra.alarm_limits import HOUR_S, LONG_WAIT_H, TOO_LONG_WAIT_H

QUEUES = "AWS::SQS::Queue"

_QUEUE = "queue"
_DEAD = "dead letters"
_FAILED = "failed events"
_EVENTS = "events"
_REPLIES = "replies"

FIFO = ".fifo"  # the end of the name of every FIFO queue (SQS API reference, CreateQueue)

_LONG_S = LONG_WAIT_H * HOUR_S
_TOO_LONG_S = TOO_LONG_WAIT_H * HOUR_S


def queues(context: CheckContext) -> Findings:
    """Check that the queues exist, that jobs do not wait too long, and that none has died."""
    if not context.stack.deployed:
        return
    found: dict[str, dict[str, str]] = {}
    for url in context.stack.names(QUEUES):
        try:
            answer = context.account.ask(
                "sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"]
            )
        except NotFoundError:
            yield problem(_QUEUE, f"{_name(url)} does not exist", REPAIR)
            continue
        found[url] = answer.get("Attributes", {})
    dead = {_dead_letter_arn(attributes) for attributes in found.values()} - {""}
    for url, attributes in found.items():
        if attributes.get("QueueArn") in dead:
            yield _dead_letters(_name(url), message_count(attributes))
        elif _is_of_replies(_name(url)):
            yield _waiting_replies(_name(url), attributes)
        elif not _name(url).endswith(FIFO) and _dead_letter_arn(attributes):
            yield ok(_EVENTS, f"{message_count(attributes)} of our bounces wait in {_name(url)}")
        elif not _name(url).endswith(FIFO):
            yield _failed_events(_name(url), message_count(attributes))
        else:
            yield from _waiting(context, _name(url), attributes)


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _dead_letter_arn(attributes: Mapping[str, str]) -> str:
    return str(json.loads(attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn", ""))


def _dead_letters(name: str, count: int) -> Finding:
    if not count:
        return ok(_DEAD, f"{name} is empty")
    page = "dead-letters" if name.endswith(FIFO) else "lost-feedback"
    page = "dead-replies" if _is_of_replies(name) else page
    remedy = f"redrive or purge them as docs/operations.md#{page} says"
    return problem(_DEAD, f"{count} in {name}", remedy)


def _is_of_replies(name: str) -> bool:
    """Tell by the name of a queue, which has its place in the stack."""
    return "-replies" in name.lower()


def _waiting_replies(name: str, attributes: Mapping[str, str]) -> Finding:
    if not _dead_letter_arn(attributes):
        return problem(_REPLIES, f"{name} has no dead-letter queue", REPAIR)
    return ok(_REPLIES, f"{message_count(attributes)} wait in {name}")


def _failed_events(name: str, count: int) -> Finding:
    if not count:
        return ok(_FAILED, f"{name} is empty")
    remedy = "see docs/operations.md#failed-events"
    return problem(_FAILED, f"{count} in {name}: these mails went on without being judged", remedy)


def _waiting(context: CheckContext, name: str, attributes: Mapping[str, str]) -> Findings:
    jobs = message_count(attributes)
    age_s, unknown = oldest_s(context.account, name, context.now)
    old = f", the oldest for {age_s / 3600:.1f} h" if age_s else ""
    waiting = "1 job waits" if jobs == 1 else f"{jobs} jobs wait"
    found = f"{waiting} in {name}, {timedelta(seconds=jobs)} of sending{old}"
    remedy = "see docs/operations.md#oldest-job-12h: SES takes a bounce for 24 hours only"
    # One job is one SendBounce, and one a second is sent.
    worst_s = max(age_s or 0, jobs)
    if worst_s >= _TOO_LONG_S:
        yield problem(_QUEUE, found, remedy)
    elif worst_s >= _LONG_S:
        yield warning(_QUEUE, found, remedy)
    else:
        yield ok(_QUEUE, found)
    if unknown:
        found = f"the age of the oldest job could not be checked: {unknown}"
        yield warning(_QUEUE, found, unknown.next_step)
    if not _dead_letter_arn(attributes):
        yield problem(_QUEUE, f"{name} has no dead-letter queue", REPAIR)
