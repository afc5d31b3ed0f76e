"""Has a starter rule reply to a mail, and reads the one reply where the emulated SES has it.

The same sender again gets none, and a machine gets none; a dead reply is retried. The mails are
shipped samples that are readdressed to the help desk, as a reply needs its recipient in To.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bouncer.jobs.reference import reference
from bouncer.jobs.reply import Reply
from bouncer.jobs.reply_json import to_json
from bouncer.rules.bounce_limit import DAY_S
from bouncer.rules.rejection import REFERENCE_FIELD
from bouncer_rehearsal.emulator import Emulator
from bouncer_rehearsal.mails import ACCEPTED, Mails
from bouncer_rehearsal.receipt_rules import Delivery
from bouncer_rehearsal.runbooks import Runbooks
from bouncer_rehearsal.story import Story, expect

REPLY_SENDER = "replies@example.com"

_RULE = "250-ticket-received"
_HELP_DESK = b"help@example.com"
_MACHINE = "22-out-of-office-to-unknown"
# What is replaced in each sample: its recipient, and in one that comes several times its ids.
_ASKED = {b"info@example.com": _HELP_DESK, b"2nn4ledk": b"2nn4once", b"<1d9c5c44": b"<1d9conce"}
_ASKED_AGAIN = {**_ASKED, b"2nn4ledk": b"2nn4more", b"<1d9c5c44": b"<1d9cmore"}
_ANSWERED = {b"newsletter@example.com": _HELP_DESK}
_PATIENCE_S = 20.0


def put_in_force(runbooks: Runbooks) -> None:
    """Have the operator push the rule that replies without its `mode: off`."""
    rule = runbooks.rule(_RULE)
    text = rule.read_text(encoding="utf-8")
    expect(f"mode: off in {_RULE}", text.count("mode: off\n"), 1)
    rule.write_text(text.replace("mode: off\n", ""), encoding="utf-8")


class AutomaticReplies:
    """Three mails to a rule of the deployed stack whose own configuration set is `own`."""

    def __init__(
        self, runbooks: Runbooks, mails: Mails, *, aws: Emulator, own: str, story: Story
    ) -> None:
        self._runbooks = runbooks
        self._mails = mails
        self._aws = aws
        self._own = own
        self._story = story

    def reply(self) -> None:
        """Send the mails, and look for one reply and its event."""
        with self._story.step("a mail that is replied to"):
            delivery = self._deliver(ACCEPTED, _ASKED)
            (decided,) = self._mails.journal("mail", delivery.message_id)["replies"]
            found = decided["rule"], decided["queue_answer"]
            expect("its rule, and the queue's answer", found, (_RULE, "taken"))
            line = self._mails.journal("replied", delivery.message_id)
            expect("its metric", line["Replied"], [1])
            expect("its reference", line["reference"], decided["reference"])
            self._expect_reply(line)
            self._expect_event(line)
        with self._story.step("the same sender again, and a machine"):
            again = self._deliver(ACCEPTED, _ASKED_AGAIN)
            line = self._mails.journal("reply_withheld", again.message_id)
            expect("the reason", line["reason"], "replied_before")
            machine = self._deliver(_MACHINE, _ANSWERED)
            (decision,) = self._mails.journal("mail", machine.message_id)["decisions"]
            found = decision["rule"], decision["withheld"]
            expect("rule and reason", found, (_RULE, "automatic"))
            expect("replies", len(self._replies()), 1)
            self._mails.expect_no_trouble()
            self._story.tell(f"no reply: {line['reason']}, {decision['withheld']}")

    def retry(self) -> None:
        """Put a reply on the queue of dead replies, and retry it by its reference."""
        reply = _waiting_reply()
        with self._story.step("bouncer jobs list and retry, a dead reply"):
            url = self._runbooks.output("ReplyDeadLetterUrl")
            self._aws.client("sqs").send_message(QueueUrl=url, MessageBody=to_json(reply))
            listed = self._runbooks.run("bouncer jobs list")
            expect("the dead reply is listed", f"{_RULE} (reply)" in listed, True)
            self._runbooks.run("bouncer jobs retry REFERENCE", REFERENCE=reply.reference)
            line = self._mails.journal("replied", reply.message_id)
            expect("replies", [each["To"] for each in self._replies()][1:], [[reply.sender]])
            expect("dead replies", self._runbooks.count("ReplyDeadLetterUrl"), 0)
            waiting = json.loads(self._runbooks.run("--queue-url REPLY_QUEUE_URL"))["Attributes"]
            expect("replies that wait", set(waiting.values()), {"0"})
            self._story.tell(f"{line['reference']}: sent to {line['sender']}")

    def _deliver(self, sample: str, replaced: dict[bytes, bytes]) -> Delivery:
        """Have SES receive a sample with other words; it goes on in any case."""
        raw = self._mails.raw(sample)
        for old, new in replaced.items():
            raw = raw.replace(old, new)
        delivery = self._mails.deliver_raw(raw)
        expect("its recipients", delivery.recipients, (_HELP_DESK.decode(),))
        expect("its disposition", delivery.dispositions, ("CONTINUE",))
        return delivery

    def _replies(self) -> list[dict[str, Any]]:
        return [each for each in self._aws.mails() if each["Source"] == REPLY_SENDER]

    def _expect_reply(self, line: dict[str, Any]) -> None:
        (reply,) = self._replies()
        expect("its id", reply["MessageId"], line["reply_id"])
        expect("its receiver", reply["To"], [line["sender"]])
        expect("the reference in its text", line["reference"] in reply["BodyText"], True)
        self._story.tell(f"to {line['sender']}: {reply['Subject']}")

    def _expect_event(self, line: dict[str, Any]) -> None:
        """Find the event in the archive: it has the headers, the tags and the set."""
        mail = self._event(line["reply_id"])["mail"]
        reference = line["reference"]
        headers = {each["name"].lower(): each["value"] for each in mail["headers"]}
        wanted = {"auto-submitted": "auto-replied", REFERENCE_FIELD.lower(): reference}
        expect("its headers", {name: headers.get(name) for name in wanted}, wanted)
        expect("its thread", headers["in-reply-to"], headers["references"])
        tags = {"rule": _RULE, "reference": reference, "ses:configuration-set": self._own}
        expect("its tags", {name: mail["tags"][name] for name in tags}, _lists(tags))
        self._story.tell(f"its event in the archive has {', '.join(tags)}")

    def _event(self, message_id: str) -> dict[str, Any]:
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            for event in self._archived():
                if event["mail"]["messageId"] == message_id:
                    return event
            time.sleep(0.2)
        expect(f"an event of {message_id} in the archive", "none", "one")
        return {}

    def _archived(self) -> Iterator[dict[str, Any]]:
        s3, bucket = self._aws.client("s3"), self._runbooks.output("ArchiveBucket")
        for each in s3.list_objects_v2(Bucket=bucket, Prefix="events/").get("Contents", []):
            for line in s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().splitlines():
                yield json.loads(line)


def _waiting_reply() -> Reply:
    """Return the reply to a mail that was received an hour ago."""
    recipients = (_HELP_DESK.decode(),)
    return Reply(
        message_id="m-reply",
        received_at=datetime.now(UTC) - timedelta(hours=1),
        reference=reference("m-reply", recipients),
        sender="eve@partner.example",
        recipients=recipients,
        rule=_RULE,
        from_=f"Example help desk <{REPLY_SENDER}>",
        from_arn=None,
        subject="Grüße: a request",
        text="Your mail has arrived.",
        once_per_s=DAY_S,
        in_reply_to="",
        references=(),
    )


def _lists(tags: dict[str, str]) -> dict[str, list[str]]:
    return {name: [value] for name, value in tags.items()}
