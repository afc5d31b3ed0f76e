"""Measure speed as ratios to named peers in the same run: `make bench`.

The peers are those in `peers.py`, and `json.loads` of the same documents or event. Every answer is
compared with the oracle's (`tests/oracle.py`). `MAILS=100000 make bench` replays more mails.
"""

import gc
import io
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.policy import compat32
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import re2
import workload
from contents import contents
from heavy_rules import heavy_rules
from named_lists import lists
from pacing import pacing
from peers import bare_scans, naive, with_rule_engine
from raw_mails import write_mails, write_rules
from rich.console import Console
from rich.table import Table

from bouncer.intake import Intake
from bouncer.journal import Journal
from bouncer.mail.header_block import header_block, read_headers
from bouncer.mail.message import Message, read_event
from bouncer.operator_settings import Settings
from bouncer.rules.condition import regex_options
from bouncer.rules.rule import Rule
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Decision, Ruleset
from bouncer.sources.source import Document, Documents
from bouncer_cli.command_line import main as bouncer
from bouncer_sim.document_bucket import document_loader
from tests import oracle

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
MAILS = int(os.environ.get("MAILS", "20000"))

Row = tuple[str, str, str, bool]


def timed(action: Callable[[], Any]) -> float:
    """Return the CPU seconds of one call."""
    gc.collect()
    started = time.process_time()
    action()
    return time.process_time() - started


def each(action: Callable[[Any], Any], items: Iterable[Any]) -> list[float]:
    """Return the CPU seconds that the action takes for each item."""
    seconds = []
    for item in items:
        started = time.process_time_ns()
        action(item)
        seconds.append((time.process_time_ns() - started) / 1e9)
    return seconds


def parsed(documents: dict[str, dict[str, Any]]) -> list[Rule]:
    return [read_rule(name, json.dumps(document)) for name, document in documents.items()]


def mails(events: list[str]) -> list[Message]:
    """Return fresh messages, which have cached none of the values a rule asks for."""
    return [read_event(json.loads(event))[0] for event in events]


def decider(ruleset: Ruleset) -> Callable[[Message], Decision]:
    return lambda message: ruleset.decide(message, message.recipients[0])


def decided(ruleset: Ruleset, message: Message) -> str | None:
    rule = ruleset.decide(message, message.recipients[0]).rule
    return rule.name if rule else None


def check(
    documents: dict[str, Any], events: list[str], *deciders: Callable[[Message], str | None]
) -> None:
    """End the benchmark unless every decider answers as the oracle does."""
    for message in mails(events):
        expected = oracle.decide(documents, message, message.recipients[0])[0]
        for decide in deciders:
            if (found := decide(message)) != expected:
                sys.exit(f"{message.message_id}: found rule {found}, expected {expected}")


