"""A share is the same people each time, as many as it says, and part of every larger share."""

from itertools import combinations
from math import sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.mail.message import read_record
from bouncer.rules import share
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Decision, Ruleset
from bouncer.rules.share import in_share

texts = st.text(max_size=30)
percents = st.integers(0, 100)
CORRESPONDENTS = [(f"s{number}@partner.example", "ann@example.com") for number in range(10_000)]


@given(texts, texts, texts, percents, percents)
def test_a_share_includes_every_smaller_one(
    rule: str, sender: str, recipient: str, one: int, other: int
) -> None:
    """A correspondent in 10 % is in 30 %; nobody is in 0 %, everybody in 100 %."""
    small, large = sorted((one, other))
    if in_share(rule, small, sender, recipient):
        assert in_share(rule, large, sender, recipient)
    assert not in_share(rule, 0, sender, recipient)
    assert in_share(rule, 100, sender, recipient)


@pytest.mark.parametrize("percent", [1, 10, 30, 50, 90, 99])
def test_a_share_has_as_many_as_it_says(percent: int) -> None:
    """Of 10,000 correspondents, within four standard deviations of the binomial distribution."""
    count, part = len(CORRESPONDENTS), percent / 100
    found = sum(in_share("200-trial", percent, *each) for each in CORRESPONDENTS)
    assert abs(found - count * part) < 4 * sqrt(count * part * (1 - part))


def test_each_rule_has_a_share_of_its_own() -> None:
    """Of those in the share of one rule, another rule has no more and no fewer than of all."""
    both = [
        each
        for each in CORRESPONDENTS
        if in_share("200-trial", 50, *each) and in_share("201-trial", 50, *each)
    ]
    assert abs(len(both) - 2500) < 4 * sqrt(10_000 * 0.25 * 0.75)


@pytest.mark.parametrize(
    ("sender", "recipient"),
    [
        ("EVE@Partner.Example", "ann@example.com"),
        ("eve+7@partner.example", "ann+news@example.com"),
        ("prvs=0123456789=eve@partner.example", "Ann@Example.com"),
        ("eve-ann=example.com@partner.example", "ann@example.com"),
    ],
)
def test_a_correspondent_is_always_treated_alike(sender: str, recipient: str) -> None:
    """However mail systems write the same two people, they are in the same shares."""
    for percent in range(101):
        usual = in_share("200-trial", percent, "eve@partner.example", "ann@example.com")
        assert in_share("200-trial", percent, sender, recipient) == usual


def test_the_share_of_a_correspondent_never_changes() -> None:
    """These places are those of version 0.2: another hash would treat everybody anew."""
    places = {
        name: next(
            percent
            for percent in range(101)
            if in_share(name, percent, "eve@partner.example", "ann@example.com")
        )
        for name in ("200-trial", "201-trial", "900-unknown")
    }
    assert places == {"200-trial": 79, "201-trial": 93, "900-unknown": 9}


def decided(document: str, sender: str, **fields: Any) -> Decision:
    """The decision of a rule, and of one that accepts the rest, about a mail to Ann."""
    mail = {"messageId": "m1", "source": sender, **fields}
    message = read_record({"ses": {"mail": mail, "receipt": {"recipients": ["ann@example.com"]}}})
    rules = [read_rule("200-trial", document), read_rule("900-rest", "accept: {}")]
    return Ruleset(rules).decide(message, "ann@example.com")


def test_outside_its_share_a_rule_is_recorded_and_passed_over() -> None:
    """The rules behind it decide, and the record says why it did not."""
    for number in range(20):
        sender = f"s{number}@partner.example"
        decision = decided("share: 40%\ndrop: {}", sender)
        inside = in_share("200-trial", 40, sender, "ann@example.com")
        assert decision.rule is not None
        assert decision.rule.name == ("200-trial" if inside else "900-rest")
        recorded = [(rule.name, rule.recorded_as) for rule in decision.shadow]
        assert recorded == ([] if inside else [("200-trial", "outside its share of 40%")])


PEOPLE = tuple(f"p{number}@example.com" for number in range(4))


@pytest.mark.parametrize("recipients", [*combinations(PEOPLE, 1), *combinations(PEOPLE, 2)])
def test_a_rule_acts_on_all_recipients_of_a_mail_or_on_nobody(recipients: tuple[str, ...]) -> None:
    """A mail is never delivered to all and bounced for some: one outside means all are."""
    mail = {"messageId": "m1", "source": "eve@partner.example"}
    receipt = {"recipients": list(recipients)}
    message = read_record({"ses": {"mail": mail, "receipt": receipt}})
    rule = read_rule("200-trial", "share: 50%\nwhen: {sender: eve@partner.example}\ndrop: {}")
    acted = [decision.rule is not None for decision in Ruleset([rule]).decisions(message)]
    inside = all(in_share("200-trial", 50, message.sender, each) for each in recipients)
    assert acted == [inside] * len(recipients)


def test_those_people_are_on_both_sides() -> None:
    """Else the test above would show nothing."""
    found = {in_share("200-trial", 50, "eve@partner.example", each) for each in PEOPLE}
    assert found == {True, False}


def test_a_share_is_worked_out_once_for_a_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many recipients, all inside, cost as many digests as they are, not their square."""
    asked: list[Any] = []

    def inside(*correspondent: Any) -> bool:
        asked.append(correspondent)
        return True

    monkeypatch.setattr(share, "in_share", inside)
    recipients = [f"ann+{number}@example.com" for number in range(100)]
    mail = {"messageId": "m1", "source": "eve@partner.example"}
    message = read_record({"ses": {"mail": mail, "receipt": {"recipients": recipients}}})
    rules = Ruleset([read_rule("200-trial", "share: 99%\ndrop: {}")])
    assert all(decision.rule for decision in rules.decisions(message))
    assert len(asked) == len(recipients)


def test_a_share_of_a_rule_in_shadow_changes_nothing() -> None:
    """A rule in mode shadow records all mail, as shadow."""
    decision = decided("mode: shadow\nshare: 0%\ndrop: {}", "eve@partner.example")
    assert [rule.recorded_as for rule in decision.shadow] == ["shadow"]


def test_an_unknown_accept_rule_ends_the_decision_only_in_its_share() -> None:
    """Outside its share it could not accept the mail, so the rules behind it are asked."""
    ended = {
        number: decided(
            "share: 40%\nwhen: {sender: {in: nobody}}\naccept: {}", f"s{number}@partner.example"
        ).ended_by
        is not None
        for number in range(20)
    }
    assert ended == {
        number: in_share("200-trial", 40, f"s{number}@partner.example", "ann@example.com")
        for number in range(20)
    }
