"""Strategies that several targets draw from: hostile text, and JSON that is bent in places."""

import json
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.json_places import ODD_VALUES, places

_PIECES = (
    *("\0", "\t", "\r", "\n", "\r\n", "\x1b[2J", "\x7f", "\x85", "\x9b", "\u200b", "\u2028"),
    *(
        "\u202e",
        "\u2066",
        "\ufeff",
        "\ud800",
        "\U000e0041",
        "é",
        "日",
        "ß",
        "\uff0e",
        "İ",
        "\u0301",
    ),
    *("a", "bob", "example.com", "ann@example.com", "@", ".", "..", "<", ">", ",", ";", ":", " "),
    *('"', "'", "\\", "(", ")", "[", "]", "{", "}", "{subject}", "=", "+", "#", "-", "_", "/", "="),
    *("=?utf-8?q?=0D=0A?=", "=?iso-2022-jp?b?GyRC?=", "=?x?b?!?=", "SRS0=a=b=c.example=d"),
    *("prvs=0123=bob", "x" * 70, "[31m", "Bcc: eve@example.net", "no-reply", "mailer-daemon"),
)
HOSTILE = st.lists(st.sampled_from(_PIECES), max_size=8).map("".join)


def encoded(text: str) -> bytes:
    """Return a text in UTF-8, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


def _other(value: Any) -> st.SearchStrategy[Any]:
    """Return another value, or for a text also the same with something before or behind it."""
    odd = HOSTILE | st.sampled_from(ODD_VALUES).map(deepcopy)
    if not isinstance(value, str):
        return odd
    return HOSTILE.map(value.__add__) | HOSTILE.map(lambda text: text + value) | odd


@st.composite
def bent(draw: st.DrawFn, *templates: Any) -> bytes:
    """Draw one of the templates as JSON, with up to four of its values replaced or missing."""
    value = json.loads(json.dumps(draw(st.sampled_from(templates))))
    for _ in range(draw(st.integers(0, 4))):
        if not (found := places(value)):
            break
        container, key = draw(st.sampled_from(found))
        if isinstance(container, dict) and draw(st.integers(0, 9)) == 0:
            del container[key]
        else:
            container[key] = draw(_other(container[key]))
    return json.dumps(value).encode()
