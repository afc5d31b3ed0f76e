"""Settings of SES that can hold one value only, and that a stack may hold while it exists.

A region has one active receipt rule set, an identity one default configuration set. What somebody
else set is never changed: holding is refused in one sentence, and giving up leaves alone what is no
longer ours. SES has no conditional write, so a setting that somebody changes between our reading
and our writing is not noticed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from bouncer.errors import BouncerError

if TYPE_CHECKING:
    from mypy_boto3_ses import SESClient
    from mypy_boto3_sesv2 import SESV2Client

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
