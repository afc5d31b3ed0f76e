"""Looks into an account for what cdk.json has to say, and for a stack that is there already.

It only reads. What can't be found out is a remark, never an error: the folder is written all the
same, with placeholders.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from boto3 import Session
from botocore.exceptions import BotoCoreError

from bouncer_cli.doctor.account import Account, UnavailableError
from bouncer_cli.doctor.deployed_stack import Stack, stack_status
from bouncer_cli.doctor.mx_lookup import LookUpError, Mx, look_up_mx

_REGION = re.compile(r"[a-z]{2,8}(-[a-z]{2,10}){1,3}-[0-9]{1,2}")
_MOST_LOOKED_UP = 20  # domains: each may take seconds


@dataclass(slots=True, kw_only=True)
class KnownAccount:
    """The answers of AWS; None and () for what is not known, and a remark for each that failed."""

    region: str | None = None
    account: str | None = None
    identities: frozenset[str] | None = None
    receiving: tuple[str, ...] = ()
    rule_set: str | None = None  # "" if none is active
    has_stack: bool | None = None  # of the name of the new deployment
    remarks: list[str] = field(default_factory=list)

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that SES has verified for sending."""
        return tuple(sorted(name for name in self.identities or () if "@" not in name))


def look_into_account(
    region: str | None,
    stack: str,
    *,
    session: Callable[[], Session] = Session,
    look_up: Callable[[str], tuple[Mx, ...]] = look_up_mx,
) -> KnownAccount:
    """Return what is known of the account, and of the stack that is to be deployed into it.

    `region` None is that of environment or profile.
    """
    known = KnownAccount(region=region)
    try:
        opened = session()
    except BotoCoreError as error:  # a profile that does not exist
        known.remarks.append(f"not looked up in AWS: {error}")
        return known
    known.region = region or opened.region_name
    if not known.region:
        known.remarks.append("not looked up in AWS: found no region, expected --region REGION")
        return known
    if not is_region(known.region):
        known.remarks.append(
            f"not looked up in AWS: found region {known.region!r} in its configuration, "
            "expected one such as eu-west-1"
        )
        known.region = None
        return known
    _ask(Account(opened, known.region), known, stack)
    if len(known.domains) > 1:
        known.receiving = tuple(_receiving(known, look_up))
    return known


def is_region(text: str) -> bool:
    """Tell whether a text looks like the name of a region, and can stand in a command."""
    return _REGION.fullmatch(text) is not None


def _ask(account: Account, known: KnownAccount, stack: str) -> None:
    """Ask one thing after the other; each that is refused leaves the others as they are."""
    for question in (_who, _identities, _rule_set, partial(_stack, name=stack)):
        try:
            question(account, known)
        except UnavailableError as error:
            known.remarks.append(f"not looked up in AWS: {error}: {error.next_step}")
            if error.hopeless or error.unreachable:
                return


def _who(account: Account, known: KnownAccount) -> None:
    known.account = account.ask("sts", "get_caller_identity").get("Account")


def _identities(account: Account, known: KnownAccount) -> None:
    found = account.pages("sesv2", "list_email_identities", "EmailIdentities")
    known.identities = frozenset(each["IdentityName"].lower() for each in found if _may_send(each))


def _may_send(identity: dict[str, Any]) -> bool:
    return bool(identity.get("VerificationStatus", "SUCCESS") == "SUCCESS")


def _rule_set(account: Account, known: KnownAccount) -> None:
    active = account.ask("ses", "describe_active_receipt_rule_set").get("Metadata", {})
    known.rule_set = active.get("Name", "")


def _stack(account: Account, known: KnownAccount, *, name: str) -> None:
    known.has_stack = not Stack(name=name, status=stack_status(account, name)).absent


def _receiving(known: KnownAccount, look_up: Callable[[str], tuple[Mx, ...]]) -> Iterator[str]:
    """Yield the verified domains whose mail goes to SES in this region."""
    inbound = f"inbound-smtp.{known.region}.amazonaws.com"
    for domain in known.domains[:_MOST_LOOKED_UP]:
        try:
            hosts = [mx.host.lower() for mx in look_up(domain)]
        except LookUpError as error:
            if error.everywhere:
                return
            continue
        if inbound in hosts:
            yield domain
