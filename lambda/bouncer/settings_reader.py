"""Reads the operator's settings from the document `settings`, over defaults.

The defaults that a stack gives the publisher have the shape of the document, so one reader serves
both, as strict as that of rules.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bouncer.breaker import read_breaker
from bouncer.caps import read_caps
from bouncer.journal_address import read_journal, read_mask, refuse_contradiction
from bouncer.mail.a_label import a_labels
from bouncer.operator_settings import MOST_SUPPRESSION_DAYS, Settings, ses_reporting_mta
from bouncer.rules.address_reader import read_mailbox, read_mta
from bouncer.rules.answer_reader import read_answer
from bouncer.rules.bounce_limit import DAY_S
from bouncer.rules.document import Node, Place
from bouncer.rules.document_parser import read_document
from bouncer.rules.name_limits import unknown_domain
from bouncer.rules.rule import Mode

_LOWEST_RATE = 0.2
_SOME_DAYS = f"days such as {MOST_SUPPRESSION_DAYS}d, 1d to {MOST_SUPPRESSION_DAYS}d, or off"
_A_RATE = f"a number of calls a second, {_LOWEST_RATE} to 1.0"


def deployment_settings(text: str, region: str, *, document: str) -> Settings:
    """Return the settings that a deployment itself has, which hold where operators say nothing.

    The reporting MTA is SES's of the region, unless the text names another. Raises `DocumentError`.
    """
    return overlaid(Settings(reporting_mta=ses_reporting_mta(region)), text, document=document)


def overlaid(
    settings: Settings, text: str, *, document: str = "settings", below: Place = ()
) -> Settings:
    """Return settings with a document's over them; raises `DocumentError`.

    `document` is its name and `below` its place inside a larger one, both for error texts.
    """
    root = read_document(document, text, below=below)
    entries = (
        root.members(tuple(_READERS), "settings (a mapping)") if root.value is not None else {}
    )
    changes: dict[str, Any] = {}
    for key in sorted(entries, key=tuple(_READERS).index):
        name, reader = _READERS[key]
        changes[name] = reader(entries[key])
    refuse_contradiction(entries, changes.get("addresses"))
    root.report.settle()
    return replace(settings, **changes)


def _mode(node: Node) -> Mode | None:
    word = node.word(tuple(map(str, Mode)))
    return Mode(word) if word else None


def _sending(node: Node) -> bool:
    return node.word(("on", "paused")) == "on"


def _rate(node: Node) -> float | None:
    """Read SendBounce calls a second: SES allows one, and a pause of 5 s is the longest here."""
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        node.fault(_A_RATE)
        return None
    if not _LOWEST_RATE <= node.value <= 1:
        node.fault(_A_RATE)
    return float(node.value)


def _domains(node: Node) -> tuple[str, ...]:
    found = []
    for item in node.items():
        domain = item.value if isinstance(item.value, str) else ""
        if not re.fullmatch(r"\.?[^\s@*?.]+(\.[^\s@*?.]+)*", domain):
            item.fault("a domain such as example.com, or .example.com for its subdomains")
        elif unknown := unknown_domain(domain):
            item.fault(unknown)
        else:
            found.append(a_labels(domain))
    return tuple(found)


def _seconds(most: int) -> Callable[[Node], int | None]:
    def reader(node: Node) -> int | None:
        expected = f"a whole number of seconds, 0 to {most}"
        seconds = node.number(expected)
        if seconds is not None and seconds > most:
            node.fault(expected)
        return seconds

    return reader


def _days(node: Node) -> int | None:
    if node.value == "off":
        return 0
    match = re.fullmatch("([1-9][0-9]?)d", node.value) if isinstance(node.value, str) else None
    if match is None or int(match[1]) > MOST_SUPPRESSION_DAYS:
        node.fault(_SOME_DAYS)
        return None
    return int(match[1])


_READERS: Mapping[str, tuple[str, Callable[[Node], object]]] = {
    "mode": ("mode", _mode),
    "sending": ("sending", _sending),
    "rate": ("rate", _rate),
    "bounce_sender": ("bounce_sender", read_mailbox),
    "reporting_mta": ("reporting_mta", read_mta),
    "answer": ("answer", read_answer),
    "own_domains": ("own_domains", _domains),
    "expiry_margin": ("expiry_margin_s", _seconds(3 * 3600)),
    "cache": ("cache_s", _seconds(DAY_S)),
    "ascii_only": ("ascii_only", Node.flag),
    "mask_addresses": ("addresses", read_mask),
    "journal": ("addresses", read_journal),
    "caps": ("caps", read_caps),
    "suppression": ("suppression_days", _days),
    "breaker": ("breaker_percent", read_breaker),
    "store": ("store", Node.flag),
}
