"""The answer a rejected sender gets: the `reject` part of a rule, its codes and its texts.

A rejection holds everything SendBounce can carry for a rule; `rejection_reader` reads it from a
document, `job` builds the call. Codes follow RFC 3463 and RFC 5321; presets are those of SES's
bounce templates (SES Developer Guide, "Bounce action").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

PLACEHOLDERS = ("recipient", "sender", "subject", "date", "rule", "reference")
ACTIONS = {"failed": "45", "delayed": "4", "delivered": "2", "relayed": "2", "expanded": "2"}

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

MESSAGE_LIMIT = 2000  # characters of a rendered message; SES documents no limit
DIAGNOSTIC_LIMIT = 500
REFERENCE_FIELD = "X-Bouncer-Reference"
FIELD_VALUE = r"[ -~]{1,2048}"  # of an extension field


class BounceType(StrEnum):
    """The six types of bounce that SES has presets for."""

    DOES_NOT_EXIST = "DoesNotExist"
    MESSAGE_TOO_LARGE = "MessageTooLarge"
    EXCEEDED_QUOTA = "ExceededQuota"
    CONTENT_REJECTED = "ContentRejected"
    UNDEFINED = "Undefined"
    TEMPORARY_FAILURE = "TemporaryFailure"


# SMTP reply code and enhanced status of each preset, as SES's bounce templates have them.
PRESETS: Mapping[BounceType, tuple[int, str]] = {
    BounceType.DOES_NOT_EXIST: (550, "5.1.1"),
    BounceType.MESSAGE_TOO_LARGE: (552, "5.3.4"),
    BounceType.EXCEEDED_QUOTA: (552, "5.2.2"),
    BounceType.CONTENT_REJECTED: (500, "5.6.1"),
    BounceType.UNDEFINED: (554, "5.0.0"),
    BounceType.TEMPORARY_FAILURE: (450, "4.0.0"),
}


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders such as `{recipient}`."""

    text: str

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """The list and the column of each placeholder such as `{departed.successor}`."""
        names = _PLACEHOLDER.findall(self.text)
        pairs = (name.partition(".") for name in names)
        return tuple((name, column) for name, dot, column in pairs if dot)

    def render(self, values: Mapping[str, str]) -> str:
        """Return the text with every placeholder replaced; `values` has one for each."""
        return _PLACEHOLDER.sub(lambda found: values[found[1]], self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dsn:
    """The delivery status fields of a rule that names its own `status` (RFC 3464 section 2.3)."""

    status: str
    smtp_code: int
    action: str
    diagnostic: Template | None
    remote_mta: str | None
    final_recipient: str | None
    last_attempt_date: bool
    extension_fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """The refusal of a mail: a type of SES or a status of our own, texts, the rest of the call."""

    reason: BounceType | Dsn
    message: Template | None
    keep_copy: bool
    answer: frozenset[str]
    sender: str | None
    sender_arn: str | None
    recipient_arn: str | None
    reporting_mta: str | None
    extension_fields: tuple[tuple[str, str], ...]

    @property
    def texts(self) -> Mapping[str, Template]:
        """The texts of the rule, each by its key."""
        diagnostic = self.reason.diagnostic if isinstance(self.reason, Dsn) else None
        found = {"message": self.message, "diagnostic": diagnostic}
        return {key: template for key, template in found.items() if template}
