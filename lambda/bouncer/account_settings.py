"""The Lambda function behind two custom resources: switches SES has one of, taken only when free.

A region has one active receipt rule set, an identity one default configuration set. A stack may
hold such a switch, but what somebody else set is never changed: holding is refused in one sentence,
and giving up leaves alone what is no longer ours. SES has no conditional write, so a switch that
somebody flips between our reading and our writing is not noticed.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bouncer.errors import BouncerError

if TYPE_CHECKING:
    from mypy_boto3_ses import SESClient
    from mypy_boto3_sesv2 import SESV2Client

T = TypeVar("T")

# Describing and setting the active rule set is limited to one call a second (SES API reference).
CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 8})

# IAM: a new policy takes seconds to be known everywhere; ours may be as new as the deployment.
_DENIED = {"AccessDenied", "AccessDeniedException"}
_DENIED_TRIES = 7
_DENIED_PAUSE_S = 5

_NAME_KEYS = {"ActiveRuleSet": "RuleSetName", "DefaultConfigurationSet": "ConfigurationSetName"}


class SwitchError(BouncerError):
    """A switch can't be held or given up; CloudFormation shows the text to the operator."""


class Kind(StrEnum):
    """Which switch a custom resource holds; its property `Kind`."""

    ACTIVE_RULE_SET = "ActiveRuleSet"
    DEFAULT_CONFIGURATION_SET = "DefaultConfigurationSet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a custom resource's properties ask for: this name in that switch."""

    kind: Kind
    identity: str | None
    name: str

    def same_switch(self, other: "Wish | None") -> bool:
        """Whether both are about the same switch, whatever it is set to."""
        return other is not None and self.kind is other.kind and (self.identity == other.identity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a switch is set to; `obstacle` is a sentence why it can't be set to anything now."""

    name: str | None
    obstacle: str | None = None


class Step(StrEnum):
    """What is to be done with a switch."""

    LEAVE = "leave"
    SET = "set"
    CLEAR = "clear"
    REFUSE = "refuse"


def read_wish(properties: Mapping[str, Any]) -> Wish:
    """The wish in a custom resource's properties; raises `SwitchError` naming the key."""
    kind = Kind(_word(properties, "Kind", tuple(map(str, Kind))))
    identity = None
    if kind is Kind.DEFAULT_CONFIGURATION_SET:
        identity = _word(properties, "EmailIdentity")
    return Wish(kind=kind, identity=identity, name=_word(properties, _NAME_KEYS[kind]))


def _word(properties: Mapping[str, Any], key: str, words: tuple[str, ...] = ()) -> str:
    value = properties.get(key)
    if isinstance(value, str) and value and (not words or value in words):
        return value
    expected = f"one of {', '.join(words)}" if words else "a name"
    raise SwitchError(f"resource properties: {key}: found {value!r}, expected {expected}")


def to_hold(found: Found, wish: Wish, before: Wish | None) -> Step:
    """The step after which a switch is ours; `before` is what we wished until now.

    What is ours already stays as it is, even where it could not be taken today.
    """
    if found.name == wish.name:
        return Step.LEAVE
    if found.obstacle:
        return Step.REFUSE
    ours_before = before.name if before and wish.same_switch(before) else None
    return Step.SET if found.name in (None, ours_before) else Step.REFUSE


def to_give_up(found: Found, wish: Wish) -> Step:
    """The step after which a switch is not ours: none, if it no longer is."""
    return Step.CLEAR if found.name == wish.name else Step.LEAVE


class Switch(Protocol):
    """One switch in SES; `place` begins its sentences, `remedy` ends one that refuses."""

    place: str
    remedy: str

    def read(self) -> Found:
        """What it is set to."""

    def write(self, name: str | None) -> None:
        """Set it to a name, or to nothing."""


class ActiveRuleSet:
    """The receipt rule set that is active in this account and region."""

    place = "active receipt rule set"
    remedy = "move its rules or deactivate it yourself, then deploy again"

    def __init__(self, client: "SESClient") -> None:
        self._client = client

    def read(self) -> Found:
        """The name of the active set; SES leaves the metadata out when none is active."""
        answer = self._client.describe_active_receipt_rule_set()
        return Found(name=answer.get("Metadata", {}).get("Name"))

    def write(self, name: str | None) -> None:
        """Activate a set; with None the region receives no mail (SES API reference)."""
        if name is None:
            self._client.set_active_receipt_rule_set()
        else:
            self._client.set_active_receipt_rule_set(RuleSetName=name)


class DefaultConfigurationSet:
    """The configuration set of all mail from an identity."""

    remedy = (
        "take it off yourself, verify the sender's own address and name that as identity, or set "
        "attach_configuration_set: false, then deploy again"
    )

    def __init__(self, client: "SESV2Client", identity: str) -> None:
        self._client = client
        self._identity = identity
        self.place = f"default configuration set of {identity}"

    def read(self) -> Found:
        """The identity's set; an identity that is missing or not verified is an obstacle."""
        try:
            answer = self._client.get_email_identity(EmailIdentity=self._identity)
        except self._client.exceptions.NotFoundException:
            return Found(name=None, obstacle=self._expected_verified("no such identity"))
        verified = answer.get("VerifiedForSendingStatus", False)
        return Found(
            name=answer.get("ConfigurationSetName"),
            obstacle=None if verified else self._expected_verified("an identity not yet verified"),
        )

    def _expected_verified(self, found: str) -> str:
        return (
            f"{self.place}: found {found}, expected one that SES has verified in this region; "
            "verify it, then deploy again"
        )

    def write(self, name: str | None) -> None:
        """Attach a set, or none; an identity that is gone by then has none."""
        if name is not None:
            self._client.put_email_identity_configuration_set_attributes(
                EmailIdentity=self._identity, ConfigurationSetName=name
            )
            return
        try:
            self._client.put_email_identity_configuration_set_attributes(
                EmailIdentity=self._identity
            )
        except self._client.exceptions.NotFoundException:
            return


class Switches:
    """Carries out the events of custom resources; `sleep` waits for seconds."""

    def __init__(
        self,
        *,
        ses: Callable[[], "SESClient"],
        sesv2: Callable[[], "SESV2Client"],
        sleep: Callable[[float], None],
    ) -> None:
        self._ses = ses
        self._sesv2 = sesv2
        self._sleep = sleep

    def handle(self, event: Mapping[str, Any]) -> dict[str, str]:
        """The answer to CDK's provider framework; raises `SwitchError` with what to tell.

        The physical id never changes, so CloudFormation asks for a new name by an update, which
        knows the old one, and never by a deletion afterwards.
        """
        wish = read_wish(event["ResourceProperties"])
        if event["RequestType"] == "Delete":
            self._give_up(wish)
        else:
            old = event.get("OldResourceProperties")
            self._hold(wish, read_wish(old) if old else None)
        return {"PhysicalResourceId": event.get("PhysicalResourceId") or str(wish.kind)}

    def _hold(self, wish: Wish, before: Wish | None) -> None:
        """Take the new switch first; one we held before is given up only then."""
        switch = self._switch(wish)
        found = self._ask(switch, switch.read)
        step = to_hold(found, wish, before)
        if step is Step.REFUSE:
            taken = f'{switch.place}: found "{found.name}", expected none; {switch.remedy}'
            raise SwitchError(found.obstacle or taken)
        if step is Step.SET:
            self._ask(switch, lambda: switch.write(wish.name))
        # The same switch must not be read again: an answer a moment old would have us clear it.
        if before and not wish.same_switch(before):
            self._give_up(before)

    def _give_up(self, wish: Wish) -> None:
        switch = self._switch(wish)
        if to_give_up(self._ask(switch, switch.read), wish) is Step.CLEAR:
            self._ask(switch, lambda: switch.write(None))

    def _switch(self, wish: Wish) -> Switch:
        if wish.identity is None:
            return ActiveRuleSet(self._ses())
        return DefaultConfigurationSet(self._sesv2(), wish.identity)

    def _ask(self, switch: Switch, call: Callable[[], T]) -> T:
        """Ask SES, patient with a policy it does not know yet; raises only `SwitchError`."""
        for tries_left in reversed(range(_DENIED_TRIES)):
            try:
                return call()
            except ClientError as error:
                fault = error.response.get("Error", {})
                if fault.get("Code") not in _DENIED or not tries_left:
                    said = f"{fault.get('Code')}: {fault.get('Message')}"
                    raise SwitchError(f"{switch.place}: SES refused ({said})") from error
            except BotoCoreError as error:
                said = type(error).__name__
                raise SwitchError(f"{switch.place}: SES can't be reached ({said})") from error
            self._sleep(_DENIED_PAUSE_S)
        raise AssertionError  # the last try returns or raises


@cache
def _ses() -> "SESClient":
    return boto3.client("ses", config=CONFIG)


@cache
def _sesv2() -> "SESV2Client":
    return boto3.client("sesv2", config=CONFIG)


def handler(event: Mapping[str, Any], context: object) -> dict[str, str]:  # noqa: ARG001  # Lambda's
    """The Lambda entry point, called by CDK's provider framework."""
    return Switches(ses=_ses, sesv2=_sesv2, sleep=time.sleep).handle(event)
