"""The peers of a decision: a loop in plain Python, and the package rule-engine.

Both take the rule documents of `workload.py` and return a function from a message to the name of
the first rule that matches. `bench/run.py` compares their answers with the oracle's.
"""

import json
import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import rule_engine

from bouncer.mail.message import Message


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
