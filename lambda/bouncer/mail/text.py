"""Makes text fit to be encoded, shown or sent: what comes from a mail may hold any character."""

import re
import unicodedata

# Letters that Unicode does not decompose, and punctuation that mail programs put in.
_ASCII_FORMS = str.maketrans(
    {
        "\u00df": "ss",
        "\u00e6": "ae",
        "\u00c6": "AE",
        "\u00f8": "o",
        "\u00d8": "O",
        "\u0142": "l",
        "\u0141": "L",
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u2013": "-",
        "\u2014": "-",
    }
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def well_formed(text: str) -> str:
    """Replace lone surrogates, so that the text can be encoded as UTF-8."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def printable(text: str, limit: int) -> str:
    """Return one line of at most `limit` visible characters: no control, format or bidi ones."""
    head = text[: limit * 4]
    kept = head if head.isascii() and head.isprintable() else _without_controls(head)
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 3].rstrip() + "..."


def _without_controls(text: str) -> str:
    return "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char)[0] not in "CZ" or char == "\ufffd"
    )


def ascii_text(text: str) -> str:
    """Return the text in ASCII: without accents, with `?` for what has no ASCII form."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_ASCII_FORMS))
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return bare.encode("ascii", "replace").decode("ascii")
