"""Shows dead letters: a table for people, JSON lines for programs, and one of them as a whole."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bouncer.held import shown_time
from bouncer.jobs.job import Job
from bouncer.jobs.reply import Reply
from bouncer.mail.text import shown
from bouncer.sending.bounce_request import bounce_request
from bouncer.sending.reply_request import reply_request
from bouncer_cli.operations.dead_letter import DeadLetter

_LONGEST = 2000  # characters of a text out of a job
_UNREADABLE = "not a job"
_COLUMNS = ("REFERENCE", "AGE", "ENDS", "FROM", "TO", "RULE", "REASON")
_FIRM = ("REFERENCE", "AGE", "ENDS")  # of these nothing is cut


class DeadLetterReport:
    """Shows letters as they are at `now`; `margin` is the `expiry_margin` of the settings."""

    def __init__(
        self, console: Console, *, now: datetime, margin: timedelta, deployment: str
    ) -> None:
        self._console = console
        self._deployment = deployment
        self._now = now
        self._margin = margin

    def table(self, letters: Iterable[DeadLetter]) -> None:
        """Print one row for each; on a terminal it fits the width, in a pipe nothing is cut."""
        rows = [self._row(letter) for letter in letters]
        if self._console.is_terminal:
            self._console.print(_fitted(rows))
            return
        widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
        for row in (_COLUMNS, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self._console.file.write("  ".join(cells).rstrip() + "\n")

    def _row(self, letter: DeadLetter) -> tuple[str, ...]:
        job = letter.job
        end = letter.expires_at(self._margin)
        if job is None or end is None:
            why = shown(letter.problem, 80)
            return (letter.id, "", "", "", "", _UNREADABLE, why)
        more = f" +{len(job.recipients) - 1}" if len(job.recipients) > 1 else ""
        return (
            job.reference,
            span(self._now - job.received_at),
            "over" if self._now >= end else f"in {span(end - self._now)}",
            shown(job.sender, _LONGEST),
            shown(job.recipients[0], _LONGEST) + more,
            shown(_first_rule(job), _LONGEST) + (" (reply)" if letter.is_reply else ""),
            str(letter.end) if letter.end else "",
        )

    def json(self, letters: Iterable[DeadLetter], *, whole: bool = False) -> None:
        """Print one JSON object a line, in ASCII; with `whole`, also the call of SES."""
        for letter in letters:
            members = self._members(letter)
            if whole:
                name = "send_raw_email" if letter.is_reply else "send_bounce"
                members |= {name: self._call(letter), "body": letter.body}
            self._console.file.write(json.dumps(members, default=datetime.isoformat) + "\n")

    def _call(self, letter: DeadLetter) -> dict[str, Any] | None:
        """Return what SES would be asked now; the message of a reply as text."""
        match letter.job:
            case Reply():
                call = reply_request(letter.job, date=self._now, deployment=self._deployment)
                data = call["RawMessage"]["Data"].decode("ascii")
                return {**call, "RawMessage": {"Data": data}}
            case None:
                return None
        return bounce_request(letter.job)

    def _members(self, letter: DeadLetter) -> dict[str, Any]:
        job, end = letter.job, letter.end
        return {
            "reference": letter.reference or None,
            "id": letter.id,
            "buried_at": letter.buried_at,
            "received_at": job.received_at if job else None,
            "expires_at": letter.expires_at(self._margin),
            "expired": letter.is_expired(self._now, self._margin),
            "message_id": job.message_id if job else None,
            "sender": job.sender if job else None,
            "kind": "reply" if letter.is_reply else "bounce",
            "bounce_sender": letter.sent_from or None,
            "recipients": list(job.recipients) if job else [],
            "rules": letter.rules,
            "state": end.state if end else None,
            "outcome": end.outcome or None if end else None,
            "reason": end.reason or None if end else None,
            "problem": letter.problem or None,
            "kept": letter.kept,
        }

    def whole(self, letter: DeadLetter) -> Iterator[str]:
        """Yield the lines that show all of one letter."""
        kept = ", kept in the ledger" if letter.kept else ""
        yield f"{letter.name}: queue message {letter.id}{_since(letter.buried_at)}{kept}"
        known = str(letter.end) if letter.end else "nothing"
        yield f"  ledger:   {known}"
        job, end = letter.job, letter.expires_at(self._margin)
        if job is None or end is None:
            yield f"  problem:  {letter.problem}"
            yield f"  body:     {shown(letter.body, _LONGEST)}"
            return
        yield f"  mail:     {shown(job.message_id, _LONGEST)} from {shown(job.sender, _LONGEST)}"
        yield f"  received: {shown_time(job.received_at)}"
        over = "over" if self._now >= end else f"in {span(end - self._now)}"
        yield f"  ends:     {shown_time(end)} ({over})"
        for rule, recipient in _by_rule(job):
            yield f"  rule:     {shown(rule, _LONGEST)}, for {shown(recipient, _LONGEST)}"
        yield "SendRawEmail will have:" if letter.is_reply else "SendBounce will have:"
        yield from _flat("", self._call(letter))


def _by_rule(job: Job | Reply) -> list[tuple[str, str]]:
    """Return the rule of each recipient, with the recipient."""
    if isinstance(job, Reply):
        return [(job.rule, recipient) for recipient in job.recipients]
    return [(refusal.rule, refusal.recipient) for refusal in job.refusals]


def _first_rule(job: Job | Reply) -> str:
    return _by_rule(job)[0][0]


def span(length: timedelta) -> str:
    """Return a length of time in the largest unit that says something."""
    seconds = max(length.total_seconds(), 0)
    if seconds >= 48 * 3600:
        return f"{seconds / 86400:.1f} d"
    if seconds >= 3600:  # noqa: PLR2004  # an hour
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min"


def _since(buried_at: datetime | None) -> str:
    return f", dead since {shown_time(buried_at)}" if buried_at else ""


def _flat(place: str, value: Any) -> Iterator[str]:
    """Yield a line for each text in nested members, with its place."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _flat(f"{place}.{key}" if place else str(key), member)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _flat(f"{place}[{index}]", member)
    else:
        text = value.isoformat() if isinstance(value, datetime) else str(value)
        yield f"  {place}: {shown(text, _LONGEST)}"


def _fitted(rows: Iterable[tuple[str, ...]]) -> Table:
    """Return a table whose addresses, rules and reasons are folded to fit the terminal."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in _COLUMNS:
        table.add_column(name, no_wrap=name in _FIRM, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
