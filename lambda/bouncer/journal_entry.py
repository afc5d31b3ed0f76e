"""An event for the journal, before it is a line, and the writer that makes the line by itself.

Powertools writes the same line (`bouncer.aws.powertools_writer`), and a test holds the two
together. But to import any part of Powertools costs a cold start of the intake more than 20 ms, and
while it starts SES waits with a mail (docs/decisions/0009-cold-start.md). So the intake has this
writer, and all other functions Powertools'.
"""

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import IO, Any, NamedTuple

from bouncer.journal_line import encoded
from bouncer.metric_document import Counts, Dimensions, metric_document


class Entry(NamedTuple):
    """An event with all that its line has; `level` is "info", "warning" or "error"."""

    level: str
    event: str
    request_id: str
    fields: Mapping[str, Any]
    counts: Counts
    dimensions: Dimensions


Write = Callable[[Entry], None]  # raises what the stream raises


def own_writer(stream: IO[str] | None = None) -> Write:
    """Return a writer of JSON lines to `stream`, or to what is standard output at that moment."""

    def write(entry: Entry) -> None:
        now = datetime.now(UTC)
        line = {
            "level": entry.level.upper(),
            "message": entry.event,
            "timestamp": now.isoformat(timespec="milliseconds"),
            "request_id": entry.request_id,
            **entry.fields,
            **metric_document(entry.counts, entry.dimensions, int(now.timestamp() * 1000)),
        }
        put_line(encoded(line), stream or sys.stdout)

    return write


def put_line(line: str, stream: IO[str]) -> None:
    """Write a line at once, whole: what Lambda freezes must not keep it."""
    stream.write(f"{line}\n")
    stream.flush()
