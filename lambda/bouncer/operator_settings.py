"""The operator's settings for a whole deployment; `settings_reader` reads them from a document.

Durations are whole seconds.
"""

from dataclasses import dataclass

from bouncer.breaker import DEFAULT_PERCENT
from bouncer.caps import DEFAULT_CAPS, Caps
from bouncer.journal_address import IN_FULL, AddressForm
from bouncer.rules.rule import Mode

MOST_SUPPRESSION_DAYS = 30  # the ledger keeps no sender as suppressed for longer


def ses_reporting_mta(region: str) -> str:
    """Return the reporting MTA that SES documents as its default (SendBounce, MessageDsn)."""
    return f"dns; inbound-smtp.{region}.amazonaws.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator may set; see docs/rules.md for the meaning of each.

    The recipients' domains are own domains always, beside `own_domains`. `rate` is in SendBounce
    calls a second. `senders` are the bare addresses, in lower case, that the deployment may bounce
    from, and no document can change them; without any, IAM alone decides. `reply_senders` are those
    of replies, None if they are not known. With 0 `suppression_days` nobody is suppressed; without
    `breaker_percent` nothing trips the breaker. Without `store` no mail has a stored copy.
    """

    mode: Mode = Mode.ENFORCE
    sending: bool = True
    rate: float = 1.0
    bounce_sender: str | None = None
    reporting_mta: str = ses_reporting_mta("us-east-1")
    answer: frozenset[str] = frozenset()
    own_domains: tuple[str, ...] = ()
    expiry_margin_s: int = 600
    cache_s: int = 60
    ascii_only: bool = True
    addresses: AddressForm = IN_FULL
    caps: Caps = DEFAULT_CAPS
    senders: frozenset[str] = frozenset()
    reply_senders: frozenset[str] | None = None
    suppression_days: int = MOST_SUPPRESSION_DAYS
    breaker_percent: int | None = DEFAULT_PERCENT
    store: bool = True
