"""Reads the identifiers of mailing lists from List-Id headers (RFC 2919)."""

import re
from collections.abc import Iterable

from bouncer.mail.a_label import a_labels

_BETWEEN = re.compile(r"<([^<>]*)>[^<>]*$")


def list_ids(values: Iterable[str]) -> list[str]:
    """Return the identifier in each header: between the last angle brackets, or all of it."""
    found = ((match[1] if (match := _BETWEEN.search(value)) else value) for value in values)
    return [a_labels(text).lower() for each in found if (text := each.strip().rstrip("."))]
