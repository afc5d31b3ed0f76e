"""The mails of the journey, and checks of the outcome of each in bucket, DSN and journal.

They are shipped samples, judged by the starter rules: one accepted, one withheld, one bounced, and
the bounced one twice more, as SES may deliver a mail again or to a further rule.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.message import Message
from itertools import pairwise
from pathlib import Path
from typing import Any

from bouncer.jobs.job import Job
from bouncer.jobs.reference import reference
from bouncer.rules.rejection import REFERENCE_FIELD
from bouncer_cli.raw_mail import Envelope, read_raw_mail
from bouncer_rehearsal.emulator import Emulator
from bouncer_rehearsal.receipt_rules import Delivery, Receiving
from bouncer_rehearsal.story import ShowedError, Story, expect
from bouncer_sim.fake_ses.outbox import SentBounce
from bouncer_sim.fake_ses.refusal import ErrorCode
from bouncer_sim.fake_ses.server import SENT, FakeSes
from bouncer_sim.fake_ses.ses_account import ReceivedMail

ACCEPTED = "04-existing-mailbox"
_WITHHELD = "31-no-reply-sender"
BOUNCED = "02-left-the-company"
_UNKNOWN = "nobody@example.com"

_EXPECTED = {"retried", "salt_made"}  # warnings of a deployment in which all is well
_OUTCOMES = ("sent", "withheld", "failed")
_PATIENCE_S = 60.0
_SPACING_S = 0.999  # SES: one SendBounce a second; the fake's clock is not the worker's


class Mails:
    """Sends the mails into a deployed stack and checks their outcomes."""

    def __init__(
        self,
        aws: Emulator,
        ses: FakeSes,
        story: Story,
        *,
        samples: Path,
        sender: str,
        logs: Sequence[str],
    ) -> None:
        self._aws = aws
        self._ses = ses
        self._story = story
        self._samples = samples
        self._sender = sender
        self._logs = logs
        self._receiving = Receiving(
            ses=aws.client("ses"), s3=aws.client("s3"), functions=aws.client("lambda")
        )

    def send(self) -> None:
        """Send all mails in order; the queue keeps it, so the last bounce proves all before it."""
        with self._story.step("a mail that is accepted"):
            self._stored(ACCEPTED, self.deliver(ACCEPTED), "CONTINUE")
        with self._story.step("a mail that is rejected, but must not be answered"):
            delivery = self.deliver(_WITHHELD)
            self._stored(_WITHHELD, delivery, "STOP_RULE_SET")
            (decision,) = self.journal("mail", delivery.message_id)["decisions"]
            expect("the reason to withhold its bounce", decision["withheld"], "automatic")
            self._story.tell(
                f"{decision['recipient']}: {decision['action']} by {decision['rule']}, "
                f"not answered: {decision['withheld']}"
            )
        with self._story.step("a mail that is bounced"):
            delivery = self.deliver(BOUNCED)
            self._stored(BOUNCED, delivery, "STOP_RULE_SET")
            self._bounced(1, delivery, delivery.recipients)
        with self._story.step("the same mail again, then once more with a further recipient"):
            expect("its disposition", self.deliver(BOUNCED).dispositions, ("STOP_RULE_SET",))
            further = (*delivery.recipients, _UNKNOWN)
            self._bounced(2, self.deliver(BOUNCED, further), (_UNKNOWN,), further)
            self._story.tell(f"{delivery.recipients[0]} was answered once")
        with self._story.step("look at the pace, the queues and the worker's journal"):
            self._paced()
            self.settle()

    @property
    def sent(self) -> Sequence[SentBounce]:
        """The bounces SES has sent, in order."""
        return self._ses.sent

    def deliver(self, sample: str, recipients: tuple[str, ...] = ()) -> Delivery:
        """Have SES receive a sample; `recipients` in place of its own."""
        return self.deliver_raw(self.raw(sample), recipients)

    def deliver_raw(self, raw: bytes, recipients: tuple[str, ...] = ()) -> Delivery:
        """Have SES receive any mail; `recipients` in place of its own."""
        envelope = Envelope(recipients=recipients)
        mail = read_raw_mail(raw, envelope)
        message = mail.message
        self._ses.receive(
            ReceivedMail(
                message_id=message.message_id,
                sender=message.sender,
                recipients=message.recipients,
                received_at=time.time(),
                headers=mail.header_block,
            )
        )
        return self._receiving.deliver(raw, envelope)

    def know(self, job: Job) -> None:
        """Have SES know the mail of a job that is put on the queue by hand."""
        self._ses.receive(
            ReceivedMail(
                message_id=job.message_id,
                sender=job.sender,
                recipients=job.recipients,
                received_at=job.received_at.timestamp(),
                headers=b"",
            )
        )

    def raw(self, sample: str) -> bytes:
        """Return a sample as SES receives it."""
        return (self._samples / f"{sample}.eml").read_bytes()

    def _stored(self, sample: str, delivery: Delivery, disposition: str) -> None:
        (place,) = delivery.stored
        bucket, _, key = place.partition("/")
        body = self._aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        expect("the stored mail", body, self.raw(sample))
        if delivery.dispositions != (disposition,):
            raise ShowedError(
                f"the disposition: found {', '.join(delivery.dispositions) or 'none'}, "
                f"expected {disposition}{self._errors()}"
            )
        self._story.tell(f"{sample}: stored as {key[:20]}..., {disposition}")

    def _bounced(
        self,
        number: int,
        delivery: Delivery,
        recipients: tuple[str, ...],
        job: tuple[str, ...] = (),
    ) -> None:
        """Check that the bounce of that number is this mail's, for these recipients of its job."""
        sent = self.wait(number)
        expect("bounces so far", len(self._ses.sent), number)
        expect("recipients in SendBounce", sent.recipients, recipients)
        dsn = message_from_bytes(sent.dsn)
        expect("From", dsn["From"], self._sender)
        expect("To", dsn["To"], delivery.sender)
        expect("Return-Path", dsn["Return-Path"], "<>")
        text, report, headers = _parts(dsn)
        blocks = _parts(report)[1:]
        expect(
            "Final-Recipient",
            [each["Final-Recipient"] for each in blocks],
            [f"rfc822; {each}" for each in recipients],
        )
        expect(
            "Status and Action",
            {(each["Status"], each["Action"]) for each in blocks},
            {("5.1.1", "failed")},
        )
        mark = reference(delivery.message_id, job or recipients)
        marks = {value for block in _parts(report) for value in block.get_all(REFERENCE_FIELD, [])}
        expect(REFERENCE_FIELD, marks, {mark})
        self._story.tell(
            f"bounce {number}: from {dsn['From']} to {dsn['To']}, Return-Path {dsn['Return-Path']}"
        )
        self._story.tell(f"{', '.join(recipients)}: 5.1.1, failed, {mark}")
        words = " ".join(str(text.get_payload()).split())
        self._story.tell(f'"{words[:84]}..."')
        expect("the original's headers", headers.get_content_type(), "text/rfc822-headers")

    def wait(self, number: int, *, patience_s: float = _PATIENCE_S) -> SentBounce:
        """Return the bounce of that number, from 1, as soon as it is sent."""
        until = time.monotonic() + patience_s
        while len(self._ses.sent) < number:
            if time.monotonic() > until:
                calls = [call.result for call in self._ses.calls]
                raise ShowedError(
                    f"bounce {number}: found none after {patience_s:.0f} seconds, calls {calls}, "
                    f"expected it to be sent{self._errors()}"
                )
            time.sleep(0.1)
        return self._ses.sent[number - 1]

    def _paced(self) -> None:
        """Check that accepted calls are a second apart; a throttled one was only tried again.

        The worker paces the starts of its calls. A first call has further to go (a connection, a
        cold SDK), so the second may arrive too early for SES, which then throttles it.
        """
        calls = self._ses.calls
        odd = {call.result for call in calls} - {SENT, ErrorCode.THROTTLING}
        expect("results of SendBounce", sorted(odd), [])
        gaps = [later.at - earlier.at for earlier, later in pairwise(self._ses.sent)]
        if any(gap < _SPACING_S for gap in gaps):
            found = f"found {min(gaps):.3f} s"
            raise ShowedError(f"time between bounces: {found}, expected 1 s or more")
        apart = ", ".join(f"{gap:.2f} s" for gap in gaps)
        throttled = len(calls) - len(self._ses.sent)
        self._story.tell(
            f"{len(calls)} SendBounce calls, {throttled} of them throttled; bounces {apart} apart"
        )

    def settle(self, *, withheld: int = 0) -> None:
        """Check that the queues are empty, no job was given up, and the journal says the same.

        `withheld` jobs ended without a bounce.
        """
        sqs = self._aws.client("sqs")
        until = time.monotonic() + _PATIENCE_S
        for url in sqs.list_queues()["QueueUrls"]:
            while waiting := _waiting(sqs, url):
                if time.monotonic() > until:
                    raise ShowedError(f"{url}: found {waiting} messages, expected none")
                time.sleep(0.1)
        said = [line["message"] for line in self._lines() if "message" in line]
        outcomes = Counter(each for each in said if each in _OUTCOMES)
        wanted = Counter(sent=len(self._ses.sent), withheld=withheld)
        expect("the worker's outcomes", +outcomes, +wanted)
        self.expect_no_trouble()
        self._story.tell(
            "the queues are empty; the journal has as many bounces, and no warning or error"
        )

    def expect_no_trouble(self) -> None:
        """Check that the journal has no warning or error."""
        said = [line for line in self._lines() if "message" in line]
        troubles = {line["message"] for line in said if line["level"] != "INFO"} - _EXPECTED
        expect("warnings and errors in the journal", sorted(troubles), [])

    def _errors(self) -> str:
        """Return the errors in the journal, for the end of a sentence."""
        said = [line for line in self._lines() if line.get("level") == "ERROR"]
        texts = [f"{line['message']}: {line.get('error', line)}" for line in said]
        return f"; the journal says {'; '.join(texts)}" if texts else ""

    def journal(
        self, event: str, message_id: str | None = None, **members: object
    ) -> dict[str, Any]:
        """Return the first line of an event, of one mail if it is named, once it is written.

        It has these further members: the same mail may come twice.
        """
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            for line in self._lines():
                named = line.get("message") == event and line.get("message_id") == message_id
                if named and members.items() <= line.items():
                    return line
            time.sleep(0.1)
        raise ShowedError(f"the journal: found no {event} of {message_id}, expected a line")

    def _lines(self) -> Iterator[dict[str, Any]]:
        logs = self._aws.client("logs")
        for group in self._logs:
            for event in logs.filter_log_events(logGroupName=group)["events"]:
                for line in event["message"].splitlines():
                    if line.startswith("{"):
                        yield json.loads(line)


def _parts(message: Message) -> list[Any]:
    payload = message.get_payload()
    return payload if isinstance(payload, list) else []


def _waiting(sqs: Any, url: str) -> int:
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return sum(
        int(counts[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible", "Delayed")
    )
