"""Settings of which SES has only one, and which a stack may take over while it exists.

A region has one active receipt rule set, an identity one default configuration set. A value that
somebody else set is never changed. Taking the setting is then refused with one sentence; giving it
up does nothing. SES has no conditional write, so a setting that somebody changes between our
reading and our writing is not noticed.
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


class SettingError(BouncerError):
    """A setting can't be held or given up; CloudFormation shows the text to the operator."""


class SettingKind(StrEnum):
    """The setting that a custom resource holds; its property `Kind`."""

    ACTIVE_RULE_SET = "ActiveRuleSet"
    DEFAULT_CONFIGURATION_SET = "DefaultConfigurationSet"

    @property
    def resource_type(self) -> str:
        """The type of its custom resource in a template."""
        return f"Custom::{self}"


# The properties of a custom resource.
KIND, RULE_SET = "Kind", "RuleSetName"
IDENTITY, CONFIGURATION_SET = "EmailIdentity", "ConfigurationSetName"


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredSetting:
    """The properties of a custom resource: this name in that setting.

    The active rule set, which is the region's, has no `identity`.
    """

    kind: SettingKind
    identity: str | None
    name: str

    def same_setting(self, other: "DesiredSetting | None") -> bool:
        """Tell whether both are about the same setting, whatever its value."""
        return other is not None and self.kind is other.kind and (self.identity == other.identity)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentValue:
    """The value of a setting; `obstacle` is a sentence why it can't be set to any value now."""

    name: str | None
    obstacle: str | None = None


class Step(StrEnum):
    """The change that a setting needs."""

    LEAVE = "leave"
    SET = "set"
    CLEAR = "clear"
    REFUSE = "refuse"


def read_desired_setting(properties: Mapping[str, Any]) -> DesiredSetting:
    """Read the properties of a custom resource; raises `SettingError` naming the key."""
    kind = SettingKind(_word(properties, KIND, tuple(map(str, SettingKind))))
    identity = None
    if kind is SettingKind.DEFAULT_CONFIGURATION_SET:
        identity = _word(properties, IDENTITY)
    return DesiredSetting(kind=kind, identity=identity, name=_word(properties, _NAME_KEYS[kind]))


def _word(properties: Mapping[str, Any], key: str, words: tuple[str, ...] = ()) -> str:
    value = properties.get(key)
    if isinstance(value, str) and value and (not words or value in words):
        return value
    expected = f"one of {', '.join(words)}" if words else "a name"
    raise SettingError(f"resource properties: {key}: found {value!r}, expected {expected}")


def step_to_hold(
    current: CurrentValue, desired: DesiredSetting, before: DesiredSetting | None
) -> Step:
    """Return the step after which a setting is ours; `before` is the one we held until now.

    A setting that is ours already stays as it is, even if it could not be taken today.
    """
    if current.name == desired.name:
        return Step.LEAVE
    if current.obstacle:
        return Step.REFUSE
    ours_before = before.name if before and desired.same_setting(before) else None
    return Step.SET if current.name in (None, ours_before) else Step.REFUSE


def step_to_give_up(current: CurrentValue, desired: DesiredSetting) -> Step:
    """Return the step that gives a setting up: `LEAVE`, if it has another value by now."""
    return Step.CLEAR if current.name == desired.name else Step.LEAVE


class ExclusiveSetting(Protocol):
    """One setting in SES; `place` begins its sentences, `remedy` ends one that refuses."""

    place: str
    remedy: str

    def read(self) -> CurrentValue:
        """Return its value."""

    def write(self, name: str | None) -> None:
        """Set it to a name, or clear it with None."""


class ActiveRuleSet:
    """The receipt rule set that is active in this account and region."""

    place = "active receipt rule set"
    remedy = "move its rules or deactivate it yourself, then deploy again"

    def __init__(self, client: "SESClient") -> None:
        self._client = client

    def read(self) -> CurrentValue:
        """Return the name of the active set; without one, SES leaves the metadata out."""
        answer = self._client.describe_active_receipt_rule_set()
        return CurrentValue(name=answer.get("Metadata", {}).get("Name"))

    def write(self, name: str | None) -> None:
        """Activate a set; with None the region receives no mail (SES API reference)."""
        if name is None:
            self._client.set_active_receipt_rule_set()
        else:
            self._client.set_active_receipt_rule_set(RuleSetName=name)


class DefaultConfigurationSet:
    """The configuration set of all mail from an identity."""

    remedy = (
        "take it off yourself, verify the sender's own address and name that as identity, or leave "
        "this one alone (attach_configuration_set: false, or no identity in configuration_sets), "
        "then deploy again"
    )

    def __init__(self, client: "SESV2Client", identity: str) -> None:
        self._client = client
        self._identity = identity
        self.place = f"default configuration set of {identity}"

    def read(self) -> CurrentValue:
        """Return the identity's set; an identity that is missing or not verified is an obstacle."""
        try:
            answer = self._client.get_email_identity(EmailIdentity=self._identity)
        except self._client.exceptions.NotFoundException:
            return CurrentValue(name=None, obstacle=self._expected_verified("no such identity"))
        verified = answer.get("VerifiedForSendingStatus", False)
        return CurrentValue(
            name=answer.get("ConfigurationSetName"),
            obstacle=None if verified else self._expected_verified("an identity not yet verified"),
        )

    def _expected_verified(self, found: str) -> str:
        return (
            f"{self.place}: found {found}, expected one that SES has verified in this region; "
            "verify it, then deploy again"
        )

    def write(self, name: str | None) -> None:
        """Attach a set, or take it off with None; an identity that is gone by then has none."""
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
