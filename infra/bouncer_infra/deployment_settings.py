"""The settings of a deployment, and the words AWS has for them; `settings_reader` reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bouncer.mail.address import mailbox_address

DEFAULT_NAME = "main"

# SES, event types of an event destination. To see the last two, SES puts an image and its own links
# into every mail of the identity: they must be asked for.
UNOBTRUSIVE_EVENTS = (
    "send",
    "reject",
    "bounce",
    "complaint",
    "delivery",
    "renderingFailure",
    "deliveryDelay",
    "subscription",
)
EVENTS = (*UNOBTRUSIVE_EVENTS, "open", "click")

# CloudWatch Logs, retention of a log group in days, by CDK's names.
LOG_DAYS = {
    1: "ONE_DAY",
    3: "THREE_DAYS",
    5: "FIVE_DAYS",
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    60: "TWO_MONTHS",
    90: "THREE_MONTHS",
    120: "FOUR_MONTHS",
    150: "FIVE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    400: "THIRTEEN_MONTHS",
    545: "EIGHTEEN_MONTHS",
    731: "TWO_YEARS",
    1096: "THREE_YEARS",
    1827: "FIVE_YEARS",
    2192: "SIX_YEARS",
    2557: "SEVEN_YEARS",
    2922: "EIGHT_YEARS",
    3288: "NINE_YEARS",
    3653: "TEN_YEARS",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailStore:
    """Received mail is kept in a bucket below `prefix` for so many days."""

    prefix: str = "mail/"
    days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class IpFilter:
    """A network SES refuses connections from, or lets in though another filter refuses it."""

    cidr: str
    allow: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One deployment; docs/deploy.md tells what each key is for."""

    name: str = DEFAULT_NAME
    recipients: tuple[str, ...]
    bounce_sender: str
    further_senders: tuple[str, ...] = ()
    identity: str = ""
    prefix: str = ""
    rule_set: str = "default-rule-set"
    create_rule_set: bool = False
    activate_rule_set: bool = False
    after: str | None = None
    invocation: str = "request_response"
    scan: bool = True
    require_tls: bool = False
    store: MailStore | None = None
    ip_filters: tuple[IpFilter, ...] = ()
    architecture: str = "arm64"
    log_days: int = 90
    create_identity: bool = False
    attach_configuration_set: bool | None = None
    events: tuple[str, ...] = UNOBTRUSIVE_EVENTS
    archive_days: int = 400
    ledger_recovery: bool = False
    alarm_email: str | None = None
    runtime: Mapping[str, Any]

    @property
    def rule_name(self) -> str:
        """The receipt rule's name: SES needs it in the permission before the rule exists."""
        return f"ses-auto-bouncer-{self.name}"

    @property
    def attaches(self) -> bool:
        """Whether our configuration set becomes the identity's default; None is yes, unasked."""
        return self.attach_configuration_set is not False

    @property
    def sender_addresses(self) -> tuple[str, ...]:
        """The bare addresses bounces may come from."""
        return tuple(map(mailbox_address, (self.bounce_sender, *self.further_senders)))
