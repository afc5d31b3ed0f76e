"""The name of a column of a list, as placeholders such as `{departed.successor}` have it."""

import unicodedata

from bouncer.mail.comparable import comparable


def column_name(text: str) -> str:
    """Return the name for a heading: `full_name` for `Full name:`; "" if nothing is left of it."""
    kept = (char if _is_kept(char) else " " for char in comparable(text).lower())
    return "_".join("".join(kept).split())


def _is_kept(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN"  # letters with their marks, and digits
