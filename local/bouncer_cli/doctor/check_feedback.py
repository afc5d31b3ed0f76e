"""Checks that SES publishes events of our bounces at all: suppression depends on them.

Nobody knows whether it does for SendBounce (docs/decisions/0007-open-questions.md). Our own metric
has the bounces that were sent, and SES's the mails that it counted with our configuration set.
"""

from datetime import timedelta

from bouncer.metric_names import DEPLOYMENT, NAMESPACE, SERVICE, Metric
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import Findings, ok, warning

_CHECK = "feedback"
_DAYS = 14
_ENOUGH = 100  # bounces sent, after which an event must have come


def feedback(context: CheckContext) -> Findings:
    """Report bounces of two weeks of which SES published no event."""
    settings = context.deployment
    if not context.stack.deployed or "send" not in settings.events:
        return
    sent = _sum(context, NAMESPACE, Metric.SENT, {DEPLOYMENT: settings.name, SERVICE: "worker"})
    domains = dict.fromkeys(address.rpartition("@")[2].lower() for address in settings.senders)
    counted = sum(
        _sum(
            context,
            "AWS/SES",
            "Send",
            {
                "ses:from-domain": domain,
                "ses:configuration-set": settings.full_name,
                DEPLOYMENT: "none",
            },
        )
        for domain in (domains if sent >= _ENOUGH else ())
    )
    found = f"{sent} bounces were sent in {_DAYS} days"
    if sent < _ENOUGH or counted:
        yield ok(_CHECK, f"{found}; SES published events of {counted} mails" if counted else found)
        return
    remedy = (
        "check that our configuration set is the default of the sender's identity; if it is, SES "
        "publishes nothing for SendBounce: see docs/decisions/0022-feedback.md#open"
    )
    yield warning(_CHECK, f"{found}, and SES published no event: nobody is suppressed", remedy)


def _sum(context: CheckContext, space: str, name: str, dimensions: dict[str, str]) -> int:
    answer = context.account.ask(
        "cloudwatch",
        "get_metric_statistics",
        Namespace=space,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=context.now - timedelta(days=_DAYS),
        EndTime=context.now,
        Period=24 * 3600,
        Statistics=["Sum"],
    )
    return int(sum(point.get("Sum", 0.0) for point in answer.get("Datapoints", [])))
