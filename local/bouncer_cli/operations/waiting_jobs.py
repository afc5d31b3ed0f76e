"""The jobs that wait in a deployment's queue, as far as AWS tells: their number and the oldest."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bouncer.errors import BouncerError
from bouncer.held import shown_time
from bouncer.operator_settings import Settings
from bouncer.reporting.message_count import message_count
from bouncer.sending.gate import LIFETIME
from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.doctor.queue_depth import oldest_s
from bouncer_cli.operations.operated_account import sentence
from bouncer_cli.operations.operated_deployment import OperatedDeployment


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingJobs:
    """Jobs in the queue; `since` is when the oldest was queued, if CloudWatch knows it.

    Without a `count` the queue could not be asked. `remarks` say what could not be learned.
    """

    count: int | None
    since: datetime | None = None
    remarks: tuple[str, ...] = ()

    def lines(self, settings: Settings) -> Iterator[str]:
        """Yield the lines for an operator, by the rate and the margin of the settings in force."""
        if self.count is not None:
            jobs = "1 job waits" if self.count == 1 else f"{self.count} jobs wait"
            sending = timedelta(seconds=round(self.count / settings.rate))
            yield f"waiting: about {jobs}, {sending} of sending"
        if self.since is not None:
            ends = self.since + LIFETIME - timedelta(seconds=settings.expiry_margin_s)
            yield (
                f"oldest:  waits since {shown_time(self.since)} and expires {shown_time(ends)}, as "
                "CloudWatch saw it last; it leaves out jobs that were handed back three times"
            )
        for remark in self.remarks:
            yield f"unknown: {remark}"


def waiting_jobs(deployment: OperatedDeployment, now: datetime) -> WaitingJobs:
    """Return what waits in the queue; what AWS does not tell is a remark, never an error."""
    account, url = deployment.account, deployment.queue_url
    try:
        answer = account.ask("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
    except (NotFoundError, UnavailableError) as error:
        return WaitingJobs(count=None, remarks=(_unknown("the number of jobs", error),))
    count = message_count(answer.get("Attributes", {}))
    if not count:
        return WaitingJobs(count=0)
    age_s, silent = oldest_s(account, url.rpartition("/")[2], now)
    if silent:
        return WaitingJobs(count=count, remarks=(_unknown("the age of the oldest job", silent),))
    if age_s is None:
        remark = "the age of the oldest job: CloudWatch has none from the last 15 minutes"
        return WaitingJobs(count=count, remarks=(remark,))
    return WaitingJobs(count=count, since=now - timedelta(seconds=age_s))


def _unknown(what: str, error: BouncerError) -> str:
    return f"{what}: {sentence(error)}"
