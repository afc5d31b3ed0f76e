"""Checks the identities that bounces are sent from: verified, signing, publishing their events."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bouncer.aws.exclusive_setting import SettingKind
from bouncer.mail.address import identities
from bouncer_cli.doctor.account import Account, NotFoundError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import NOT_KNOWN, Finding, Findings, ok, problem, warning
from bouncer_infra.deployment_values import FurtherSender

_IDENTITY = "identity"
_SENDER = "further sender"
_REPLY_SENDER = "reply sender"

# In the stack, if it attaches our set; those of further sets have the identity in their ids.
_ATTACHED = f"AccountSettings{SettingKind.DEFAULT_CONFIGURATION_SET}"
_TYPE = SettingKind.DEFAULT_CONFIGURATION_SET.resource_type
SETS = "AWS::SES::ConfigurationSet"
BETWEEN_SETS = (
    "deploy with the identity in neither set, then with it in the new one, as "
    "docs/deploy.md#event-destinations-and-configuration-sets says"
)


def identity(context: CheckContext) -> Findings:
    """Check that the bounce sender's identity is verified, signs, and has our set as default."""
    wanted = context.deployment
    try:
        answer = context.account.ask("sesv2", "get_email_identity", EmailIdentity=wanted.identity)
    except NotFoundError:
        if wanted.create_identity and context.stack.pending:
            found = f"{wanted.identity} does not exist yet; the deployment makes it"
            yield ok(_IDENTITY, found)
        else:
            yield _missing(context)
        return
    if context.stack.absent and wanted.create_identity:
        found = f"{wanted.identity} exists already, so the deployment can't make it"
        yield problem(_IDENTITY, found, "remove create_identity from cdk.json")
    yield _verified(_IDENTITY, wanted.identity, answer)
    yield _dkim(wanted.identity, answer.get("DkimAttributes", {}))
    yield _default_set(context, answer.get("ConfigurationSetName"))


def _missing(context: CheckContext) -> Finding:
    name, sender = context.deployment.identity, context.deployment.senders[0]
    verified = (known for known, answer in verifying(context.account, sender) if may_send(answer))
    other = next(verified, None)
    if other:
        found = f"{name} does not exist; SES verifies {sender} by {other}"
        return problem(_IDENTITY, found, f"set identity: {other} in cdk.json")
    found = f"{name} does not exist, so SES sends nothing from {sender}"
    remedy = f"verify it: aws sesv2 create-email-identity --email-identity {name}"
    return problem(_IDENTITY, found, remedy)


def verifying(account: Account, sender: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the identities by which an address may send, the closest first."""
    for name in identities(sender):
        try:
            yield name, account.ask("sesv2", "get_email_identity", EmailIdentity=name)
        except NotFoundError:
            continue


def may_send(answer: Mapping[str, Any]) -> bool:
    """Tell whether SES has verified the identity that it describes."""
    return bool(answer.get("VerifiedForSendingStatus"))


def _verified(check: str, name: str, answer: Mapping[str, Any]) -> Finding:
    if may_send(answer):
        return ok(check, f"{name} is verified")
    status = answer.get("VerificationStatus", "not verified")
    remedy = "publish the DNS records that the SES console shows for it, or answer its mail"
    return problem(check, f"{name} is not verified for sending ({status})", remedy)


def _dkim(name: str, dkim: Mapping[str, Any]) -> Finding:
    if dkim.get("SigningEnabled") and dkim.get("Status") == "SUCCESS":
        return ok(_IDENTITY, f"{name} signs with DKIM")
    state = dkim.get("Status", "NOT_STARTED") if dkim.get("SigningEnabled") else "signing is off"
    found = (
        f"{name} does not sign with DKIM ({state}): receivers may treat unsigned bounces as spam"
    )
    remedy = "enable DKIM in the SES console and publish its records"
    return warning(_IDENTITY, found, remedy)


def _default_set(context: CheckContext, found: str | None) -> Finding:
    ours, name = context.deployment.full_name, context.deployment.identity
    if found == ours:
        return ok(_IDENTITY, f"{ours} is the default configuration set of {name}")
    if context.deployment.attach_configuration_set is False:
        has = f"the default configuration set of {name} is {found}" if found else _has_no_set(name)
        return ok(_IDENTITY, f"{has}, and attach_configuration_set: false leaves it so")
    return _foreign_set(context, found) if found else _no_set(context)


def _foreign_set(context: CheckContext, found: str) -> Finding:
    name = context.deployment.identity
    said = f"the default configuration set of {name} is {found}; the deployment does not replace it"
    if found in context.stack.names(SETS):
        return problem(_IDENTITY, said, BETWEEN_SETS)
    return problem(
        _IDENTITY,
        said,
        "remove that set from the identity, or verify the sender's address and set it as identity "
        "in cdk.json, or set attach_configuration_set: false",
    )


def _has_no_set(name: str) -> str:
    return f"{name} has no default configuration set"


def _no_set(context: CheckContext) -> Finding:
    has_none = _has_no_set(context.deployment.identity)
    if context.stack.hidden:
        return warning(_IDENTITY, has_none, NOT_KNOWN)
    if context.stack.pending:
        return _to_be_attached(context)
    if not context.stack.named(_TYPE, _ATTACHED):
        remedy = "run cdk deploy, or set attach_configuration_set: false in cdk.json"
        return warning(_IDENTITY, f"{has_none}, as the stack does not attach ours", remedy)
    names = context.deployment
    command = (
        "aws sesv2 put-email-identity-configuration-set-attributes "
        f"--email-identity {names.identity} --configuration-set-name {names.full_name}"
    )
    found = f"{has_none}, so SES publishes no events of bounces"
    return problem(_IDENTITY, found, f"attach ours: {command}")


def _to_be_attached(context: CheckContext) -> Finding:
    wanted, name = context.deployment, context.deployment.identity
    if wanted.attach_configuration_set or "@" in name:
        return ok(_IDENTITY, f"{_has_no_set(name)}; the deployment attaches ours")
    return warning(
        _IDENTITY,
        f"{_has_no_set(name)}; the deployment attaches ours, and SES then refuses mail from roles "
        f"that may use {name} only",
        f"allow these roles configuration-set/{wanted.full_name} too, or set the sender's own "
        "address as identity, then set attach_configuration_set: true",
    )


def further_senders(context: CheckContext) -> Findings:
    """Check that every further sender is verified by itself or by a domain above it."""
    yield from _senders(context, _SENDER, context.deployment.further_senders)


def reply_senders(context: CheckContext) -> Findings:
    """Check that every address which replies come from is verified in the same way."""
    yield from _senders(context, _REPLY_SENDER, context.deployment.reply_senders)


def _senders(context: CheckContext, check: str, senders: Iterable[FurtherSender]) -> Findings:
    for sender in senders:
        if sender.arn:
            owner = f"account {sender.arn.split(':')[4]} verifies {sender.address}"
            yield ok(check, f"{owner}, and was not asked")
        else:
            yield verified_sender(context, check, sender.address)


def verified_sender(context: CheckContext, check: str, address: str) -> Finding:
    """Return whether an address is verified, by itself or by a domain above it."""
    finding: Finding | None = None
    for name, answer in verifying(context.account, address):
        finding = _verified(check, f"{address} (by {name})", answer)
        if may_send(answer):
            return finding
    remedy = "verify the address or its domain in the SES console, in this region"
    return finding or problem(check, f"no identity verifies {address}", remedy)
