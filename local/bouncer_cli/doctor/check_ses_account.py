"""May SES send our bounces, and who hears of what becomes of them?"""

from collections.abc import Mapping

from bouncer_cli.doctor.check_context import Case
from bouncer_cli.doctor.finding import Finding, Findings, ok, problem, warning

_ACCOUNT = "ses account"

_FULL = 0.8  # of the sending quota


def ses_account(case: Case) -> Findings:
    """Production access, whether sending is on, what SES thinks of the account, its quota."""
    account = case.account.ask("sesv2", "get_account")
    if account.get("ProductionAccessEnabled"):
        yield ok(_ACCOUNT, "production access")
    else:
        found = "in the sandbox: no bounce reaches anybody whose address is not verified"
        yield problem(_ACCOUNT, found, "request production access in the SES console")
    if account.get("SendingEnabled"):
        yield ok(_ACCOUNT, "sending is enabled")
    else:
        yield problem(_ACCOUNT, "sending is paused", "find out why, then enable sending in SES")
    yield _enforcement(str(account.get("EnforcementStatus", "unknown")))
    yield from _quota(account.get("SendQuota", {}))


def _enforcement(status: str) -> Finding:
    found = f"enforcement status {status}"
    if status == "HEALTHY":
        return ok(_ACCOUNT, found)
    if status == "SHUTDOWN":
        return problem(_ACCOUNT, found, "answer the case AWS opened; set sending: paused meanwhile")
    return warning(_ACCOUNT, found, "look at the reputation dashboard of SES and open cases")


def _quota(quota: Mapping[str, float]) -> Findings:
    most, sent = quota.get("Max24HourSend", 0.0), quota.get("SentLast24Hours", 0.0)
    if most == 0:
        return
    if most < 0:  # SES API reference: -1 is no limit
        yield ok(_ACCOUNT, f"sent {sent:.0f} in 24 hours, no quota")
    elif sent < _FULL * most:
        yield ok(_ACCOUNT, f"sent {sent:.0f} of {most:.0f} in 24 hours")
    else:
        found = f"sent {sent:.0f} of {most:.0f} in 24 hours"
        yield warning(_ACCOUNT, found, "ask for a higher sending quota, or bounce less")
