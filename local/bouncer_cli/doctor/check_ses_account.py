"""Checks the SES account: production access, sending, enforcement status and quota."""

from collections.abc import Mapping

from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import Finding, Findings, ok, problem, warning

_ACCOUNT = "ses account"

_FULL = 0.8  # of the sending quota


def ses_account(context: CheckContext) -> Findings:
    """Check that SES lets this account send to anybody, and that the quota is not used up."""
    account = context.account.ask("sesv2", "get_account")
    if account.get("ProductionAccessEnabled"):
        yield ok(_ACCOUNT, "production access")
    else:
        found = "in the sandbox: SES sends bounces to verified addresses only"
        yield problem(_ACCOUNT, found, "request production access in the SES console")
    if account.get("SendingEnabled"):
        yield ok(_ACCOUNT, "sending is enabled")
    else:
        remedy = "read AWS's mails and cases for the cause, then enable sending in the SES console"
        yield problem(_ACCOUNT, "sending is paused", remedy)
    yield _enforcement(str(account.get("EnforcementStatus", "unknown")))
    yield from _quota(account.get("SendQuota", {}))


def _enforcement(status: str) -> Finding:
    found = f"enforcement status {status}"
    if status == "HEALTHY":
        return ok(_ACCOUNT, found)
    if status == "SHUTDOWN":
        remedy = "answer the case AWS opened; until then run bouncer pause (docs/operations.md)"
        return problem(_ACCOUNT, found, remedy)
    remedy = "look at Reputation metrics in the SES console, and at your cases in AWS Support"
    return warning(_ACCOUNT, found, remedy)


def _quota(quota: Mapping[str, float]) -> Findings:
    most, sent = quota.get("Max24HourSend", 0.0), quota.get("SentLast24Hours", 0.0)
    if most == 0:
        return
    if most < 0:  # SES API reference: -1 means unlimited
        yield ok(_ACCOUNT, f"sent {sent:.0f} in 24 hours, no quota")
    elif sent < _FULL * most:
        yield ok(_ACCOUNT, f"sent {sent:.0f} of {most:.0f} in 24 hours")
    else:
        remedy = "request a higher sending quota in the Service Quotas console"
        yield warning(_ACCOUNT, f"sent {sent:.0f} of {most:.0f} in 24 hours", remedy)
