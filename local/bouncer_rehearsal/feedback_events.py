"""Puts events of bounces on the bus, as SES would: senders are suppressed, and the breaker trips.

The emulator publishes no event of SES by itself; its bus, our rule, the queue and the function are
the deployed ones.
"""

import json
import time
from dataclasses import replace

from bouncer.breaker import BY, LEAST
from bouncer.held_document import read_held
from bouncer.jobs.job_json import to_json
from bouncer_rehearsal.emulator import Emulator
from bouncer_rehearsal.mails import Mails
from bouncer_rehearsal.operator_commands import NOTICED_S, waiting_job
from bouncer_rehearsal.runbooks import Runbooks
from bouncer_rehearsal.story import Story, expect

_SAMPLE = "02-left-the-company"  # its sender got the first bounce
_FIRST, _SECOND = ("gone-1@example.com",), ("gone-2@example.com",)


class FeedbackEvents:
    """Events of bounces in the deployed stack, `bouncer forget`, and the breaker."""

    def __init__(self, runbooks: Runbooks, mails: Mails, *, aws: Emulator, story: Story) -> None:
        self._runbooks = runbooks
        self._run = runbooks.run
        self._mails = mails
        self._aws = aws
        self._story = story

    def suppress_and_forget(self) -> None:
        """Let the first bounce bounce, send two more mails, and forget the sender between them."""
        with self._story.step("an event of a bounce, and the next mail of its sender"):
            bounce, before = self._mails.sent[0], len(self._mails.sent)
            self._publish(bounce.message_id)
            line = self._mails.journal("bounce_bounced")
            expect("the bounce of the event", line["bounce_id"], bounce.message_id)
            delivery = self._mails.deliver(_SAMPLE, _FIRST)
            line = self._mails.journal("withheld", delivery.message_id)
            expect("the reason", line["reason"], "sender_bounced_before")
            expect("bounces", len(self._mails.sent), before)
            self._story.tell(f"{delivery.sender}: withheld, as {line['reason']}")
        with self._story.step("bouncer forget"):
            shown = self._run("bouncer forget", ADDRESS=delivery.sender)
            expect("suppressed", "suppressed: since" in shown, True)
            self._mails.deliver(_SAMPLE, _SECOND)
            expect("recipients in SendBounce", self._mails.wait(before + 1).recipients, _SECOND)
            self._story.tell(f"{delivery.sender}: forgotten, and bounced again")

    def trip_the_breaker(self) -> None:
        """Let the bounces to twenty organisations bounce, and resume sending."""
        with self._story.step(f"{LEAST} bounces that bounce: the breaker"):
            before = len(self._mails.sent)
            for number in range(LEAST):
                job = waiting_job(number, 0)
                job = replace(job, message_id=f"b{number}", sender=f"eve@h{number}.example")
                self._mails.know(job)
                self._runbooks.send("QueueUrl", to_json(job))
            self._mails.wait(before + LEAST)
            for bounce in self._mails.sent[before:]:
                self._publish(bounce.message_id)
            self._story.tell(self._mails.journal("breaker_tripped")["problem"])
            name = self._runbooks.output("HeldParameter")
            found = self._aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
            expect("who holds sending", read_held(found, document=name).by, BY)
            shown = self._run("bouncer resume")
            expect("the cause", "by breaker" in shown, True)
            time.sleep(NOTICED_S)

    def _publish(self, bounce_id: str) -> None:
        mail = {"messageId": bounce_id, "source": "mailer-daemon@example.com"}
        detail = {"eventType": "Bounce", "mail": mail, "bounce": {"bounceType": "Permanent"}}
        entry = {"Source": "aws.ses", "DetailType": "Email Bounced", "Detail": json.dumps(detail)}
        answer = self._aws.client("events").put_events(Entries=[entry])
        expect("events that were refused", answer["FailedEntryCount"], 0)
