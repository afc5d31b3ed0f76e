"""The jobs and replies that steps of a scenario put into their queues."""

from datetime import UTC, datetime

from bouncer.jobs.job import Job, Refusal
from bouncer.jobs.reference import reference
from bouncer.jobs.reply import Reply
from bouncer_sim.world.scenario import DOMAIN, RULE_OF_JOBS, JobWaits, ReplyWaits
from bouncer_sim.world.timeline import EndOfTask


class DeadlyBody(str):  # it has to be a str: the JSON decoder asks
    """A body that ends the process which decodes it."""

    __slots__ = ()

    def startswith(self, *_: object) -> bool:
        """End the process: the decoder looks for a byte order mark first."""
        raise EndOfTask


def waiting_job(step: JobWaits, received_at: float) -> Job:
    """Return the job that a step puts into the queue."""
    refusals = tuple(
        Refusal(
            recipient=name,
            rule=RULE_OF_JOBS,
            recipient_arn=None,
            bounce_type="DoesNotExist",
            dsn=None,
        )
        for name in step.recipients
    )
    domain = DOMAIN if step.sender_verified else "unverified.example"
    return Job(
        message_id=step.message_id,
        received_at=datetime.fromtimestamp(received_at, UTC),
        reference=reference(step.message_id, step.recipients),
        sender=step.sender,
        bounce_sender=f"bounces@{domain}",
        bounce_sender_arn=None,
        messages=(),
        reporting_mta="dns; mx.example.com",
        extension_fields=(),
        refusals=refusals,
    )


def waiting_reply(step: ReplyWaits, received_at: float) -> Reply:
    """Return the reply that a step puts into the queue."""
    recipient = f"ann@{DOMAIN}"
    return Reply(
        message_id=step.message_id,
        received_at=datetime.fromtimestamp(received_at, UTC),
        reference=reference(step.message_id, [recipient]),
        sender=step.sender,
        recipients=(recipient,),
        rule=step.rule,
        from_=f"desk@{DOMAIN if step.verified else 'unverified.example'}",
        from_arn=None,
        subject="Auto: Hello",
        text="The desk is closed.",
        once_per_s=step.once_per_s,
        in_reply_to="",
        references=(),
    )
