"""Measure rules that are as heavy as the limits allow, and reading those that are heavier."""

import json
import random
import time
from collections.abc import Iterable
from typing import Any

import workload

from bouncer.mail.message import read_event
from bouncer.rules.pattern_weight import HEAVIEST, weight
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset

_RULES = 10_000
_RECIPIENTS = 500
_LIMIT_S = 0.3
_HEAVY = r"(\pL.{0,40}){1,4}!"  # two of them are nearly as heavy as all rules together may be

Row = tuple[str, str, str, bool]


def heavy_rules() -> Iterable[Row]:
    """Measure a mail to 500 recipients under 10,000 rules, and reading 500 heavy ones."""
    documents: dict[str, Any] = workload.documents(_RULES - 2)
    for field in ("recipient", "subject"):
        document = {"when": {field: {"regex": _HEAVY}}, "reject": {"type": "ContentRejected"}}
        documents[f"zz-{field}"] = document
    rules = [read_rule(name, json.dumps(document)) for name, document in documents.items()]
    seconds = min(_deciding_s(Ruleset(rules)) for _ in range(5))
    yield (
        f"decide for {_RECIPIENTS} recipients, {_RULES:,} rules",
        f"{seconds * 1e3:.0f} ms",
        "under 300 ms",
        seconds < _LIMIT_S,
    )
    steps = 2 * weight(_HEAVY)
    yield "  steps of their two heavy regexes", f"{steps:,}", "nearly 15,000", steps <= HEAVIEST
    texts = [json.dumps(_heavier(number)) for number in range(500)]
    started = time.process_time()
    for text in texts:
        read_rule("heavy", text)
    seconds = time.process_time() - started
    yield "read 500 heavy rules", f"{seconds * 1e3:.0f} ms", "under 300 ms", seconds < _LIMIT_S


def _heavier(number: int) -> dict[str, Any]:
    """Return a rule whose pattern nobody has compiled before."""
    pattern = rf"(\pL[a-f{number}].{{0,{40 + number % 50}}}){{1,7}}"
    return {"when": {"subject": {"regex": pattern}}, "drop": {}}


def _deciding_s(ruleset: Ruleset) -> float:
    """Return the CPU seconds of one mail to many and with a subject as long as SES sends."""
    draw = random.Random(4)
    names = ["".join(draw.choices("abcdefg XYZ-", k=20)) for _ in range(_RECIPIENTS)]
    event = workload.event_for([f"{name}@example.com" for name in names])
    subject = "".join(draw.choices("abcdefg XYZ-", k=9_000))
    event["Records"][0]["ses"]["mail"]["headers"].append({"name": "Subject", "value": subject})
    (message,) = read_event(event)
    started = time.process_time()
    ruleset.decisions(message)
    return time.process_time() - started
