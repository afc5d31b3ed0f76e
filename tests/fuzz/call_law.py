"""The law of a SendBounce call: it names nobody outside the envelope, and no text breaks a line."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MAY_BE_UNICODE = "Explanation"  # a body text: the other members become header fields


def check_call(call: Mapping[str, Any], envelope: Collection[str]) -> None:
    """Check the parameters of a call against the recipients that the mail's envelope had."""
    for info in call["BouncedRecipientInfoList"]:
        assert info["Recipient"] in envelope, f"{info['Recipient']!a} is not in {envelope!a}"
    for place, text in _texts("", call):
        assert not _CONTROL.search(text), f"{place}: found {text!a}, expected no control character"
        assert text.isascii() or place == _MAY_BE_UNICODE, f"{place}: found {text!a}, not ASCII"


def _texts(place: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield each text of a call with its place."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _texts(f"{place}.{key}".removeprefix("."), member)
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from _texts(f"{place}[{index}]", member)
    elif isinstance(value, str):
        yield place, value
