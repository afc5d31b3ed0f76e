"""Checks how many functions Lambda runs at a time in this account and region.

New accounts may have 10 or 50, where the documented default is 1,000: a burst of mail then starts
more intakes than Lambda allows.
"""

from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import Findings, ok, problem, warning

_CONCURRENCY = "concurrency"

_FEW = 100


def concurrency(context: CheckContext) -> Findings:
    """Check the concurrency that is left for functions that reserve none (GetAccountSettings)."""
    limit = context.account.ask("lambda", "get_account_settings").get("AccountLimit", {})
    most = limit.get("ConcurrentExecutions", 0)
    left = limit.get("UnreservedConcurrentExecutions", most)
    yield from _reserved(context, left)
    found = f"Lambda runs at most {most} functions at a time here, {left} of them without a reserve"
    if left >= _FEW:
        yield ok(_CONCURRENCY, found)
        return
    remedy = (
        "request more Concurrent executions for AWS Lambda in the Service Quotas console: mail "
        "that arrives faster than they allow is throttled (docs/operations.md#throttles)"
    )
    yield warning(_CONCURRENCY, found, remedy)


def _reserved(context: CheckContext, left: int) -> Findings:
    """Check before a deployment that Lambda can reserve what the intake is to have."""
    wanted = context.deployment.intake_concurrency
    if wanted is None or context.stack.deployed or context.stack.hidden:
        return
    if wanted > left - _FEW:
        found = f"intake_concurrency is {wanted}, and Lambda keeps {_FEW} of {left} unreserved"
        remedy = "lower it in cdk.json, or request more Concurrent executions in Service Quotas"
        yield problem(_CONCURRENCY, f"{found}: the deployment fails", remedy)
