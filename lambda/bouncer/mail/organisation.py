"""Finds the organisational domain of a host: the part that somebody registered.

Whoever owns `partner.example` can send from any host below it, so all of them are counted together.
The public suffix list says below which names people register; its part for registries (ICANN) lies
beside this file. Domains of hosting companies, its other part, are one organisation here.
"""

import re
from functools import cache
from pathlib import Path

from bouncer.mail.a_label import a_labels

SUFFIX_LIST = Path(__file__).with_name("public_suffixes.txt")

_MOST_LABELS = 8  # more than any public suffix has; those before them make no difference
_NETWORK_ADDRESS = re.compile(r"\[.*\]|[0-9.]+|[0-9a-f]*:[0-9a-f:.]*", re.DOTALL)


def organisational_domain(host: str) -> str:
    """Return the registered domain that a host belongs to: `example.co.uk` for `a.example.co.uk`.

    Upper case and a final dot make no difference. The answer is in ASCII (A-labels) where `host`
    is a domain. A public suffix, an IP address or a single label stays whole; below a name that the
    list lacks, the last two labels are taken (publicsuffix.org/list, "Algorithm").
    """
    name = a_labels(host).lower().rstrip(".")
    if _NETWORK_ADDRESS.fullmatch(name):
        return name
    labels = name.split(".")[-_MOST_LABELS:]
    return ".".join(labels[-_suffix_size(labels) - 1 :])


def _suffix_size(labels: list[str]) -> int:
    """Return the number of labels of the public suffix at the end of a name."""
    rules = _rules()
    for start in range(len(labels)):
        suffix = ".".join(labels[start:])
        if f"!{suffix}" in rules:
            return len(labels) - start - 1
        wildcard = ".".join(["*", *labels[start + 1 :]])
        if suffix in rules or wildcard in rules:
            return len(labels) - start
    return 1


@cache
def _rules() -> frozenset[str]:
    """Read the list once, when a first domain is asked for: the intake never asks."""
    lines = SUFFIX_LIST.read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))
