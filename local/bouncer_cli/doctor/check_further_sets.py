"""Checks the configuration sets beside our own: their options, destinations and identities."""

from collections.abc import Iterator, Mapping
from typing import Any

from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.check_destinations import DEPLOY_OR_REPAIR, EVENTS, destinations_of
from bouncer_cli.doctor.check_identities import BETWEEN_SETS, SETS, may_send, verifying
from bouncer_cli.doctor.finding import NOT_KNOWN, Finding, Findings, ok, problem, warning
from bouncer_infra.configuration_set_settings import FurtherSet

_SET = "configuration set"


def further_sets(context: CheckContext) -> Findings:
    """Check the sets of cdk.json (GetConfigurationSet, GetConfigurationSetEventDestinations)."""
    for wanted in context.deployment.configuration_sets:
        try:
            found = context.account.ask(
                "sesv2", "get_configuration_set", ConfigurationSetName=wanted.name
            )
        except NotFoundError:
            yield _missing(context, wanted.name)
        else:
            yield _found(context, wanted, found)
            yield from _destinations(context, wanted)
        if wanted.identity:
            yield _identity(context, wanted, wanted.identity)
        if wanted.redirect_domain:
            yield _redirect_domain(context, wanted.redirect_domain)


def _missing(context: CheckContext, name: str) -> Finding:
    if context.stack.hidden:
        return warning(_SET, f"{name} does not exist", NOT_KNOWN)
    if context.stack.pending:
        return ok(_SET, f"{name} does not exist yet; the deployment makes it")
    return problem(_SET, f"{name} does not exist", DEPLOY_OR_REPAIR)


def _found(context: CheckContext, wanted: FurtherSet, found: Mapping[str, Any]) -> Finding:
    ours = wanted.name in context.stack.names(SETS)
    if context.stack.absent or (context.stack.deployed and not ours):
        said = f"{wanted.name} exists already, so the deployment can't make it"
        return problem(_SET, said, "delete it, or give the set another name in cdk.json")
    different = "; ".join(_differences(wanted, found))
    if different:
        return problem(_SET, f"{wanted.name}: {different}", DEPLOY_OR_REPAIR)
    if (_reasons(found) is None) != (wanted.suppression is None):
        states = {True: "as the account has it", False: "for nothing"}
        said = f"{wanted.name}: suppression is {states[_reasons(found) is None]}, cdk.json says "
        return warning(_SET, said + states[wanted.suppression is None], DEPLOY_OR_REPAIR)
    return ok(_SET, f"{wanted.name} is as configured" + ("" if wanted.sending else ", paused"))


def _differences(wanted: FurtherSet, found: Mapping[str, Any]) -> Iterator[str]:
    """Yield each option that is not what cdk.json says."""
    tls = str(_option(found, "DeliveryOptions", "TlsPolicy", "OPTIONAL")).lower()
    if tls != wanted.tls:
        yield f"TLS is {tls}, cdk.json says {wanted.tls}"
    sends = _option(found, "SendingOptions", "SendingEnabled", True)
    if sends != wanted.sending:
        yield "it sends, cdk.json says it does not" if sends else "it does not send"
    metrics = _option(found, "ReputationOptions", "ReputationMetricsEnabled", False)
    if metrics != wanted.reputation_metrics:
        states = {True: "published", False: "not published"}
        said = f"cdk.json says {states[wanted.reputation_metrics]}"
        yield f"reputation metrics are {states[bool(metrics)]}, {said}"
    reasons = set(_reasons(found) or ())
    if reasons != set(wanted.suppression or ()):
        said = _listed(wanted.suppression or ())
        yield f"suppression is for {_listed(reasons)}, cdk.json says {said}"
    domain = _option(found, "TrackingOptions", "CustomRedirectDomain", None)
    if domain != wanted.redirect_domain:
        said = f"cdk.json says {wanted.redirect_domain or 'none'}"
        yield f"the redirect domain is {domain or 'that of SES'}, {said}"


def _reasons(found: Mapping[str, Any]) -> list[str] | None:
    """Return the reasons of suppression; None if the account's are those of the set."""
    reasons: list[str] | None = _option(found, "SuppressionOptions", "SuppressedReasons", None)
    return reasons


def _option(found: Mapping[str, Any], group: str, member: str, default: object) -> Any:
    return (found.get(group) or {}).get(member, default)


def _listed(reasons: set[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(reasons)) or "nothing"


def _destinations(context: CheckContext, wanted: FurtherSet) -> Findings:
    answer = context.account.ask(
        "sesv2", "get_configuration_set_event_destinations", ConfigurationSetName=wanted.name
    )
    shown = answer.get("EventDestinations", [])
    yield from destinations_of(context, wanted.name, wanted.destinations, shown)
    named = {each.name for each in wanted.destinations}
    for each in shown:
        if each["Name"] not in named:
            yield ok(EVENTS, f"{each['Name']} of {wanted.name} is not in cdk.json")


def _identity(context: CheckContext, wanted: FurtherSet, identity: str) -> Finding:
    try:
        answer = context.account.ask("sesv2", "get_email_identity", EmailIdentity=identity)
    except NotFoundError:
        remedy = f"verify it: aws sesv2 create-email-identity --email-identity {identity}"
        said = f"{identity}, to which {wanted.name} is attached, does not exist"
        return problem(_SET, said, remedy)
    found = answer.get("ConfigurationSetName")
    if found == wanted.name:
        return ok(_SET, f"{found} is the default of {identity}")
    if found:
        return _other_default(context, wanted, identity, found)
    if not may_send(answer):
        said = f"{identity} is not verified, so {wanted.name} can't be attached to it"
        return problem(_SET, said, "publish the DNS records that the SES console shows for it")
    if context.stack.pending:
        said = (
            f"{identity} has no default; the deployment attaches {wanted.name}, and SES then asks"
        )
        return ok(_SET, f"{said} all who send from it for permission on that set")
    said = f"{identity} has no default configuration set, cdk.json says {wanted.name}"
    if context.stack.hidden:
        return warning(_SET, said, NOT_KNOWN)
    return problem(_SET, said, DEPLOY_OR_REPAIR)


def _other_default(context: CheckContext, wanted: FurtherSet, identity: str, found: str) -> Finding:
    said = f"the default of {identity} is {found}"
    if context.stack.hidden:
        return warning(_SET, f"{said}, cdk.json says {wanted.name}", NOT_KNOWN)
    if found == context.deployment.full_name:
        return problem(_SET, f"{said}; the deployment does not replace it", BETWEEN_SETS)
    if found in context.stack.names(SETS):
        said = f"{said}; the deployment changes it to {wanted.name}"
        return warning(_SET, said, "run cdk deploy")
    remedy = f"remove that set from the identity, or identity from {wanted.name} in cdk.json"
    return problem(_SET, f"{said}; the deployment does not replace it", remedy)


def _redirect_domain(context: CheckContext, domain: str) -> Finding:
    for name, answer in verifying(context.account, domain):
        if may_send(answer):
            return ok(_SET, f"the redirect domain {domain} is verified (by {name})")
    said = f"no identity verifies {domain}, so SES refuses it as redirect domain"
    return problem(_SET, said, "verify it, or a domain above it, in the SES console")
