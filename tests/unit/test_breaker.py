"""The breaker trips over many double bounces of many organisations, and over nothing else."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.breaker import LEAST, MOST_OF_ONE, cause_to_hold
from bouncer.errors import DocumentError
from bouncer.operator_settings import Settings
from bouncer.settings_reader import overlaid


def many(number: int) -> list[str]:
    """Double bounces of as many organisations."""
    return [f"organisation-{each}" for each in range(number)]


@pytest.mark.parametrize(
    ("sent", "doubles", "trips"),
    [(20, 19, False), (20, 20, True), (399, 20, True), (400, 20, False), (1000, 51, True)],
)
def test_more_than_the_share_and_twenty_at_least(sent: int, doubles: int, *, trips: bool) -> None:
    """At 5 %; exactly the share is not more than it."""
    assert bool(cause_to_hold(sent, many(doubles), 5)) is trips


def test_the_cause_has_the_numbers() -> None:
    """A person reads them in the parameter, and in the journal."""
    assert cause_to_hold(310, many(23), 5) == "23 of 310 bounces of a day bounced, more than 5%"


def test_one_organisation_counts_three_times_at_most() -> None:
    """Nor do six organisations reach twenty, however many mails they write."""
    assert cause_to_hold(1000, ["attacker"] * 1000, 5) == ""
    assert cause_to_hold(600, many(6) * 100, 5) == ""
    assert cause_to_hold(20, many(7) * 3, 5) != ""


def test_off_never_trips() -> None:
    """`breaker: off`."""
    assert cause_to_hold(100, many(100), None) == ""


@given(st.integers(0, 10_000), st.lists(st.sampled_from("abcdefghijkl")), st.integers(1, 50))
def test_it_never_trips_below_its_limits(sent: int, doubled: list[str], percent: int) -> None:
    """By another way of counting."""
    counted = sum(min(doubled.count(each), MOST_OF_ONE) for each in set(doubled))
    share = Fraction(counted, sent or 1)
    expected = counted >= LEAST and (not sent or share > Fraction(percent, 100))
    assert bool(cause_to_hold(sent, doubled, percent)) is expected


@pytest.mark.parametrize(
    ("text", "percent"),
    [("off", None), ("{double_bounces: 1%}", 1), ("{double_bounces: 50%}", 50)],
)
def test_the_setting_is_a_share_or_off(text: str, percent: int | None) -> None:
    """Without it 5 % hold."""
    assert overlaid(Settings(), f"breaker: {text}").breaker_percent == percent
    assert Settings().breaker_percent == 5


@pytest.mark.parametrize(
    "text",
    [
        "on",
        "5%",
        "{}",
        "{double_bounces: 5}",
        "{double_bounces: 0%}",
        "{double_bounces: 51%}",
        "[]",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """The sentence shows the right form."""
    with pytest.raises(DocumentError, match=r"breaker.*expected .*5%|breaker.*off"):
        overlaid(Settings(), f"breaker: {text}")


@pytest.mark.parametrize(("text", "days"), [("off", 0), ("1d", 1), ("30d", 30)])
def test_suppression_is_days_or_off(text: str, days: int) -> None:
    """At most 30, as the ledger keeps no sender for longer."""
    assert overlaid(Settings(), f"suppression: {text}").suppression_days == days


@pytest.mark.parametrize("text", ["0d", "31d", "30", "1h", "on", "[]"])
def test_another_suppression_is_refused(text: str) -> None:
    """The sentence shows the right form."""
    with pytest.raises(DocumentError, match=r"suppression.*expected days such as 30d, 1d to 30d"):
        overlaid(Settings(), f"suppression: {text}")
