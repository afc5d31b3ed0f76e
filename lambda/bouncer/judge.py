"""From a message to what is to be done: decisions, disposition, guard and jobs, as one value.

The same function serves the intake, replay and tests; it does nothing itself. A rejected recipient
whose bounce is withheld is still rejected.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum
from itertools import groupby

from bouncer import guard
from bouncer.jobs.job import MOST_RECIPIENTS, DsnFields, Job, Refusal
from bouncer.jobs.reference import reference
from bouncer.mail.address import domain
from bouncer.mail.message import Message
from bouncer.mail.text import ascii_text, printable
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.rules.rejection import DIAGNOSTIC_LIMIT, MESSAGE_LIMIT, BounceType, Dsn, Rejection
from bouncer.rules.rule import Action, Mode, Rule
from bouncer.rules.ruleset import Decision, Ruleset

_DEFAULT_DIAGNOSTIC = "Message rejected"
_SUBJECT_LIMIT = 150
_ADDRESS_LIMIT = 254
_NAMED_RECIPIENTS = 5
_LEAST_ROOM = 40  # characters worth beginning another message in


class Disposition(StrEnum):
    """What the intake answers SES (SES Developer Guide, "Lambda function action")."""

    CONTINUE = "CONTINUE"
    STOP_RULE_SET = "STOP_RULE_SET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All there is to say about one mail; `withheld` has a reason per recipient not answered."""

    message: Message
    decisions: tuple[Decision, ...]
    disposition: Disposition
    withheld: Mapping[str, Reason]
    jobs: tuple[Job, ...]


def judge(message: Message, ruleset: Ruleset, settings: Settings, *, now: datetime) -> Judgement:
    """Decide about every recipient; `now` is the time of receipt for a mail without one.

    In mode shadow the decisions and what the guard says of them are for the record only.
    """
    decisions = () if settings.mode is Mode.OFF else ruleset.decisions(message)
    withheld, answered = _guarded(message, decisions, settings)
    acting = settings.mode is Mode.ENFORCE
    return Judgement(
        message=message,
        decisions=decisions,
        disposition=_disposition(decisions) if acting else Disposition.CONTINUE,
        withheld=withheld,
        jobs=tuple(_jobs(message, answered, settings, now)) if acting else (),
    )


def _disposition(decisions: tuple[Decision, ...]) -> Disposition:
    stopped = bool(decisions) and all(map(_stops, decisions))
    return Disposition.STOP_RULE_SET if stopped else Disposition.CONTINUE


def _stops(decision: Decision) -> bool:
    if decision.rule is None or decision.rule.action is Action.ACCEPT:
        return False
    return decision.rule.rejection is None or not decision.rule.rejection.keep_copy


def guard_context(
    message: Message, rule: Rule | None, recipient: str, settings: Settings
) -> guard.Context:
    """What the guard must know to judge one recipient rejected by this rule."""
    rejection = rule.rejection if rule else None
    senders = {bounce_sender(recipient, rejection, settings), settings.bounce_sender or ""}
    return guard.Context(
        recipient=recipient,
        bounce_senders=senders - {""},
        own_domains=(*map(domain, message.recipients), *settings.own_domains),
        answer=settings.answer | (rejection.answer if rejection else frozenset()),
    )


def bounce_sender(recipient: str, rejection: Rejection | None, settings: Settings) -> str:
    """The bounce's sender: the rule's, else the settings', else the recipient's mail system."""
    named = (rejection.sender if rejection else None) or settings.bounce_sender
    return named or f"mailer-daemon@{domain(recipient)}"


def _guarded(
    message: Message, decisions: Iterable[Decision], settings: Settings
) -> tuple[dict[str, Reason], list[Decision]]:
    withheld: dict[str, Reason] = {}
    answered: list[Decision] = []
    for decision in decisions:
        if decision.action is Action.REJECT:
            context = guard_context(message, decision.rule, decision.recipient, settings)
            reason = guard.withheld(message, context)
            if reason:
                withheld[decision.recipient] = reason
            else:
                answered.append(decision)
    return withheld, answered


def _jobs(
    message: Message, answered: list[Decision], settings: Settings, now: datetime
) -> Iterable[Job]:
    """One job for the mail; more only beyond the most recipients one bounce may have."""
    for start in range(0, len(answered), MOST_RECIPIENTS):
        yield _job(message, answered[start : start + MOST_RECIPIENTS], settings, now)


