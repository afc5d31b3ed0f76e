"""Shows stopped mails: a table for people, and JSON lines for programs."""

import json
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bouncer.held import shown_time
from bouncer.mail.text import shown
from bouncer.sources.stopped_mail import StoppedMail
from bouncer_cli.operations.stopped_mails import StoredObject

_LONGEST = 2000  # characters of an address or a name
_SHORT_ID = 20  # characters of a message id, as many as a reference has
_COLUMNS = ("RECEIVED (UTC)", "MAIL", "RULE", "FROM", "TO")
_FIRM = ("RECEIVED (UTC)", "MAIL")  # of these nothing is cut


def table(console: Console, found: Iterable[StoredObject]) -> None:
    """Print one row for each mail; on a terminal it fits the width, in a pipe nothing is cut."""
    rows = [_row(each.stopped) for each in found]
    if console.is_terminal:
        console.print(_fitted(rows))
        return
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    for row in (_COLUMNS, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.file.write("  ".join(cells).rstrip() + "\n")


def name_of(mail: StoppedMail) -> str:
    """Return the name by which the table shows a mail, and by which commands find it."""
    return mail.references[0] if mail.references else mail.message_id[:_SHORT_ID]


def json_lines(console: Console, found: Iterable[StoredObject]) -> None:
    """Print one JSON object a line, in ASCII."""
    for each in found:
        mail = each.stopped
        members = {
            "message_id": mail.message_id,
            "references": mail.references,
            "received_at": mail.received_at.isoformat(),
            "sender": mail.sender,
            "stopped_for": [group._asdict() for group in mail.stopped_for],
            "recipients_left_out": mail.more,
            "size": each.size,
            "key": each.key,
        }
        console.file.write(json.dumps(members) + "\n")


def _row(mail: StoppedMail) -> tuple[str, ...]:
    others = len(mail.recipients) + mail.more - 1
    more = f" +{others}" if others > 0 else ""
    return (
        shown_time(mail.received_at).removesuffix(" UTC"),
        name_of(mail),
        shown(" ".join(mail.rules), _LONGEST),
        shown(mail.sender, _LONGEST) or "<>",
        shown(next(iter(mail.recipients), ""), _LONGEST) + more,
    )


def _fitted(rows: Iterable[tuple[str, ...]]) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in _COLUMNS:
        grid.add_column(name, no_wrap=name in _FIRM, overflow="fold")
    for row in rows:
        grid.add_row(*map(Text, row))
    return grid
