"""Writes international domains in the form that mail servers use (A-labels, RFC 5890).

`bücher.example` and `xn--bcher-kva.example` are one domain, and only the second form is on the
wire. Letters map as in UTS 46 without transition: `ß` and `ς` stay, as registries and browsers have
them; Python's own codec would make another domain of `straße`. Nothing is refused here: what is not
a domain stays a text that no domain equals.
"""

import re
import unicodedata

from bouncer.mail.comparable import INVISIBLE_IN_DOMAINS

_DOTS = re.compile("[\u3002\uff0e\uff61]")
_KEPT = {"ß": "ß", "\u1e9e": "ß", "ς": "ς"}
_WILD = re.compile(r"[*?]")
# The longest label whose form on the wire can have 63 characters; longer ones cost time only.
_LONGEST = 63


def a_labels(domain: str) -> str:
    """Return a domain with each of its labels in ASCII; one with a wildcard stays as it is."""
    if domain.isascii():
        return domain
    dotted = _DOTS.sub(".", re.sub(INVISIBLE_IN_DOMAINS, "", domain))
    return ".".join(label if label.isascii() else _a_label(label) for label in dotted.split("."))


def _a_label(label: str) -> str:
    if len(label) > _LONGEST or _WILD.search(label):
        return label
    mapped = "".join(_KEPT.get(char, char.casefold()) for char in label)
    composed = unicodedata.normalize("NFKC", mapped)
    if composed.isascii():
        return composed
    return "xn--" + composed.encode("punycode").decode("ascii")