def _job(message: Message, answered: list[Decision], settings: Settings, now: datetime) -> Job:
    received_at = message.received_at or now
    mark = reference(message.message_id, (decision.recipient for decision in answered))
    texts = _Texts(message, settings, received_at, mark)
    rejections = [(decision, decision.rule.rejection) for decision in answered if decision.rule]
    first = rejections[0][1]
    fields: dict[str, str] = {}
    for _, rejection in rejections:
        for name, value in rejection.extension_fields if rejection else ():
            fields.setdefault(name, value)
    mta = next((r.reporting_mta for _, r in rejections if r and r.reporting_mta), None)
    return Job(
        message_id=message.message_id,
        received_at=received_at,
        reference=mark,
        sender=message.sender,
        bounce_sender=bounce_sender(answered[0].recipient, first, settings),
        bounce_sender_arn=first.sender_arn if first else None,
        messages=tuple(texts.messages(answered)),
        reporting_mta=mta or settings.reporting_mta or _ses_host(settings),
        extension_fields=tuple(fields.items()),
        refusals=tuple(texts.refusal(decision) for decision in answered),
    )


def _ses_host(settings: Settings) -> str:
    return f"dns; inbound-smtp.{settings.region}.amazonaws.com"  # the default SES documents


class _Texts:
    """Fills in the texts of a bounce; what comes from the mail is cleaned and cut first."""

    def __init__(
        self, message: Message, settings: Settings, received_at: datetime, mark: str
    ) -> None:
        self._received_at = received_at
        self._ascii = settings.ascii_only
        self._values = {
            "sender": printable(message.sender, _ADDRESS_LIMIT),
            "subject": printable(next(iter(message.subject), ""), _SUBJECT_LIMIT),
            "date": format_datetime(received_at),
            "reference": mark,
        }

    def messages(self, answered: list[Decision]) -> Iterable[tuple[str, str]]:
        """Each rule's message, naming all recipients it rejected; cut where they get too long."""
        room = MESSAGE_LIMIT
        for name, group in groupby(sorted(answered, key=_rule_name), key=_rule_name):
            decisions = list(group)
            rejection = decisions[0].rule and decisions[0].rule.rejection
            if rejection and rejection.message:
                values = self._for(_listed([d.recipient for d in decisions]), name)
                text = self._clean(rejection.message.render(values), room)
                if text.strip():
                    yield name, text
                    room -= len(text) + 1
            if room < _LEAST_ROOM:
                return

    def refusal(self, decision: Decision) -> Refusal:
        """The part of the bounce about one recipient."""
        rejection = decision.rule.rejection if decision.rule else None
        reason = rejection.reason if rejection else BounceType.UNDEFINED
        return Refusal(
            recipient=decision.recipient,
            rule=_rule_name(decision),
            recipient_arn=rejection.recipient_arn if rejection else None,
            bounce_type=None if isinstance(reason, Dsn) else str(reason),
            dsn=self._dsn(decision, reason, rejection) if isinstance(reason, Dsn) else None,
        )

    def _dsn(self, decision: Decision, dsn: Dsn, rejection: Rejection | None) -> DsnFields:
        template = dsn.diagnostic or (rejection.message if rejection else None)
        values = self._for(decision.recipient, _rule_name(decision))
        text = template.render(values) if template else _DEFAULT_DIAGNOSTIC
        line = ascii_text(printable(text, DIAGNOSTIC_LIMIT)) or _DEFAULT_DIAGNOSTIC
        return DsnFields(
            action=dsn.action,
            status=dsn.status,
            diagnostic_code=f"smtp; {dsn.smtp_code} {dsn.status} {line}",
            final_recipient=dsn.final_recipient,
            remote_mta=dsn.remote_mta,
            last_attempt_date=self._received_at.isoformat() if dsn.last_attempt_date else None,
            extension_fields=dsn.extension_fields,
        )

    def _for(self, recipient: str, rule: str) -> dict[str, str]:
        return {**self._values, "recipient": printable(recipient, 2000), "rule": rule}

    def _clean(self, text: str, limit: int) -> str:
        line = printable(text, limit)
        return printable(ascii_text(line), limit) if self._ascii else line


def _rule_name(decision: Decision) -> str:
    return decision.rule.name if decision.rule else ""


def _listed(recipients: list[str]) -> str:
    shown = [printable(recipient, _ADDRESS_LIMIT) for recipient in recipients[:_NAMED_RECIPIENTS]]
    more = len(recipients) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
