"""May SES send our bounces, and who hears of what becomes of them?

Configuration sets and event destinations came with the 2016 release of SES; they are listed and
described by that API, and by the present one, which knows kinds of destination the old does not.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bouncer.mail.address import identities
from bouncer_cli.doctor.account import Account, NotFoundError
from bouncer_cli.doctor.check_context import Case
from bouncer_cli.doctor.finding import NOT_KNOWN, REPAIR, Finding, Findings, ok, problem, warning

_ACCOUNT = "ses account"
_IDENTITY = "identity"
_SENDER = "further sender"
_SETS = "configuration sets"
_SET = "configuration set"
_EVENTS = "event destination"

_ATTACHED = "Custom::DefaultConfigurationSet"  # in the stack, if it attaches our set

_NO_SET = "it has no default configuration set"

_MOST_LISTED = 10
_FULL = 0.8  # of the sending quota

# Member of the SESv2 API -> what people call it.
_KINDS = {
    "CloudWatchDestination": "CloudWatch",
    "KinesisFirehoseDestination": "Firehose",
    "SnsDestination": "SNS",
    "EventBridgeDestination": "EventBridge",
    "PinpointDestination": "Pinpoint",
}


# What the deployment makes, and what is lost without.
_OURS = {
    "CloudWatchDestination": "the dashboard and the alarm on double bounces see nothing",
    "KinesisFirehoseDestination": "the archive does not know which bounces bounced",
}


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


def identity(case: Case) -> Findings:
    """The identity of the bounce sender: verified, signing, with our set as its default."""
    wanted = case.deployment
    try:
        answer = case.account.ask("sesv2", "get_email_identity", EmailIdentity=wanted.identity)
    except NotFoundError:
        if wanted.create_identity and case.stack.pending:
            yield ok(_IDENTITY, f"no {wanted.identity} yet; the deployment makes it")
        else:
            yield _missing(case)
        return
    if case.stack.absent and wanted.create_identity:
        found = f"{wanted.identity} exists, so the deployment can't make it"
        yield problem(_IDENTITY, found, "leave out create_identity")
    yield _verified(_IDENTITY, wanted.identity, answer)
    yield _dkim(wanted.identity, answer.get("DkimAttributes", {}))
    yield _default_set(case, answer.get("ConfigurationSetName"))


def _missing(case: Case) -> Finding:
    name, sender = case.deployment.identity, case.deployment.senders[0]
    other = verified_identity(case.account, sender)
    if other:
        remedy = f"set identity: {other} in cdk.json"
        return problem(_IDENTITY, f"no {name}; SES verifies {sender} by {other}", remedy)
    found = f"no {name}, so SES sends nothing from {sender}"
    return problem(_IDENTITY, found, "verify it in SES in this region")


def verified_identity(account: Account, sender: str) -> str | None:
    """The closest identity by which SES lets an address send, if there is one."""
    for name in identities(sender):
        try:
            answer = account.ask("sesv2", "get_email_identity", EmailIdentity=name)
        except NotFoundError:
            continue
        if answer.get("VerifiedForSendingStatus"):
            return name
    return None


def _verified(check: str, name: str, answer: Mapping[str, Any]) -> Finding:
    if answer.get("VerifiedForSendingStatus"):
        return ok(check, f"{name} is verified")
    status = answer.get("VerificationStatus", "not verified")
    remedy = "publish the DNS records SES shows for it, or answer its mail"
    return problem(check, f"{name} is not verified for sending ({status})", remedy)


def _dkim(name: str, dkim: Mapping[str, Any]) -> Finding:
    if dkim.get("SigningEnabled") and dkim.get("Status") == "SUCCESS":
        return ok(_IDENTITY, f"{name} signs with DKIM")
    state = dkim.get("Status", "NOT_STARTED") if dkim.get("SigningEnabled") else "signing is off"
    remedy = "enable DKIM in SES and publish its records: receivers distrust unsigned bounces"
    return warning(_IDENTITY, f"{name} does not sign with DKIM ({state})", remedy)


def _default_set(case: Case, found: str | None) -> Finding:
    wanted, name = case.deployment.full_name, case.deployment.identity
    if found == wanted:
        return ok(_IDENTITY, f"{wanted} is its default configuration set")
    asked = case.deployment.attach_configuration_set
    if asked is False:
        has = f"its default configuration set is {found}" if found else _NO_SET
        return ok(_IDENTITY, f"{has}, and attach_configuration_set: false leaves it so")
    if found is None and case.stack.hidden:
        return warning(_IDENTITY, _NO_SET, NOT_KNOWN)
    if found is None and case.stack.pending:
        if asked or "@" in name:
            return ok(_IDENTITY, f"{_NO_SET}; the deployment attaches ours")
        return warning(
            _IDENTITY,
            f"{_NO_SET}; the deployment attaches ours, and SES then refuses mail from roles that "
            f"may use {name} only",
            f"allow them configuration-set/{wanted}, or name the sender's own address as identity, "
            "then set attach_configuration_set: true",
        )
    if found is None and not case.stack.names(_ATTACHED):
        remedy = "run cdk deploy, or set attach_configuration_set: false"
        return warning(_IDENTITY, f"{_NO_SET}, as the stack does not attach ours", remedy)
    if found is None:
        text = f"{_NO_SET}, so SES publishes no events of bounces"
        attach = "aws sesv2 put-email-identity-configuration-set-attributes"
        remedy = f"{attach} --email-identity {name} --configuration-set-name {wanted}"
        return problem(_IDENTITY, text, f"attach ours: {remedy}")
    return problem(
        _IDENTITY,
        f"its default configuration set is {found}, which the deployment leaves alone",
        "take that off the identity, verify the sender's address and name that as identity, or "
        "set attach_configuration_set: false",
    )


def further_senders(case: Case) -> Findings:
    """Every other address bounces may come from is verified by itself or a domain above it."""
    for address in case.deployment.senders[1:]:
        yield _further_sender(case, address)


def _further_sender(case: Case, address: str) -> Finding:
    finding: Finding | None = None
    for name in identities(address):
        try:
            answer = case.account.ask("sesv2", "get_email_identity", EmailIdentity=name)
        except NotFoundError:
            continue
        finding = _verified(_SENDER, f"{address} (by {name})", answer)
        if answer.get("VerifiedForSendingStatus"):
            return finding
    remedy = "verify it or its domain in SES in this region"
    return finding or problem(_SENDER, f"no identity for {address}", remedy)


def configuration_sets(case: Case) -> Findings:
    """All configuration sets of the region (ListConfigurationSets)."""
    listed = case.account.pages("ses", "list_configuration_sets", "ConfigurationSets")
    names = [member["Name"] for member in listed]
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    shown = (": " + ", ".join(names[:_MOST_LISTED]) + more) if names else ""
    yield ok(_SETS, f"{len(names)} in this region{shown}")


def configuration_set(case: Case) -> Findings:
    """Ours (DescribeConfigurationSet): there, sending, counting its reputation."""
    name = case.deployment.full_name
    try:
        answer = case.account.ask(
            "ses",
            "describe_configuration_set",
            ConfigurationSetName=name,
            ConfigurationSetAttributeNames=["eventDestinations", "reputationOptions"],
        )
    except NotFoundError:
        if case.stack.deployed:
            yield problem(_SET, f"no {name}", REPAIR)
        elif case.stack.hidden:
            yield warning(_SET, f"no {name}", NOT_KNOWN)
        else:
            yield ok(_SET, f"no {name} yet; the deployment makes it")
        return
    if case.stack.absent:
        remedy = "delete it, or choose another name in cdk.json"
        yield problem(_SET, f"{name} exists, and no stack that made it", remedy)
    options = answer.get("ReputationOptions", {})
    if options.get("SendingEnabled", True):
        events = ", ".join(shown["Name"] for shown in answer.get("EventDestinations", []))
        yield ok(_SET, f"{name} sends" + (f", with event destinations {events}" if events else ""))
    else:
        yield problem(_SET, f"{name} does not send", "enable sending for it in the SES console")
    if options and not options.get("ReputationMetricsEnabled"):
        remedy = "enable them in the SES console"
        yield warning(_SET, f"{name} publishes no reputation metrics", remedy)


def event_destinations(case: Case) -> Findings:
    """Where the events of our set go (GetConfigurationSetEventDestinations)."""
    try:
        answer = case.account.ask(
            "sesv2",
            "get_configuration_set_event_destinations",
            ConfigurationSetName=case.deployment.full_name,
        )
    except NotFoundError:
        return  # told already
    destinations = answer.get("EventDestinations", [])
    for member, lost in _OURS.items() if case.stack.deployed else ():
        if not any(member in destination for destination in destinations):
            yield problem(_EVENTS, f"none of {_KINDS[member]}, so {lost}", REPAIR)
    for destination in destinations:
        yield _event_destination(case, destination)


def _event_destination(case: Case, destination: Mapping[str, Any]) -> Finding:
    kinds = [word for member, word in _KINDS.items() if member in destination]
    name = f"{destination['Name']} ({' and '.join(kinds) or 'unknown kind'})"
    if _OURS.keys().isdisjoint(destination):
        return ok(_EVENTS, f"{name} is none of the deployment's")
    if not destination.get("Enabled", False):
        remedy = "enable it in the SES console"
        return problem(_EVENTS, f"{name} is disabled", remedy)
    types = destination.get("MatchingEventTypes", [])
    missing = sorted(_words(case.deployment.events) - _words(types))
    if missing:
        remedy = "add them in the SES console, or run cdk deploy if cdk.json has changed"
        return warning(_EVENTS, f"{name} gets no {', '.join(missing)} events", remedy)
    return ok(_EVENTS, f"{name} is enabled for {', '.join(types).lower()}")


def _words(types: Iterable[str]) -> set[str]:
    """Event types in either spelling: renderingFailure of cdk.json, RENDERING_FAILURE of SESv2."""
    return {name.replace("_", "").lower() for name in types}
