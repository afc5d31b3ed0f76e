"""Holds, resumes and works on dead letters by the commands of docs/operations.md.

A mail that comes while sending is held is stopped, and its bounce arrives after it is resumed.
"""

import json
import time
from datetime import UTC, datetime, timedelta

from bouncer.jobs.job import Job, Refusal
from bouncer.jobs.job_json import to_json
from bouncer.jobs.reference import reference
from bouncer_rehearsal.emulator import Emulator
from bouncer_rehearsal.mails import Mails
from bouncer_rehearsal.runbooks import Runbooks
from bouncer_rehearsal.story import Story, expect

_ACCEPTED_MAIL = "04-existing-mailbox"
_HELD_MAIL = "05-answer-to-no-reply"
NOTICED_S = 5.0  # more than the deployment's `cache`
_RULE_SET = "local-rules"  # the active one
_SENDER = "mailer-daemon@example.com"


class OperatorCommands:
    """One run of `bouncer pause`, `resume` and `jobs` in the deployed stack."""

    def __init__(self, runbooks: Runbooks, mails: Mails, *, aws: Emulator, story: Story) -> None:
        self._runbooks = runbooks
        self._run = runbooks.run
        self._mails = mails
        self._aws = aws
        self._story = story

    def write_a_folder(self) -> None:
        """Write a folder to deploy from, as users of the wheel do; it is not deployed here."""
        with self._story.step("bouncer init"):
            self._run("bouncer init")
            text = (self._runbooks.folder / "mail" / "cdk.json").read_text(encoding="utf-8")
            found = json.loads(text)["context"]["bouncer"]
            expect("the rule set that was looked up", found["rule_set"], _RULE_SET)
            self._story.tell(f"recipients {', '.join(found['recipients'])}, rule set {_RULE_SET}")

    def push_rules(self) -> None:
        """Push a further rule and have a mail judged by it; take it back, and again."""
        rule = self._runbooks.rule("001-everything")
        for title, text, disposition in (
            ("bouncer rules push: a new rule drops the next mail", "drop: {}", "STOP_RULE_SET"),
            ("bouncer rules push --prune: without it the mail is accepted", "", "CONTINUE"),
        ):
            with self._story.step(title):
                if text:
                    rule.write_text(text, encoding="utf-8")
                else:
                    rule.unlink()
                shown = self._runbooks.push(prune=not text)
                time.sleep(NOTICED_S)
                delivery = self._mails.deliver(_ACCEPTED_MAIL)
                expect("its disposition", delivery.dispositions, (disposition,))
                revision = shown.split()[-1]
                self._mails.journal("mail", delivery.message_id, revision=revision)
                self._story.tell(f"{_ACCEPTED_MAIL}: {disposition} by revision {revision:.12}")

    def hold_and_resume(self) -> None:
        """Hold sending while a mail comes in, and resume it while its job waits."""
        with self._story.step("bouncer pause, and a mail that would be bounced"):
            self._run("bouncer pause")
            time.sleep(NOTICED_S)
            self._before = len(self._mails.sent)
            delivery = self._mails.deliver(_HELD_MAIL)
            expect("its disposition", delivery.dispositions, ("STOP_RULE_SET",))
            line = self._mails.journal("handed_back")
            expect("the jobs handed back", line["jobs"], 1)
            expect("bounces since then", len(self._mails.sent) - self._before, 0)
            self._story.tell(f"{_HELD_MAIL}: stopped, its job waits: {line['error']}")
        with self._story.step("bouncer resume"):
            shown = self._run("bouncer resume")
            expect("what waits", "waiting: about 1 job waits" in shown, True)
            self._story.tell(next(each for each in shown.splitlines() if "waiting" in each))

    def wait_for_the_bounce(self) -> None:
        """Wait for the bounce of the job that waited: the worker gets it back in two minutes."""
        with self._story.step("the bounce of the mail that came while sending was held"):
            sent = self._mails.wait(self._before + 1, patience_s=150)
            expect("recipients in SendBounce", sent.recipients, ("no-reply@example.com",))
            self._story.tell(f"{', '.join(sent.recipients)}: bounced")

    def work_on_dead_letters(self) -> None:
        """List, show, retry and drop dead letters, while the worker takes no job."""
        with (
            self._story.step("bouncer jobs list, show, retry, drop"),
            self._runbooks.worker_stopped(),
        ):
            letters = [
                waiting_job(number, hours) for number, hours in enumerate((1, 2, 3, 4, 30, 5))
            ]
            for job in letters:
                self._runbooks.send("DeadLetterUrl", to_json(job))
            first, second, third, fourth, expired, last = (each.reference for each in letters)
            listed = self._run("bouncer jobs list")
            expect("letters listed", sum(each in listed for each in (first, expired)), 2)
            shown = self._run("bouncer jobs show", REFERENCE=first)
            expect("its sender", f"BounceSender: {_SENDER}" in shown, True)
            self._run("bouncer jobs drop REFERENCE", REFERENCE=last)
            self._run("bouncer jobs drop --expired")
            self._run("bouncer jobs retry REFERENCE", REFERENCE=first)
            expect("jobs that wait", self._runbooks.count("QueueUrl"), 1)
            self._run("bouncer jobs retry --identity")
            expect("jobs that wait", self._runbooks.count("QueueUrl"), 4)
            expect("dead letters", self._runbooks.count("DeadLetterUrl"), 0)
            self._runbooks.send("DeadLetterUrl", to_json(waiting_job(9, 1)))
            self._run("bouncer jobs retry --all")
            expect("dead letters", self._runbooks.count("DeadLetterUrl"), 0)
            waiting = self._waiting()
            expect("received at", waiting[fourth], letters[3].received_at.isoformat())
            self._run("sqs purge-queue --queue-url QUEUE_URL")
            told = f"{first}, {second} and {third} put back with their clocks, {expired} dropped"
            self._story.tell(told)

    def _waiting(self) -> dict[str, str]:
        """Return when the mails of the jobs that wait were received, by their references."""
        client, url = self._aws.client("sqs"), self._runbooks.output("QueueUrl")
        answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        jobs = [json.loads(each["Body"]) for each in answer["Messages"]]
        return {job["reference"]: job["received_at"] for job in jobs}


def waiting_job(number: int, hours: float) -> Job:
    """Return the job of a mail that was received some hours ago."""
    recipient = f"box{number}@example.com"
    refusal = Refusal(
        recipient=recipient,
        rule="200-departed",
        recipient_arn=None,
        bounce_type="DoesNotExist",
        dsn=None,
    )
    return Job(
        message_id=f"m{number}",
        received_at=datetime.now(UTC) - timedelta(hours=hours),
        reference=reference(f"m{number}", [recipient]),
        sender="eve@partner.example",
        bounce_sender=_SENDER,
        bounce_sender_arn=None,
        messages=(),
        reporting_mta="dns; inbound-smtp.us-east-1.amazonaws.com",
        extension_fields=(),
        refusals=(refusal,),
    )
