"""The law of the journal: one JSON object in ASCII a line, short enough for CloudWatch Logs."""

import json
from typing import Any

from bouncer.journal_line import LONGEST_LINE
from bouncer.metric_names import NAMESPACE


def check_lines(text: str) -> list[dict[str, Any]]:
    """Check all that a journal wrote, and return its lines as objects."""
    *lines, rest = text.split("\n")
    assert rest == "", "the last line has no end"
    return [_checked(line) for line in lines]


def _checked(line: str) -> dict[str, Any]:
    assert line.isascii()
    assert line.isprintable(), f"found {line!a}, expected no control character"
    assert len(line) <= LONGEST_LINE, f"{len(line)} characters"
    found = json.loads(line)
    assert isinstance(found, dict)
    assert {"level", "message", "timestamp", "request_id", "_aws"} <= found.keys()
    (metrics,) = found["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == NAMESPACE
    for metric in metrics["Metrics"]:
        assert all(isinstance(number, int | float) for number in found[metric["Name"]])
    return found
