"""The peers of a decision: a loop in plain Python, and the package rule-engine.

Both take the rule documents of `workload.py` and return a function from a message to the name of
the first rule that matches. `bench/run.py` compares their answers with the oracle's. `bare_scans`
is the floor below them: RE2 alone, which scans the texts and decides nothing.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import re2
import rule_engine

from bouncer.mail.message import Message
from bouncer.rules.condition import regex_options


def naive(  # noqa: C901  # one piece, as a first version is
    documents: dict[str, dict[str, Any]],
) -> Callable[[Message], str | None]:
    """Return a decider as one writes it first: a loop with string tests and `re.search`."""

    def holds(field: str, spec: Any, message: Message) -> object:  # bool() would slow the peer
        match field:
            case "recipient":
                return message.recipients[0].lower() == spec
            case "sender" if spec.startswith("*@"):
                return message.sender.lower().endswith(spec[1:])
            case "sender":
                return message.sender.lower() == spec
            case "sender_domain":
                domain = message.sender.rpartition("@")[2].lower()
                return domain == spec[0] or domain.endswith(spec[1])
            case "subject" if "contains" in spec:
                return spec["contains"] in message.header("subject")[0].lower()
            case "subject":
                return bool(re.search(spec["regex"], message.header("subject")[0], re.IGNORECASE))
            case "header":
                ((name, matcher),) = spec.items()
                values = message.header(name.lower())
                return any(re.search(matcher["regex"], value, re.IGNORECASE) for value in values)
            case "source_ip":
                return ip_address(str(message.source_ip)) in ip_network(spec)
            case _:
                return message.verdicts[field] == spec

    def decide(message: Message) -> str | None:
        for name, document in documents.items():
            if all(holds(field, spec, message) for field, spec in document["when"].items()):
                return name
        return None

    return decide


def with_rule_engine(documents: dict[str, dict[str, Any]]) -> Callable[[Message], str | None]:
    """Return a decider that evaluates the same rules as expressions of rule-engine."""

    def expression(field: str, spec: Any) -> str:
        match field:
            case "sender" if spec.startswith("*@"):
                return f'sender.ends_with("{spec[1:]}")'
            case "sender_domain":
                return f'domain == "{spec[0]}" or domain.ends_with("{spec[1]}")'
            case "subject" if "contains" in spec:
                return f'"{spec["contains"]}" in subject'
            case "subject":
                return f"subject =~~ {json.dumps(spec['regex'])}"
            case "header":
                ((name, matcher),) = spec.items()
                return f'headers&["{name.lower()}"] =~~ {json.dumps(matcher["regex"])}'
            case "source_ip":
                network = ip_network(spec)
                first, last = int(network.network_address), int(network.broadcast_address)
                return f"ip >= {first} and ip <= {last}"
            case _:
                return f'{field} == "{spec}"'

    rules = []
    for name, document in documents.items():
        parts = " and ".join(f"({expression(key, spec)})" for key, spec in document["when"].items())
        rules.append((name, rule_engine.Rule(parts)))

    def decide(message: Message) -> str | None:
        thing = {
            "recipient": message.recipients[0].lower(),
            "sender": message.sender.lower(),
            "domain": message.sender.rpartition("@")[2].lower(),
            "subject": message.header("subject")[0].lower(),
            "headers": {name: values[0] for name, values in message.headers.items()},
            "ip": int(ip_address(str(message.source_ip))),
            "spam": message.verdicts["spam"],
        }
        return next((name for name, rule in rules if rule.matches(thing)), None)

    return decide


def bare_scans(documents: dict[str, dict[str, Any]]) -> Callable[[Message], object]:
    """Return a function that scans each text of a message that rules ask for with one RE2 set.

    It reads the texts as a decision must, finds neither networks nor verdicts, and evaluates no
    rule.
    """
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for document in documents.values():
        for field, spec in document["when"].items():
            for name, source in _sources(field, spec):
                sources[name].append(source)
    scans = {name: _set(found).Match for name, found in sources.items()}
    names = [name for name in scans if name.startswith("x-")]

    def scan(message: Message) -> None:
        scans["recipient"](message.recipients[0])
        scans["sender"](message.sender)
        scans["sender_domain"](message.sender.rpartition("@")[2])
        for subject in message.subject:
            scans["subject"](subject)
        for name in names:
            for value in message.header(name):
                scans[name](value)

    return scan


def _sources(field: str, spec: Any) -> list[tuple[str, str]]:
    """Return the RE2 patterns of one condition of `workload.py`, each with the text it is for."""
    match field:
        case "recipient":
            return [(field, rf"\A{re2.escape(spec)}\z")]
        case "sender" if spec.startswith("*"):
            return [(field, rf"{re2.escape(spec[1:])}\z")]
        case "sender":
            return [(field, rf"\A{re2.escape(spec)}\z")]
        case "sender_domain":
            return [(field, rf"\A{re2.escape(spec[0])}\z"), (field, rf"{re2.escape(spec[1])}\z")]
        case "subject":
            return [(field, re2.escape(spec["contains"]) if "contains" in spec else spec["regex"])]
        case "header":
            ((name, matcher),) = spec.items()
            return [(name.lower(), matcher["regex"])]
        case _:
            return []


def _set(sources: list[str]) -> re2.Set:
    options = regex_options()
    options.max_mem = 1 << 30
    compiled = re2.Set.SearchSet(options)
    for source in sources:
        compiled.Add(source)
    compiled.Compile()
    return compiled
