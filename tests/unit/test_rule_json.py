"""A rule that was written as JSON and read again is the same rule, and decides the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bouncer.mail.message import read_record
from bouncer.rules.rule import Rule
from bouncer.rules.rule_json import rule_of, rule_values
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer_cli.rule_files import FileSource
from tests import oracle
from tests.unit.ruleset_mails import LISTS, compiled, rulesets
from tests.unit.test_ruleset import records

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "rules", *sorted(ROOT.glob("tests/cases/*/rules"))]


def again(rule: Rule) -> Rule:
    """The rule after a journey through the text of JSON."""
    return rule_of(json.loads(json.dumps(rule_values(rule))))


def rules_of(folder: Path) -> list[Rule]:
    """The rules in a folder of files."""
    documents = FileSource(folder).read().rules
    return [read_rule(name, document.text) for name, document in documents.items()]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_shipped_rule_survives(folder: Path) -> None:
    """The rules of all golden cases, and the starter rules, are equal after the journey."""
    rules = rules_of(folder)
    assert [again(rule) for rule in rules] == rules


EVERYTHING = """
description: "All that a rejection may have: é"
mode: shadow
from: 2026-12-01T08:00+01:00
until: 2027-01-31
share: 10%
at_most: {bounces: 100, per: 10m}
when:
  any:
    - source_ip: [192.0.2.0/24, "2001:db8::/32"]
    - recipients: {over: 3, under: 9}
    - time: {days: [sat, sun], between: ["18:00", "08:00"], zone: Europe/Berlin}
    - header: {list-id: true, x-a: {regex: "^a+$"}}
    - not: {spam: pass, sender_domain: .example.com}
reject:
  status: "5.7.1"
  smtp_code: 550
  action: failed
  diagnostic: "no {recipient}"
  remote_mta: mx.example.com
  final_recipient: ann@example.com
  last_attempt_date: true
  recipient_extension_fields: {X-One: "1"}
  message: "Sorry, {sender}"
  keep_copy: true
  answer: [lists, unauthenticated]
  sender: "Ann <ann@example.com>"
  sender_arn: arn:aws:ses:eu-west-1:123456789012:identity/example.com
  recipient_arn: arn:aws:ses:eu-west-1:123456789012:identity/example.com
  reporting_mta: mx.example.com
  extension_fields: {X-Two: "2", X-Three: "3"}
"""


def test_a_rule_with_everything_survives() -> None:
    """No member of a rule gets lost."""
    rule = read_rule("100-all", EVERYTHING)
    assert again(rule) == rule
    assert not {value for value in rule_values(rule).values() if value is None}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rulesets, st.lists(records(), min_size=1, max_size=3))
def test_rules_decide_as_before(found: dict[str, Any], mails: list[dict[str, Any]]) -> None:
    """After the journey rules decide as the oracle does by their documents."""
    rules = compiled(found, LISTS).rules
    assert tuple(map(again, rules)) == rules
    ruleset = Ruleset(map(again, rules), compiled(found, LISTS).lists)
    for record in mails:
        message = read_record(record)
        for recipient in message.recipients:
            decision = ruleset.decide(message, recipient)
            named = decision.rule.name if decision.rule else None
            before = (decision.shadow, decision.unknown)
            passed = ([rule.name for rule in each] for each in before)
            assert (named, *passed) == oracle.decide(found, message, recipient, LISTS)


def test_document_and_warnings_are_left_out() -> None:
    """The same rule from a file and from a parameter has the same values."""
    text = "drop: {}"
    here, there = (read_rule("a", text, document=name) for name in ("a.yaml", "/p/rules/a"))
    assert here.warnings
    assert rule_values(here) == rule_values(there)
    assert "a.yaml" not in json.dumps(rule_values(here))
