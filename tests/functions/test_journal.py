"""The journal: lines that CloudWatch Logs takes whole, and nothing breaks with their stream."""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer import account_settings
from bouncer.aws.custom_resource import Result
from bouncer.aws.powertools_writer import powertools_writer
from bouncer.intake import Intake
from bouncer.jobs.job import Job, Refusal
from bouncer.journal import Journal
from bouncer.journal_line import LONGEST_LINE, encoded
from bouncer.judge import judge
from bouncer.mail.content import Content
from bouncer.mail.message import read_event
from bouncer.metric_names import Metric
from bouncer.operator_settings import Settings
from bouncer.publisher_journal import PublisherJournal
from bouncer.reasons import Reason
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.sending.ending import Failure, failed, sent, withheld
from bouncer.sources.pointer import Pointer
from bouncer.sources.revision_loader import braked_rules
from bouncer.sources.source import Document, Documents
from bouncer_sim.document_bucket import document_loader

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
REJECT = 'when: {recipient: "*"}\nreject: {type: DoesNotExist}'


class Fixed:
    """A source of fixed rules."""

    def __init__(self, rules: dict[str, str]) -> None:
        self._rules = rules

    def read(self) -> Documents:
        return Documents({name: Document(name, text) for name, text in self._rules.items()})


class Nowhere:
    """A queue that drops its jobs."""

    def send(self, job: Job) -> None:
        pass


def event(recipients: list[str], sender: str = "eve@partner.example") -> dict[str, Any]:
    mail = {"timestamp": NOW.isoformat(), "source": sender, "messageId": "m1", "headers": []}
    verdicts = {f"{name}Verdict": {"status": "PASS"} for name in ("spf", "dmarc", "spam", "virus")}
    ses = {"mail": mail, "receipt": {"recipients": recipients, **verdicts}}
    return {"Records": [{"eventSource": "aws:ses", "ses": ses}]}


def intake(rules: dict[str, str], stream: io.TextIOBase | None = None) -> Intake:
    journal = Journal("intake", "test", stream=stream)  # type: ignore[arg-type]  # it writes only
    loader = document_loader(Fixed(rules), Settings(), now=lambda: 0.0)
    return Intake(loader=loader, jobs=Nowhere(), journal=journal, now=lambda: NOW)


def line_of(rules: dict[str, str], what: dict[str, Any]) -> dict[str, Any]:
    """Return the line of one mail, which must be short enough and have its metrics."""
    stream = io.StringIO()
    intake(rules, stream).handle(what)
    (text,) = stream.getvalue().splitlines()
    assert len(text) <= LONGEST_LINE
    line: dict[str, Any] = json.loads(text)
    assert line["Mails"] == [1]
    assert line["_aws"]["CloudWatchMetrics"]
    return line


SHADOWS = {f"{n:03}-{'shadow' * 14}": f"mode: shadow\n{REJECT}" for n in range(60)}


def test_shadow_rules_that_all_recipients_share_stand_once() -> None:
    """Sixty shadow rules and a hundred recipients: no decision and no rule is lost."""
    recipients = [f"{'somebody-with-a-long-name' * 2}-{n}@example.com" for n in range(100)]
    line = line_of(SHADOWS | {"900-all": REJECT}, event(recipients))
    assert [decision["recipient"] for decision in line["decisions"]] == recipients
    first, *others = line["decisions"]
    assert first["shadow"] == sorted(SHADOWS)
    assert all(other["shadow"] == [] and other["shadow_as"] == 0 for other in others)
    assert line["ShadowMatches"] == [6000]
    assert not any(key.endswith("_left_out") for key in line)


def test_shadow_rules_that_differ_are_counted_beyond_their_room() -> None:
    """Each recipient keeps its decision; the names of its shadow rules are cut to a share."""
    recipients = [f"r{n:02}@example.com" for n in range(100)]
    rules = {
        name: f"unless: {{recipient: r{n:02}@example.com}}\n{text}"
        for n, (name, text) in enumerate(SHADOWS.items())
    }
    line = line_of(rules | {"900-all": REJECT}, event(recipients))
    assert [decision["recipient"] for decision in line["decisions"]] == recipients
    for decision in line["decisions"][:60]:
        assert len(decision["shadow"]) + decision["shadow_left_out"] == 59


def test_an_ordinary_line_is_whole() -> None:
    """Five shadow rules for ten recipients stand with each of them, as ever."""
    rules = dict(list(SHADOWS.items())[:5])
    line = line_of(rules, event([f"r{n}@example.com" for n in range(10)]))
    assert all(decision["shadow"] == sorted(rules) for decision in line["decisions"])


