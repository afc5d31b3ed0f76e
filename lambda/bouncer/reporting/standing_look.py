"""Looks at a deployment for a report: its queues, its alarms, and what is in force.

Each look stands alone: what one can't learn is a gap, and the others go on.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from bouncer.reporting.aws_question import asking
from bouncer.reporting.journal_query import NotKnownError
from bouncer.reporting.message_count import message_count
from bouncer.reporting.standing import InForce, Standing
from bouncer.sources.bucket_source import BucketSource
from bouncer.sources.source import SourceError

_AGE_WITHIN = timedelta(minutes=15)  # SQS publishes the age each minute while a queue is used
_MOST_ALARMS = 100  # of one page (CloudWatch API reference, DescribeAlarms)


class QueueClient(Protocol):
    """A client of SQS, as boto3 has it."""

    @property
    def get_queue_attributes(self) -> Callable[..., Mapping[str, Any]]:
        """Return the attributes of a queue."""


class MetricClient(Protocol):
    """A client of CloudWatch, as boto3 has it."""

    @property
    def get_metric_statistics(self) -> Callable[..., Mapping[str, Any]]:
        """Return points of a metric."""

    @property
    def describe_alarms(self) -> Callable[..., Mapping[str, Any]]:
        """Return a page of alarms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """The names of what a report looks at, which a stack has made.

    `dead_letters` are the URLs of queues by the key of the alarm that watches each of them.
    `full_name` begins the names of the alarms.
    """

    full_name: str
    queue_url: str
    dead_letters: Mapping[str, str]


class StandingLook:
    """Looks at one deployment; without `source` it publishes nothing."""

    def __init__(
        self,
        looked_at: LookedAt,
        *,
        sqs: QueueClient,
        cloudwatch: MetricClient,
        source: BucketSource | None,
    ) -> None:
        self._looked_at = looked_at
        self._sqs = sqs
        self._cloudwatch = cloudwatch
        self._source = source
        self._gaps: list[str] = []

    def standing(self, now: datetime) -> Standing:
        """Return what holds now; it never raises an error of AWS."""
        self._gaps = []
        waiting = self._known("the jobs that wait", self._count, self._looked_at.queue_url)
        oldest_s = self._known("the age of the oldest job", self._oldest_s, now)
        dead = {
            key: count
            for key, url in self._looked_at.dead_letters.items()
            if (count := self._known(f"the number of {_words(key)}", self._count, url)) is not None
        }
        return Standing(
            waiting=waiting,
            oldest_s=oldest_s if waiting else None,
            dead=dead,
            alarms=self._known("the alarms", self._alarms),
            in_force=self._known("the rules in force", self._in_force),
            gaps=tuple(self._gaps),
        )

    def _known(self, what: str, look: Callable[..., Any], *given: object) -> Any:
        """Return what a look finds; None, and a gap, if AWS does not say."""
        try:
            return look(*given)
        except (NotKnownError, SourceError) as error:
            self._gaps.append(f"{what}: {error}")
            return None

    def _count(self, url: str) -> int:
        with asking("sqs:GetQueueAttributes"):
            answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return message_count(answer.get("Attributes", {}))

    def _oldest_s(self, now: datetime) -> int | None:
        """Return the age that CloudWatch saw last; jobs received three times are not in it."""
        name = self._looked_at.queue_url.rpartition("/")[2]
        with asking("cloudwatch:GetMetricStatistics"):
            answer = self._cloudwatch.get_metric_statistics(
                Namespace="AWS/SQS",
                MetricName="ApproximateAgeOfOldestMessage",
                Dimensions=[{"Name": "QueueName", "Value": name}],
                StartTime=now - _AGE_WITHIN,
                EndTime=now,
                Period=300,
                Statistics=["Maximum"],
            )
        points = sorted(answer.get("Datapoints", []), key=lambda point: point["Timestamp"])
        return int(points[-1]["Maximum"]) if points else None

    def _alarms(self) -> tuple[str, ...]:
        """Return the keys of our alarms in ALARM.

        The name of another deployment may begin with ours: an alarm names its key twice, at the end
        of its name and in its description.
        """
        prefix = f"{self._looked_at.full_name}-"
        found = (
            (alarm["AlarmName"].removeprefix(prefix), alarm.get("AlarmDescription", ""))
            for page in self._alarm_pages(prefix)
            for alarm in page.get("MetricAlarms", [])
            if alarm.get("StateValue") == "ALARM"
        )
        return tuple(key for key, description in found if description.endswith(f"#{key}"))

    def _alarm_pages(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        token: dict[str, str] = {}
        while True:
            with asking("cloudwatch:DescribeAlarms"):
                page = self._cloudwatch.describe_alarms(
                    AlarmNamePrefix=prefix,
                    StateValue="ALARM",
                    MaxRecords=_MOST_ALARMS,
                    **token,
                )
            yield page
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _in_force(self) -> InForce:
        if self._source is None:
            raise NotKnownError("found a version that publishes no revisions: run cdk deploy")
        found = self._source.pointer("")
        if found is None:
            raise NotKnownError("found no pointer: run bouncer doctor")
        pointer, _ = found
        rules = self._known("the rules without a match", self._rules, pointer.revision)
        problems = tuple(said for each in pointer.problems.values() for said in each)
        return InForce(
            revision=pointer.revision,
            mode=pointer.settings.mode,
            sending=pointer.settings.sending,
            causes=pointer.causes,
            problems=problems,
            braked=pointer.braked,
            rules=rules,
        )

    def _rules(self, revision: str) -> tuple[str, ...]:
        if self._source is None or not revision:
            return ()
        return tuple(rule.name for rule in self._source.revision(revision).active)


def _words(key: str) -> str:
    """Return the key of an alarm as words."""
    return key.replace("-", " ")
