"""Judges mails with the code of the deployed intake, and yields one result for each input.

With a `WorkerDriver`, jobs also go through queue, worker and fake SES, and replies into a folder.
Results come in the order of the inputs.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from dataclasses import replace as dataclass_replace
from datetime import datetime
from typing import TYPE_CHECKING

from bouncer.errors import UnreadableEventError
from bouncer.jobs.job import JobError
from bouncer.judge import Judgement, judge
from bouncer.mail.message import Message
from bouncer.reasons import Reason
from bouncer.rules.rule import Mode
from bouncer.sources.loaded import Loaded
from bouncer_cli.mail_item import Item
from bouncer_sim.bounce_outcome import Outcome

if TYPE_CHECKING:  # boto3, which it brings along, takes a while
    from bouncer_sim.worker_driver import WorkerDriver


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """The end of a bounce: none, queued, withheld, sent or failed; `reason` says why not sent."""

    status: str = "none"
    reason: str | None = None
    recipients: tuple[str, ...] = ()


_NO_BOUNCE = Bounce()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyEnd:
    """The end of the reply of a rule: queued, withheld or sent; `reason` says why not sent."""

    rule: str
    status: str
    reason: str | None = None
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of one input: a judgement, or the `error` that says why it was not read."""

    source: str
    judgement: Judgement | None = None
    bounce: Bounce = _NO_BOUNCE
    replies: tuple[ReplyEnd, ...] = ()
    error: str | None = None


def replay(
    items: Iterable[Item],
    loaded: Loaded,
    *,
    now: Callable[[], datetime],
    sending: "WorkerDriver | None" = None,
) -> Iterator[Result]:
    """Yield one result for every item, in order."""
    results = (_decide(item, loaded, now, let_go=sending is not None) for item in items)
    if sending is None:
        return (result for result, _ in results)
    return _sent(results, sending)


def _decide(
    item: Item, loaded: Loaded, now: Callable[[], datetime], *, let_go: bool
) -> tuple[Result, bytes]:
    """Return the result of one input and its header block; `let_go` leaves its content out."""
    if item.error is not None:
        return Result(source=item.source, error=item.error), b""
    try:
        message = item.read()
    except UnreadableEventError as error:
        return Result(source=item.source, error=str(error)), b""
    copy = item.copy if loaded.settings.store else None
    if copy is None:
        message = dataclass_replace(message, content=None)
    try:
        moment = now()
        judgement = judge(
            message,
            loaded.ruleset,
            loaded.settings,
            now=moment,
            goes_on=loaded.goes_on(moment),
            copy=copy,
        )
    except JobError as error:  # the intake lets such a mail go on
        return Result(source=item.source, error=f"the bounce can't be made: {error}"), b""
    acting = loaded.settings.mode is Mode.ENFORCE
    bounce = _bounce(judgement) if acting else _NO_BOUNCE
    replies = tuple(_replies(judgement)) if acting else ()
    if let_go and message.content:  # a result may wait for others, and a mail may have 40 MB
        judgement = judgement._replace(message=dataclass_replace(message, content=None))
    result = Result(source=item.source, judgement=judgement, bounce=bounce, replies=replies)
    return result, item.headers


def _bounce(judgement: Judgement) -> Bounce:
    """Return the state of the bounce when the intake has ended."""
    if judgement.jobs:
        recipients = tuple(name for job in judgement.jobs for name in job.recipients)
        return Bounce(status="queued", recipients=recipients)
    if judgement.withheld:
        reason = next(iter(judgement.withheld.values()))
        return Bounce(status="withheld", reason=str(reason), recipients=tuple(judgement.withheld))
    return _NO_BOUNCE


def _replies(judgement: Judgement) -> Iterator[ReplyEnd]:
    """Yield the state of each reply when the intake has ended, then those that are withheld."""
    for reply in judgement.replies:
        yield ReplyEnd(rule=reply.rule, status="queued", recipients=reply.recipients)
    withheld: dict[tuple[str, Reason], list[str]] = {}
    for decision in judgement.decisions:
        reason = judgement.unreplied.get(decision.recipient)
        if reason and decision.rule:
            withheld.setdefault((decision.rule.name, reason), []).append(decision.recipient)
    for (rule, reason), recipients in withheld.items():
        yield ReplyEnd(
            rule=rule, status="withheld", reason=str(reason), recipients=tuple(recipients)
        )


def _sent(results: Iterable[tuple[Result, bytes]], sending: "WorkerDriver") -> Iterator[Result]:
    """Yield results with the outcomes of their jobs, sent in batches so that memory stays flat."""
    waiting: list[Result] = []
    jobs = 0
    for result, headers in results:
        waiting.append(_with_replies(result, sending))
        if result.judgement is not None:
            for job in result.judgement.jobs:
                sending.submit(
                    job, result.judgement.message, headers or header_lines(result.judgement.message)
                )
                jobs += 1
        if jobs >= sending.batch or not jobs:
            yield from _with_outcomes(waiting, sending.drain() if jobs else {})
            waiting.clear()
            jobs = 0
    yield from _with_outcomes(waiting, sending.drain())


def _with_replies(result: Result, sending: "WorkerDriver") -> Result:
    """Send the replies of a result, and return it with their ends."""
    if result.judgement is None or not result.judgement.replies:
        return result
    ends = {reply.rule: sending.reply(reply) for reply in result.judgement.replies}
    replies = tuple(
        dataclass_replace(end, status=ends[end.rule].status, reason=ends[end.rule].reason)
        if end.status == "queued"
        else end
        for end in result.replies
    )
    return dataclass_replace(result, replies=replies)


def header_lines(message: Message) -> bytes:
    """Return the headers of an event as a header block."""
    lines = (f"{name}: {value}" for name, values in message.headers.items() for value in values)
    return "\n".join(lines).encode("utf-8", "replace")


def _with_outcomes(results: Iterable[Result], outcomes: dict[str, Outcome]) -> Iterator[Result]:
    for result in results:
        if result.judgement is None or not result.judgement.jobs:
            yield result
            continue
        # SQS drops the job of a repeated mail, so that mail has no outcome of its own.
        duplicate = Outcome(status="withheld", reason="duplicate")
        ended = [outcomes.pop(job.reference, duplicate) for job in result.judgement.jobs]
        worst = next((outcome for outcome in ended if outcome.status != "sent"), ended[0])
        bounce = Bounce(
            status=worst.status, reason=worst.reason, recipients=result.bounce.recipients
        )
        yield dataclass_replace(result, bounce=bounce)