def deciding() -> Iterable[Row]:
    """Measure one decision: against its peers, and its growth with the number of rules."""
    own: dict[int, float] = {}
    for count in (10, 1_000, 10_000, 100_000):
        documents = workload.documents(count)
        events = workload.events(400, documents)
        ruleset = Ruleset(parsed(documents))
        own[count] = min(median(each(decider(ruleset), mails(events))) for _ in range(5))
        check(documents, events[: 4_000_000 // count // 40 or 2], partial(decided, ruleset))
        if count > 10:
            yield beside_scans(documents, ruleset, events)
        if count in (1_000, 10_000):
            few = events[: 200_000 // count]
            check(documents, few, naive(documents))
            ratio = against(naive(documents), few, ruleset, events)
            target = 40 if count == 1_000 else 1_000
            yield (
                f"decide, {count:,} rules: loop / ours",
                f"{ratio:,.0f}",
                f"at least {target:,}",
                ratio >= target,
            )
        if count == 1_000:
            few = events[:40]
            peer = with_rule_engine(documents)
            check(documents, few, peer)
            ratio = against(peer, few, ruleset, events)
            yield (
                "decide, 1,000 rules: rule-engine / ours",
                f"{ratio:,.0f}",
                "at least 500",
                ratio >= 500,
            )
    growth = own[100_000] / own[10]
    yield "decide, growth from 10 to 100,000 rules", f"{growth:.1f}", "at most 8", growth <= 8
    yield "  one decision, 1,000 rules", f"{own[1_000] * 1e6:.0f} us", "", True


def against(
    peer: Callable[[Message], object], few: list[str], ruleset: Ruleset, events: list[str]
) -> float:
    """Return a peer's time for a mail divided by ours, each the fastest of five rounds."""
    theirs, ours = [], []
    for _ in range(5):
        theirs.append(median(each(peer, mails(few))))
        ours.append(median(each(decider(ruleset), mails(events))))
    return min(theirs) / min(ours)


def beside_scans(documents: dict[str, Any], ruleset: Ruleset, events: list[str]) -> Row:
    """Compare one decision with RE2 alone, which reads and scans the same texts."""
    ratio = 1 / against(bare_scans(documents), events, ruleset, events)
    figure = f"decide, {len(documents):,} rules: ours / bare RE2 scans"
    return figure, f"{ratio:.1f}", "at most 1.5", ratio <= 1.5


def compiling() -> Iterable[Row]:
    """Measure compiling 10,000 parsed rules, and a mail for which all pattern sets are compiled."""
    documents = workload.documents(10_000)
    rules = parsed(documents)
    texts = [json.dumps(document) for document in documents.values()]
    traits = [(name, "x") for name in workload.HEADERS]
    asked = _mail([("Subject", "hello"), ("Subject", "h\u00e9llo"), *traits])
    seconds = min(timed(lambda: decided(Ruleset(rules), asked)) for _ in range(5))
    loads = min(timed(lambda: [json.loads(text) for text in texts]) for _ in range(5))
    yield "compile 10,000 rules", f"{seconds * 1e3:.0f} ms", "under 150 ms, quiet", seconds < 0.15
    yield "  / json.loads of the documents", f"{seconds / loads:.1f}", "", True


class FixedRules:
    """A source that holds the given documents and has no earlier versions of them."""

    def __init__(self, documents: dict[str, Any]) -> None:
        texts = {name: json.dumps(document) for name, document in documents.items()}
        self._documents = Documents({name: Document(name, text) for name, text in texts.items()})

    def read(self) -> Documents:
        return self._documents


class DiscardingQueue:
    """A queue that accepts every job and forgets it."""

    def send(self, job: Any) -> None:
        """Accept a job."""


def warm_intake() -> Iterable[Row]:
    """Measure a warm intake from event to answer, with its journal line, without AWS calls."""
    documents = workload.documents(1_000)
    events = workload.events(400, documents)
    with Path(os.devnull).open("w", encoding="utf-8") as stream:
        intake = Intake(
            loader=document_loader(
                FixedRules(documents), Settings(cache_s=3600), now=time.monotonic
            ),
            jobs=DiscardingQueue(),
            journal=Journal("intake", "bench", stream=stream),
            now=lambda: NOW,
        )
        intake.handle(json.loads(events[0]))
        ratios = []
        for _ in range(5):
            loads = median(each(json.loads, events))
            handle = median(each(intake.handle, [json.loads(event) for event in events]))
            ratios.append(handle / loads)
    ratio = median(ratios)
    yield (
        "warm intake, 1,000 rules / json.loads of the event",
        f"{ratio:.1f}",
        "at most 8",
        ratio <= 8,
    )


def replaying() -> Iterable[Row]:
    """Measure `bouncer replay` on mails of 5 KB, and its memory from a tenth of them to all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rules = folder / "rules"
        write_rules(rules)
        paths = write_mails(folder, 100, 5 * 1024)

        def run(count: int) -> None:
            with redirect_stdout(io.TextIOWrapper(Path(os.devnull).open("wb"))):
                bouncer(
                    ["replay", "--rules", str(rules), "--format", "json", *(paths * (count // 100))]
                )

        yield reading(Path(paths[0]).read_bytes())
        run(MAILS // 10)
        early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds = timed(lambda: run(MAILS))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early
    rate = MAILS / seconds
    yield "replay, mails of 5 KB a second and core", f"{rate:,.0f}", "at least 1,500", rate >= 1_500
    yield (
        f"  memory grown, {MAILS // 10:,} to {MAILS:,} mails",
        f"{grown / 1024:.1f} MB",
        "flat",
        grown < 8192,
    )


def reading(raw: bytes) -> Row:
    """Measure reading the headers of a raw mail against Python's own parser."""
    parser = BytesHeaderParser(policy=compat32)
    ours = min(each(lambda mail: read_headers(header_block(mail)), [raw] * 500))
    theirs = min(each(lambda mail: parser.parsebytes(mail).items(), [raw] * 500))
    ratio = theirs / ours
    return "read raw headers: email package / ours", f"{ratio:.1f}", "at least 2", ratio >= 2


PATTERNS = [
    r"(a+)+b",
    r"^(\w+\s?)*$",
    r"(x+x+)+y",
    r"(a|aa)+$",
    r"([a-z]+)*[0-9]",
    r"(.*)(.*)(.*)(.*)z",
    r"\b\w+\s+\w+\b.*invoice",
    r"(?:a?){30}a{30}",
    r"[a-z]{0,200}!",
]


def hostile() -> Iterable[Row]:
    """Measure patterns made to backtrack, and mails with far too many headers or addresses."""
    worst = 0.0
    for pattern in PATTERNS:
        document = {"when": {"subject": {"regex": pattern}}, "drop": {}}
        ruleset = Ruleset(parsed({"a": document}))
        for subject in ("a" * 100_000, "a " * 50_000, "ab1 " * 25_000, "\u00e9" * 100_000):
            message = _mail([("Subject", subject)])
            worst = max(worst, min(each(decider(ruleset), [message] * 3)))
    yield (
        "worst pattern on a subject of 100 KB",
        f"{worst * 1e3:.1f} ms",
        "at most 10 ms",
        worst <= 0.01,
    )
    fields = {
        "when": {
            "any": [
                {"to": "x@y.example"},
                {"subject": {"contains": "zzz"}},
                {"header": {"X-A": {"regex": "zzz"}}},
            ]
        },
        "drop": {},
    }
    ruleset = Ruleset(parsed({"a": fields}))
    shapes = {
        "20,000 headers": [("X-A", "b")] * 20_000,
        "2,000 addresses in To": [
            ("To", ", ".join(f"n{i} <a{i}@example.com>" for i in range(2_000)))
        ],
        "20,000 encoded words": [("Subject", " ".join(["=?utf-8?q?a?="] * 20_000))],
    }
    for name, headers in shapes.items():
        record = _event(headers)
        seconds = min(each(lambda e: ruleset.decide(read_event(e)[0], "a@b.example"), [record] * 3))
        yield f"decide about {name}", f"{seconds * 1e3:.1f} ms", "under 100 ms", seconds < 0.1


def _event(headers: list[tuple[str, str]]) -> dict[str, Any]:
    listed = [{"name": name, "value": value} for name, value in headers]
    mail = {"messageId": "m", "source": "a@b.example", "headers": listed}
    return {"Records": [{"ses": {"mail": mail, "receipt": {"recipients": ["a@b.example"]}}}]}


def _mail(headers: list[tuple[str, str]]) -> Message:
    return read_event(_event(headers))[0]


def main() -> int:
    """Measure everything and print one table; return 1 if a target is missed."""
    console = Console(width=110, highlight=False)
    table = Table("figure", "measured", "target", "")
    sound = True
    re2.compile("warm", regex_options())
    measures = (deciding, compiling, lists, contents, warm_intake, replaying, hostile)
    for measure in (*measures, heavy_rules, pacing):
        for figure, measured, target, met in measure():
            table.add_row(figure, measured, target, "ok" if met else "MISSED")
            sound = sound and met
    console.print(table)
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
