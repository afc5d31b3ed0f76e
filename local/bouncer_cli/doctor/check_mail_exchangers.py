"""Checks that the MX record of each recipient domain names SES in this region.

Mail may reach SES another way, and the MX record is often changed last, so any other state is a
warning; only a domain that names SES in other regions alone is a problem.
"""

from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import Finding, Findings, ok, problem, some, warning
from bouncer_cli.doctor.mx_lookup import LookUpError, Mx

_MX = "mx"


def mail_exchangers(context: CheckContext) -> Findings:
    """Check the MX record of each recipient domain."""
    domains = sorted({name.rpartition("@")[2].lower() for name in context.deployment.recipients})
    for index, domain in enumerate(domains):
        if domain.startswith("."):
            yield warning(
                _MX, f"MX not checked, because {domain} means all subdomains", _point(context)
            )
            continue
        try:
            yield _judge_mx(context, domain, context.look_up_mx(domain))
        except LookUpError as error:
            failed = domains[index:] if error.everywhere else [domain]
            found = f"{some(failed)}: could not be looked up ({error})"
            yield warning(_MX, found, f"look yourself: dig MX {domain}")
            if error.everywhere:
                return


def _point(context: CheckContext) -> str:
    return f"set the MX record to {_inbound(context)}, unless mail reaches SES another way"


def _inbound(context: CheckContext) -> str:
    """Return the host that receives mail for SES (AWS General Reference, SES endpoints)."""
    return f"inbound-smtp.{context.account.region}.amazonaws.com"


def _judge_mx(context: CheckContext, domain: str, exchangers: tuple[Mx, ...]) -> Finding:
    hosts = [mx.host.lower() for mx in exchangers]
    first = [mx.host.lower() for mx in exchangers if mx.preference == exchangers[0].preference]
    if _inbound(context) in first:
        return ok(_MX, f"{domain}: mail goes to {_inbound(context)}")
    if _inbound(context) in hosts:
        return warning(_MX, f"{domain}: mail goes to {first[0]} before SES", _point(context))
    if any(host.startswith("inbound-smtp.") and ".amazonaws." in host for host in hosts):
        found = f"{domain}: mail goes to SES in another region, {some(hosts)}"
        return problem(
            _MX, found, f"set the MX record to {_inbound(context)}, or deploy in that region"
        )
    if not any(hosts):  # a null MX has an empty host (RFC 7505)
        return warning(_MX, f"{domain}: no MX record, or one that refuses mail", _point(context))
    return warning(_MX, f"{domain}: mail goes to {some(hosts)}", _point(context))