@pytest.mark.parametrize(
    "address", ["a" * 300_000 + "@x.example", "😀" * 90_000, "\ud800" * 90_000]
)
def test_long_addresses_are_cut(address: str) -> None:
    """A stranger's address has its bound, as sender and as recipient, whatever its characters."""
    line = line_of({"900-all": REJECT}, event([address, "b@example.com"] * 60, sender=address))
    assert line["sender"].endswith("...")
    assert line["decisions"][0]["recipient"].endswith("...")
    assert line["decisions"][1]["recipient"] == "b@example.com"


def test_many_recipients_are_counted() -> None:
    """Of ten thousand recipients the first stand in the line, the rest are counted."""
    line = line_of({"900-all": REJECT}, event([f"r{n}@example.com" for n in range(10_000)]))
    assert len(line["decisions"]) + line["decisions_left_out"] == 10_000
    assert line["Rejected"] == [10_000]


def test_many_problems_are_counted() -> None:
    """Fifty documents with many problems each fill one line; the metric counts all documents."""
    stream = io.StringIO()
    problems = {f"rules/{n}": (f"rule {n}: {'found x, expected y. ' * 500}",) for n in range(50)}
    PublisherJournal("publisher", "test", stream=stream).refused(
        Pointer("", Settings(), problems=problems)
    )
    (text,) = stream.getvalue().splitlines()
    assert len(text) <= LONGEST_LINE
    line = json.loads(text)
    assert line[Metric.INVALID_DOCUMENTS] == [50]
    assert len(line["problems"]) + line.get("problems_left_out", 0) == 50


BACKSLASH = "\\"  # two characters in JSON


def job(recipients: int, length: int) -> Job:
    refusals = [
        Refusal(
            recipient=f"{n}{BACKSLASH * length}@example.com",
            rule=f"{n:03}{'r' * 97}",
            recipient_arn=None,
            bounce_type="DoesNotExist",
            dsn=None,
        )
        for n in range(recipients)
    ]
    return Job(
        message_id="m1",
        received_at=NOW,
        reference="bnc-1",
        sender="e" * 100_000 + "@x.example",
        bounce_sender="b@example.com",
        bounce_sender_arn=None,
        messages=(),
        reporting_mta="dns; x.example",
        extension_fields=(),
        refusals=tuple(refusals),
    )


def test_lines_of_the_worker_are_short_enough() -> None:
    """Fifty recipients with long addresses, and errors of any length, fit into a line."""
    stream = io.StringIO()
    journal = Journal("worker", "test", stream=stream)
    journal.begin("r" * 500_000)
    error = ValueError("😀" * 500_000)
    endings = [
        sent("b" * 100_000),
        withheld(Reason.EXPIRED),
        failed(Failure.REFUSED, error),
        failed(Failure.UNREADABLE, error),
    ]
    for ending in endings:
        journal.ended(ending, job(50, 30_000), Settings(), record="r" * 500_000)
    journal.not_mail("x" * 500_000)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 5
    for text in lines:
        assert len(text) <= LONGEST_LINE
        assert json.loads(text)["_aws"]["CloudWatchMetrics"]


JUNK = st.text(st.sampled_from('a\x00\ud800😀é\\"'), max_size=20)
NAMES = st.sampled_from(["sender", "problems", "recipients", "rules", "error"])
MEMBERS = st.dictionaries(NAMES, JUNK | st.lists(JUNK, max_size=5) | st.none() | st.integers())
DECIDED = st.lists(st.tuples(JUNK, st.lists(JUNK, max_size=5)), max_size=10)


def grown(value: object) -> object:
    """Make a drawn value large: a long text, a long list of long texts."""
    match value:
        case str():
            return value * 400
        case list():
            return [item * 400 for item in value] * 30
        case _:
            return value


@pytest.mark.threat
@settings(max_examples=50)
@given(MEMBERS, DECIDED)
def test_no_line_is_too_long(members: dict[str, Any], decided: list[tuple[str, list[str]]]) -> None:
    """Any members make one line of ASCII within the limit, with all members in it."""
    large = {name: grown(value) for name, value in members.items()}
    decisions = [{"recipient": grown(name), "shadow": grown(rules)} for name, rules in decided] * 20
    text = encoded({**large, "decisions": decisions, "Mails": [1]})
    assert len(text) <= LONGEST_LINE
    assert text.isascii()
    assert "\n" not in text
    line = json.loads(text)
    assert {*members, "decisions"} <= line.keys()
    assert line["Mails"] == [1]


