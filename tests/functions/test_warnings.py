# a text that looks like another one is what a test is about
"""Doubts about rules reach whoever can change them: journal, doctor, replay and demo."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.sources.loaded import Loaded
from bouncer.sources.source import Document, Documents
from bouncer_cli import command_line as cli
from bouncer_cli.commands.demo_command import SHIPPED_RULES
from bouncer_cli.doctor.finding import Level
from bouncer_cli.documents_check import check_documents
from bouncer_cli.rule_files import FileSource
from bouncer_sim.document_bucket import document_loader
from tests.functions.doctor.aws import found, lines, parameter
from tests.functions.publisher.published_world import PublishedWorld

NOW = datetime(2026, 11, 2, tzinfo=UTC)
DOUBTFUL = 'when: {sender: "@partner.example"}\naccept: {}'
SENTENCE = (
    'when.sender: found "@partner.example", '
    'expected "*@partner.example", as which this is taken: everybody there'
)
MAIL = "Return-Path: <eve@partner.example>\nTo: ann@example.com\n\nx"


class Changing:
    """A source whose rules can be changed."""

    def __init__(self, **rules: str) -> None:
        self.rules = rules

    def read(self) -> Documents:
        return Documents({name: Document(name, text) for name, text in self.rules.items()})


def doubts(rule: str, settings: Settings | None = None, now: datetime = NOW) -> tuple[str, ...]:
    return check_documents(Changing(rule=rule).read(), now, defaults=settings).warnings


def test_the_publisher_reports_doubts() -> None:
    """They stand in a line of their own, with a metric, until the documents change."""
    world = PublishedWorld()
    world.put("rules/rule", DOUBTFUL)
    world.publish()
    (line,) = world.lines("documents_doubtful")
    assert line["warnings"] == [f"/p/rules/rule:1: {SENTENCE}"]
    assert line["DocumentWarnings"] == [1]
    world.put("rules/rule", "accept: {}")
    world.publish()
    assert len(world.lines("documents_doubtful")) == 1


def test_problems_and_doubts_are_two_lines() -> None:
    """A rule that is refused stands among the problems, one that is doubted among the warnings."""
    world = PublishedWorld()
    world.put("rules/a", DOUBTFUL)
    world.put("rules/b", "dorp: {}")
    world.publish()
    messages = {line["message"] for line in world.lines()}
    assert messages == {"published", "documents_invalid", "documents_doubtful"}


def test_a_stale_load_repeats_no_doubt() -> None:
    """While SSM cannot be read, only that is reported."""
    stream = io.StringIO()
    loaded = document_loader(Changing(rule=DOUBTFUL), Settings(), now=lambda: 0.0).load()
    stale = Loaded(loaded.ruleset, loaded.settings, ("down",), stale=True)
    Journal("intake", "test", stream=stream).documents(stale)
    messages = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert messages == ["documents_stale"]


def test_the_settings_and_the_time_count() -> None:
    """A text in UTF-8 is doubted only while `ascii_only` holds, a date only once it is past."""
    rule = (
        "until: 2026-11-01\nwhen: {recipient: a@example.com}\n"
        "reject: {type: DoesNotExist, message: Ящик закрыт}"
    )
    assert len(doubts(rule)) == 2
    assert len(doubts(rule, now=NOW.replace(day=1))) == 1
    assert len(doubts(rule, Settings(ascii_only=False))) == 1


def test_a_rule_that_is_off_is_not_doubted() -> None:
    """It does nothing, whatever it says."""
    assert doubts(f"mode: 'off'\n{DOUBTFUL}") == ()


@pytest.mark.parametrize("shape", [[], ["--format", "json"], ["--explain"]])
def test_replay_says_them_on_stderr(
    shape: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is a line before the output; the mails are judged all the same."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/9-partner.yml").write_text(DOUBTFUL)
    (tmp_path / "rules/10-all.yaml").write_text("drop: {}")
    (tmp_path / "mail.eml").write_text(MAIL)
    words = ["replay", *shape, "--rules", tmp_path / "rules", tmp_path / "mail.eml"]
    assert cli.main([*map(str, words)]) == 0
    captured = capsys.readouterr()
    said = [line for line in captured.err.splitlines() if line.startswith("warning: ")]
    assert [line.partition("/rules/")[2].partition(", expected")[0] for line in said] == [
        "10-all.yaml:1: found no when, so that every mail is dropped",
        '9-partner.yml:1: when.sender: found "@partner.example"',
        "9-partner.yml: found the ending .yml",
        "9-partner.yml: found 10-all before 9-partner, as names are compared as text",
    ]
    assert "10-all" in captured.out


def test_the_doctor_finds_them() -> None:
    """Each is a warning with a next step, and the rules are valid all the same."""
    answer = {"ssm.GetParametersByPath": {"Parameters": [parameter("rules/a", DOUBTFUL)]}}
    findings = found(answer)
    place = "rules: /ses-auto-bouncer/main/rules/a:1"
    assert f"{place}: {SENTENCE}" in lines(findings, Level.WARNING)
    assert any("1 rule below" in line for line in lines(findings, Level.OK))


def test_the_shipped_rules_are_beyond_doubt() -> None:
    """Nobody who starts with them sees a warning."""
    assert check_documents(FileSource(SHIPPED_RULES).read(), NOW).warnings == ()
