"""A scenario: all that happens to a deployment from outside, and all that goes wrong.

Steps and incidents are plain lists of values. A scenario is drawn from a seed or written by hand;
a shorter one is the same with some of them left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bouncer.sending.bounce_event import Kind
from bouncer.sources.source import LISTS, RULES
from bouncer_sim.world.incident import Incident
from bouncer_sim.world.wire import Latency

START = 1_793_606_400.0  # 2026-11-02 08:00 UTC
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S

DOMAIN = "example.com"
LIST = "listed"
ON_LIST, OFF_LIST = "050-on-list", "060-off-list"  # rules that stop mail by it
NAMING = "070-naming"  # a rule that stops mail for the people it names
SENDER = "eve@partner.example"

LATENCIES: Mapping[str, Latency] = {
    "dynamodb": Latency(least_s=0.002, most_s=0.008),
    "queue": Latency(least_s=0.004, most_s=0.012),
    "events": Latency(least_s=0.004, most_s=0.012),
    "dead_letters": Latency(least_s=0.004, most_s=0.012),
    "replies": Latency(least_s=0.004, most_s=0.012),
    "dead_replies": Latency(least_s=0.004, most_s=0.012),
    "mail": Latency(least_s=0.02, most_s=0.04),
    "ssm": Latency(least_s=0.005, most_s=0.02),
    "s3": Latency(least_s=0.005, most_s=0.02),
    "mails": Latency(least_s=0.01, most_s=0.06),
    "ses": Latency(least_s=0.02, most_s=0.04),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailArrives:
    """SES receives a mail `at` seconds from the beginning and asks the intake about it.

    `repeats` is how often SES asks again, although it has an answer. `headers` are the mark of a
    machine; `vouched` is False of a mail that fails SPF and DMARC.
    """

    at: float
    message_id: str
    recipients: tuple[str, ...]
    sender: str = SENDER
    repeats: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    vouched: bool = True

    @property
    def may_be_answered(self) -> bool:
        """False of a mail that is forged, comes from a machine, or has no sender."""
        return bool(self.sender) and self.vouched and not self.headers

    def __str__(self) -> str:
        kind = "mail" if self.may_be_answered else "unanswerable mail"
        return f"{kind} {self.message_id} for {_counted(self.recipients)} arrives"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWaits:
    """A job stands in the queue `at` seconds from the beginning, for a mail `age_s` seconds old.

    `deadly` is a job that ends the process which reads it, `sender_verified` whether SES knows
    the bounce's sender.
    """

    at: float
    message_id: str
    recipients: tuple[str, ...]
    sender: str = SENDER
    age_s: float = 0.0
    deadly: bool = False
    sender_verified: bool = True

    def __str__(self) -> str:
        kind = "deadly job" if self.deadly else "job"
        age = f", {self.age_s / HOUR_S:.2f} h old" if self.age_s else ""
        return f"{kind} {self.message_id} for {_counted(self.recipients)} waits{age}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyWaits:
    """A reply stands in its queue `at` seconds from the beginning, for a mail `age_s` seconds old.

    The mail was queued as `copies` messages; `verified` says whether SES knows the reply's sender.
    """

    at: float
    message_id: str
    sender: str
    rule: str
    once_per_s: int
    age_s: float = 0.0
    copies: int = 1
    verified: bool = True

    def __str__(self) -> str:
        age = f", {self.age_s / HOUR_S:.2f} h old" if self.age_s else ""
        return f"reply {self.message_id} of {self.rule} to {self.sender} waits{age}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OddBody:
    """A message that is not a job of this version stands in the queue."""

    at: float
    name: str
    body: str

    def __str__(self) -> str:
        return f"the queue gets the odd body {self.body[:30]!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterChanges:
    """An operator puts a parameter below the prefix, or deletes it if `text` is not given."""

    at: float
    name: str
    text: str | None

    def __str__(self) -> str:
        return f"parameter {self.name} becomes {self.text!r:.50}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentChanges:
    """An operator uploads or deletes objects, then writes a document, or deletes it without `text`.

    `people` are named by it from then on, or None for a document that must be refused.
    """

    at: float
    name: str
    text: str | None
    people: frozenset[str] | None
    objects: tuple[tuple[str, bytes | None], ...] = ()

    def __str__(self) -> str:
        kind = "refused" if self.people is None else ", ".join(sorted(self.people))
        return f"{self.name} becomes {self.text!r:.50} ({kind})"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherEvent:
    """SES publishes what became of a mail from `source` that was not a bounce of ours."""

    at: float
    mail_id: str
    kind: Kind
    source: str

    def __str__(self) -> str:
        return f"SES publishes: {self.mail_id} from {self.source}, {self.kind}"


NAMED_BY = {ON_LIST: f"{LISTS}{LIST}", NAMING: f"{RULES}{NAMING}"}  # the document with the people

RULE_OF_JOBS = "r"  # the rule that refused the mail of a job that waits

Step = (
    MailArrives | JobWaits | ReplyWaits | OddBody | ParameterChanges | DocumentChanges | OtherEvent
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceFate:
    """SES publishes what became of the `nth` bounce that it accepts, from 1, `after_s` later."""

    nth: int
    kind: Kind
    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Steps and incidents; `skews` are the clock errors of new environments, in turn (seconds).

    `fates` are the events about our bounces. `expiry_margin_s` and `rate` are the operator's
    settings, `random_seed` decides about latencies. `at_most` bounces an hour is the limit of each
    rule; without any at 0. With `stores`, SES stores each mail before it asks the intake.
    """

    name: str
    steps: tuple[Step, ...]
    incidents: tuple[Incident, ...] = ()
    skews: tuple[float, ...] = ()
    fates: tuple[BounceFate, ...] = ()
    ses_latency: Latency = LATENCIES["ses"]
    random_seed: int = 0
    expiry_margin_s: int = 600
    rate: float = 1.0
    at_most: int = 0
    stores: bool = False


def settings_document(expiry_margin_s: int, rate: float, *, sending: str = "on") -> str:
    """Return the document `settings`; `sending` is `on` or `paused`."""
    return f"sending: {sending}\nexpiry_margin: {expiry_margin_s}\nrate: {rate}"


def _counted(recipients: tuple[str, ...]) -> str:
    return recipients[0][:30] if len(recipients) == 1 else f"{len(recipients)} recipients"
