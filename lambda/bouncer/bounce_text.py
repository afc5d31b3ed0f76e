"""Words a bounce: fills the texts of rules in for the recipients of one mail.

Text that comes from the mail is cleaned and cut before it is filled in. Nothing here decides.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from itertools import groupby

from bouncer.jobs.job import DsnFields, Refusal
from bouncer.mail.ascii_text import ascii_text
from bouncer.mail.message import Message
from bouncer.mail.text import printable
from bouncer.rules.rejection import DIAGNOSTIC_LIMIT, MESSAGE_LIMIT, BounceType, Dsn, Rejection
from bouncer.rules.ruleset import Decision

_DEFAULT_DIAGNOSTIC = "Message rejected"
_SUBJECT_LIMIT = 150
_ADDRESS_LIMIT = 254
_NAMED_RECIPIENTS = 5
_LEAST_ROOM = 40  # characters; a message is not begun in less


Columns = tuple[tuple[str, str], ...]


class BounceTexts:
    """The texts of the bounce of one mail; `reference` is the bounce's own.

    `columns` returns the values of a decision's placeholders that stand for columns of lists.
    """

    def __init__(
        self,
        message: Message,
        received_at: datetime,
        reference: str,
        *,
        ascii_only: bool,
        columns: Callable[[Decision], Mapping[str, str]] = lambda _: {},
    ) -> None:
        self._columns = columns
        self._received_at = received_at
        self._ascii = ascii_only
        self._values = {
            "sender": printable(message.sender, _ADDRESS_LIMIT),
            "subject": printable(next(iter(message.subject), ""), _SUBJECT_LIMIT),
            "date": format_datetime(received_at),
            "reference": reference,
        }

    def messages(self, answered: list[Decision]) -> Iterable[tuple[str, str]]:
        """Yield rule names and messages, each naming the recipients that get the same text.

        All messages together keep to the limit of one: the last is cut, further ones are left out.
        """
        room = MESSAGE_LIMIT
        for (name, columns), group in groupby(sorted(answered, key=self._text), key=self._text):
            decisions = list(group)
            rejection = decisions[0].rule and decisions[0].rule.rejection
            if rejection and rejection.message:
                values = self._for(_listed([d.recipient for d in decisions]), name, columns)
                text = self._clean(rejection.message.render(values), room)
                if text.strip():
                    yield name, text
                    room -= len(text) + 1
            if room < _LEAST_ROOM:
                return

    def refusal(self, decision: Decision) -> Refusal:
        """Return the part of the bounce about one recipient."""
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
        values = self._for(decision.recipient, *self._text(decision))
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

    def _text(self, decision: Decision) -> tuple[str, Columns]:
        """Return the name of the rule, and what its texts show from lists for this recipient."""
        return _rule_name(decision), tuple(self._columns(decision).items())

    def _for(self, recipient: str, rule: str, columns: Columns) -> dict[str, str]:
        mine = {"recipient": printable(recipient, 2000), "rule": rule}
        return {**dict(columns), **self._values, **mine}

    def _clean(self, text: str, limit: int) -> str:
        line = printable(text, limit)
        return printable(ascii_text(line), limit) if self._ascii else line


def _rule_name(decision: Decision) -> str:
    return decision.rule.name if decision.rule else ""


def _listed(recipients: list[str]) -> str:
    shown = [printable(recipient, _ADDRESS_LIMIT) for recipient in recipients[:_NAMED_RECIPIENTS]]
    more = len(recipients) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