class Broken(io.StringIO):
    """A stream on which nothing can be written."""

    def __init__(self, error: Exception, *, only_flush: bool = False) -> None:
        super().__init__()
        self._error = error
        self._only_flush = only_flush

    def write(self, text: str) -> int:
        if self._only_flush:
            return len(text)
        raise self._error

    def flush(self) -> None:
        raise self._error


FAILURES = [
    BrokenPipeError(32, "Broken pipe"),
    OSError(28, "No space left on device"),
    OSError(5, "Input/output error"),
    ValueError("I/O operation on closed file"),
    UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range"),
]


@contextmanager
def broken(error: Exception, *, only_flush: bool) -> Iterator[None]:
    """Break stdout and stderr alike."""
    out, err = Broken(error, only_flush=only_flush), Broken(error, only_flush=only_flush)
    with redirect_stdout(out), redirect_stderr(err):
        yield


@pytest.mark.parametrize("only_flush", [False, True])
@pytest.mark.parametrize("error", FAILURES, ids=repr)
def test_a_broken_stdout_changes_no_answer(error: Exception, *, only_flush: bool) -> None:
    """Intake, worker's journal and account settings go on when stdout and stderr fail."""
    with broken(error, only_flush=only_flush):
        answer = intake({"900-all": REJECT}).handle(event(["ann@example.com"]))
        for write in (None, powertools_writer("worker")):
            journal = Journal("worker", "test", write=write)
            journal.ended(sent("b"), job(1, 1), Settings(), record="q", wait_s=1)
        result = Result(physical_id="x", failure=None)
        account_settings._report({}, result, "r1")  # noqa: SLF001  # the handler needs AWS
    assert answer == {"disposition": "STOP_RULE_SET"}


def test_no_stdout_at_all_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may have been started without the streams."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    answer = intake({"900-all": REJECT}).handle(event(["ann@example.com"]))
    assert answer == {"disposition": "STOP_RULE_SET"}


def test_rules_that_did_not_act_are_named_by_the_cause() -> None:
    """Outside its share, or braked, a rule is in `shadow`, and once more under its cause."""
    rules = [
        read_rule("100-mad", REJECT),
        read_rule("200-trial", "share: 0%\ndrop: {}"),
        read_rule("300-shadow", "mode: shadow\ndrop: {}"),
    ]
    (message,) = read_event(event(["a@example.com"]))
    judgement = judge(message, Ruleset(braked_rules(rules, ["100-mad"])), Settings(), now=NOW)
    stream = io.StringIO()
    Journal("intake", "test", stream=stream).mail(judgement, Settings())
    line = json.loads(stream.getvalue())
    assert line["decisions"][0]["shadow"] == ["100-mad", "200-trial", "300-shadow"]
    assert (line["braked"], line["outside_share"]) == (["100-mad"], ["200-trial"])
    assert not {"braked", "outside_share"} & line_of({"1": REJECT}, event(["a@b.example"])).keys()


def test_rules_that_are_unknown_are_named_and_counted() -> None:
    """Once in the line, and for each recipient in the metric; the mail goes on."""
    rules = {
        "100-list": "when: {recipient: {in: gone}}\ndrop: {}",
        "200-partner": "when: {sender: {in: gone}}\naccept: {}",
        "900-all": REJECT,
    }
    stream = io.StringIO()
    answer = intake(rules, stream).handle(event(["a@example.com", "b@example.com"]))
    mail = json.loads(stream.getvalue())
    assert answer == {"disposition": "CONTINUE"}
    assert mail["unknown"] == ["100-list", "200-partner"]
    assert (mail[Metric.UNKNOWN_CONDITIONS], mail[Metric.UNMATCHED]) == ([4], [2])
    assert "unknown" not in line_of({"900-all": REJECT}, event(["a@example.com"]))


def test_a_bound_of_content_is_named() -> None:
    """The line of a mail whose rule is unknown says which bound was reached."""
    content = Content(b"Content-Type: multipart/mixed\n\nx")
    message = replace(read_event(event(["a@example.com"]))[0], content=content)
    ruleset = Ruleset([read_rule("100-exe", "when: {attachment_name: '*.exe'}\ndrop: {}")])
    stream = io.StringIO()
    judgement = judge(message, ruleset, Settings(), now=NOW)
    Journal("intake", "test", stream=stream).mail(judgement, Settings())
    line = json.loads(stream.getvalue())
    assert (line["unknown"], line["bounds"]) == (["100-exe"], ["boundary"])
