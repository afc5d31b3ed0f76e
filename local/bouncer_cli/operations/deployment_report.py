"""The report on a deployment, gathered from an operator's machine as the reporter gathers it."""

import re
import time
from datetime import datetime

from bouncer.reporting.gathering import gathered
from bouncer.reporting.insights import Insights
from bouncer.reporting.period import Period
from bouncer.reporting.report import Report
from bouncer.reporting.standing_look import LookedAt, StandingLook
from bouncer.sources.bucket_source import BucketSource
from bouncer_cli.doctor.check_queues import QUEUES
from bouncer_cli.operations.operated_deployment import OperatedDeployment

PATIENCE_S = 300.0  # for all queries: an operator who waits can stop it

_LOG_GROUPS = "AWS::Logs::LogGroup"
# Logical ids as CDK makes them, also in somebody else's stack: those of the archive's streams and
# of the custom resources are not asked, as they have no lines of the journal.
_JOURNALS = re.compile(r"(Intake|Worker|Publisher|Feedback|Replier|Reporter)Logs[0-9A-F]{8}$")
_DEAD_LETTERS = {
    "dead-replies": re.compile(r"RepliesDeadLetters[0-9A-F]{8}$"),
    "lost-feedback": re.compile(r"FeedbackDeadLetters[0-9A-F]{8}$"),
    "failed-events": re.compile(r"FailedEventsQueue[0-9A-F]{8}$"),
}


def deployment_report(deployment: OperatedDeployment, period: Period, now: datetime) -> Report:
    """Return the report; what AWS does not say is a gap of it."""
    account, name = deployment.account, deployment.stack.name
    insights = Insights(
        account.client("logs"),
        _names(deployment, _LOG_GROUPS, _JOURNALS),
        ticks=time.monotonic,
        sleep=time.sleep,
        patience_s=PATIENCE_S,
    )
    dead_letters = {"dead-letters": deployment.dead_letter_url}
    for key, logical in _DEAD_LETTERS.items():
        for url in _names(deployment, QUEUES, logical):
            dead_letters[key] = url
    source = deployment.bucket and BucketSource(account.client("s3"), deployment.bucket)
    look = StandingLook(
        LookedAt(full_name=name, queue_url=deployment.queue_url, dead_letters=dead_letters),
        sqs=account.client("sqs"),
        cloudwatch=account.client("cloudwatch"),
        source=source or None,
    )
    return gathered(name, period, queries=insights, look=look, now=now)


def _names(deployment: OperatedDeployment, kind: str, logical: re.Pattern[str]) -> list[str]:
    """Return the physical ids of the stack's resources of a type with such a logical id."""
    return [
        resource.name
        for resource in deployment.stack.resources
        if resource.kind == kind and logical.search(resource.logical)
    ]
