"""Finds received mails in what CloudWatch Logs exports or prints as text.

Each line begins with its time; a table of the console has the message in quotes behind a comma.
"""

from collections.abc import Iterator

from bouncer_cli.event_wrapping import logged
from bouncer_cli.input_stream import MEGABYTE, InputStream
from bouncer_cli.mail_item import Item

_LONGEST_LINE = MEGABYTE  # CloudWatch Logs takes 256 KB; UTF-8 and quotes make it longer
_TABLE = b"timestamp,message"


def items_in_log(source: str, stream: InputStream) -> Iterator[Item]:
    """Yield the received mails in the lines of a log; other lines are left out."""
    table = stream.head.removeprefix(b"\xef\xbb\xbf").startswith(_TABLE)
    for number, line in enumerate(stream.lines(_LONGEST_LINE), 1):
        text = line.decode("utf-8", "replace")
        records = list(logged(text.replace('""', '"') if table else text))
        for index, record in enumerate(records, 1):
            place = f"{source}#{number}"
            yield Item(source=place if len(records) == 1 else f"{place}#{index}", record=record)
