"""Jobs and replies, as they are found on a queue: anybody with sqs:SendMessage can write one."""

import json
import re
from collections.abc import Iterable
from contextlib import suppress

from bouncer.jobs import reply_json
from bouncer.jobs.job import Job, JobError
from bouncer.jobs.job_json import from_json, to_json
from bouncer.sending.bounce_request import bounce_request
from bouncer.sending.ending import Failure
from bouncer.sending.queue import deduplication_id
from bouncer_sim.world.event_bus import OUR_SENDER
from bouncer_sim.world.laws import breaches
from bouncer_sim.world.scenario import MailArrives, OddBody, Scenario
from bouncer_sim.world.simulated_world import SimulatedWorld
from tests.fuzz.call_law import check_call
from tests.fuzz.drawn import bent
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.reply_law import check_reply

# A forged mail: the intake makes no job of it, so that the only one is the stranger's.
_MAIL = MailArrives(
    at=0,
    message_id="m1",
    recipients=("ann@example.com", "bea@example.com"),
    sender="eve@partner.example",
    vouched=False,
)
_ABOUT_THE_INTAKE = ("nothing_is_sent_that_the_guard_forbids", "every_bounced_mail_is_reported")
_ABOUT_THE_SENDER = ("every_reason_is_true: .* ended as (null|invalid|own|daemon)_sender,",)
_DSN = {
    "action": "failed",
    "status": "5.7.1",
    "diagnostic_code": "smtp; 550 5.7.1 Message rejected",
    "final_recipient": "someone@example.org",
    "remote_mta": "dns; mx.example.org",
    "last_attempt_date": "2026-11-02T08:00:00+00:00",
    "extension_fields": [["X-Rule", "status"]],
}
_REFUSAL = {
    "recipient": "ann@example.com",
    "rule": "200-departed",
    "recipient_arn": None,
    "bounce_type": "DoesNotExist",
    "dsn": None,
}
JOB = {
    "v": 1,
    "message_id": "m1",
    "received_at": "2026-11-02T08:00:00+00:00",
    "reference": "bnc-abcdefghij234567",
    "sender": "eve@partner.example",
    "bounce_sender": OUR_SENDER,
    "bounce_sender_arn": None,
    "messages": [["200-departed", "This person has left."]],
    "reporting_mta": "dns; inbound-smtp.eu-west-1.amazonaws.com",
    "extension_fields": [["X-All", "all"]],
    "refusals": [_REFUSAL],
}
_BEA = _REFUSAL | {"recipient": "bea@example.com", "bounce_type": None, "dsn": _DSN}
REPLY = {
    "v": 1,
    "kind": "reply",
    "message_id": "m1",
    "received_at": "2026-11-02T08:00:00+00:00",
    "reference": "bnc-abcdefghij234567",
    "sender": "eve@partner.example",
    "recipients": ["ann@example.com"],
    "rule": "240-out-of-office",
    "from": "Example, Ltd <no-reply@example.com>",
    "from_arn": None,
    "reply_to": None,
    "subject": "Auto: Grüße",
    "text": "Grüße\n\nvon hier",
    "once_per_s": 604800,
    "in_reply_to": "<1@partner.example>",
    "references": ["<0@partner.example>", "<1@partner.example>"],
}
OTHER_JOB = JOB | {"refusals": [_BEA, _REFUSAL]}


def check(data: bytes) -> None:
    """A body is a job or reply that SES can be asked to send, or is refused; both survive it."""
    text = data.decode("utf-8", "replace")
    with suppress(JobError):
        check_reply(reply_json.from_json(text))
    try:
        job = from_json(text)
    except JobError:
        return
    assert from_json(to_json(job)) == job
    assert len(deduplication_id(job)) == 64
    named = {each["recipient"] for each in json.loads(text)["refusals"]}
    check_call(bounce_request(job), named)
    for recipient in job.recipients:
        others = set(job.recipients) - {recipient}
        if others:
            check_call(bounce_request(job.without([recipient])), others)
    _check_worker(text, excused=_ABOUT_THE_INTAKE + _ABOUT_THE_SENDER * _may_be_withheld(job))


def _may_be_withheld(job: Job) -> bool:
    """Tell whether a sender could be no person, or one of ours: no law knows when that is true."""
    ours = [recipient.lower() for recipient in job.recipients]
    is_own = any("partner.example" in each or each.startswith("bounces") for each in ours)
    return is_own or (job.sender, job.bounce_sender) != (JOB["sender"], OUR_SENDER)


def _check_worker(body: str, *, excused: Iterable[str]) -> None:
    """The deployed worker brings the job to one true end, as the laws of the world have it."""
    steps = (_MAIL, OddBody(at=5, name="stranger", body=body))
    history = SimulatedWorld(Scenario(name="a stranger's job", steps=steps)).run()
    for breach in breaches(history):
        text = f"{breach.law}: {breach.text}"
        assert re.match("|".join(excused), text), text
    for line in history.lines:
        assert line.event != "worker_failed", line.members
        assert line.members.get("reason") != Failure.DEFECT, line.members


TARGET = FuzzTarget(
    name="job",
    check=check,
    examples=bent(JOB, OTHER_JOB, REPLY),
    words=(*JOB, *_REFUSAL, *_DSN, *REPLY),
    json=True,
)
