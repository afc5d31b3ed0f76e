"""May SES send our bounces, and who hears of what becomes of them?"""

from collections.abc import Mapping
from typing import Any

from bouncer.mail.address import identities
from bouncer_cli.doctor.account import Account, NotFoundError
from bouncer_cli.doctor.check_context import Case
from bouncer_cli.doctor.finding import NOT_KNOWN, Finding, Findings, ok, problem, warning

_IDENTITY = "identity"
_SENDER = "further sender"

_ATTACHED = "Custom::DefaultConfigurationSet"  # in the stack, if it attaches our set

_NO_SET = "it has no default configuration set"


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
