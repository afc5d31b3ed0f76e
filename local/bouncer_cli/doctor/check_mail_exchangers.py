"""Does mail reach our rule? The MX records."""

from bouncer_cli.doctor.check_context import Case
from bouncer_cli.doctor.finding import Finding, Findings, ok, problem, some, warning
from bouncer_cli.doctor.mx_lookup import LookUpError, Mx

_MX = "mx"


def mail_exchangers(case: Case) -> Findings:
    """Where the MX record of each recipient domain points."""
    domains = sorted({name.rpartition("@")[2].lower() for name in case.deployment.recipients})
    for index, domain in enumerate(domains):
        if domain.startswith("."):
            yield warning(
                _MX, f"{domain}: could not be looked up, as it is many domains", _point(case)
            )
            continue
        try:
            yield _judge_mx(case, domain, case.look_up_mx(domain))
        except LookUpError as error:
            failed = domains[index:] if error.everywhere else [domain]
            found = f"{some(failed)}: could not be looked up ({error})"
            yield warning(_MX, found, f"see for yourself: dig MX {domain}")
            if error.everywhere:
                return


def _point(case: Case) -> str:
    return f"let the MX record name {_inbound(case)}, unless mail gets there by another way"


def _inbound(case: Case) -> str:
    """SES, email receiving endpoints (AWS General Reference)."""
    return f"inbound-smtp.{case.account.region}.amazonaws.com"


def _judge_mx(case: Case, domain: str, exchangers: tuple[Mx, ...]) -> Finding:
    hosts = [mx.host.lower() for mx in exchangers]
    first = [mx.host.lower() for mx in exchangers if mx.preference == exchangers[0].preference]
    if _inbound(case) in first:
        return ok(_MX, f"{domain}: mail goes to {_inbound(case)}")
    if _inbound(case) in hosts:
        return warning(_MX, f"{domain}: mail goes to {first[0]} before SES", _point(case))
    if any(host.startswith("inbound-smtp.") and ".amazonaws." in host for host in hosts):
        found = f"{domain}: mail goes to SES in another region, {some(hosts)}"
        return problem(_MX, found, f"let the MX record name {_inbound(case)}, or use that region")
    if not any(hosts):  # a null MX has an empty host (RFC 7505)
        return warning(_MX, f"{domain}: no MX record, or one that refuses mail", _point(case))
    return warning(_MX, f"{domain}: mail goes to {some(hosts)}", _point(case))
