"""The lease: one caller at a time by Lambda's clock, whatever the environments' clocks say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.sending import lease
from bouncer.sending.digest import Salt
from bouncer.sending.lease import KeptOut, Term
from bouncer.sending.write import Item, number, text

TIMEOUT_S = 60.0


def term(*, start: float = 1000.0, skew: float = 0.0, remaining_s: float | None = None) -> Term:
    """The term of an invocation that Lambda starts at `start`, in an environment `skew` s ahead.

    Lambda's runtime works out the remaining time with the wall clock of its environment.
    """
    wall = start + skew
    said = start + TIMEOUT_S - wall if remaining_s is None else remaining_s
    return Term.begin(wall_s=wall, ticks=7.0, remaining_s=said, timeout_s=TIMEOUT_S)


@given(st.floats(-86400, 59), st.floats(0, 60))
def test_the_present_is_lambdas_whatever_the_clock_of_the_environment(
    skew: float, later: float
) -> None:
    """Two environments whose clocks differ by hours agree on the present and on the lease's end."""
    found = term(skew=skew)
    assert found.now_s(7.0 + later) == pytest.approx(1000.0 + later)
    assert found.until_s == pytest.approx(1065.0)


@pytest.mark.parametrize(
    ("said", "left"), [(60.0, 60.0), (50.0, 50.0), (49.9, 60.0), (60.1, 60.0), (0.0, 60.0)]
)
def test_an_unlikely_remaining_time_counts_as_the_timeout(said: float, left: float) -> None:
    """Only a wrong clock makes Lambda's runtime say so at the start of an invocation."""
    assert term(remaining_s=said).ends == 7.0 + left


def test_a_clock_that_is_a_minute_ahead_takes_no_lease_over() -> None:
    """Lambda's runtime says 0 then, whatever the deadline is; a lease that is free can be taken."""
    lost = Term.begin(wall_s=1_000_000.0, ticks=7.0, remaining_s=0.0, timeout_s=TIMEOUT_S)
    assert lost.ends == 67.0
    values = lease.take("me", lost, ticks=8.0, new_salt="new").values
    assert values[":now"] == {"N": "0"}
    assert lease.busy(item(until=1_000_500_000), now_s=lost.now_s(8.0), term=lost).delay_s == 76


def test_a_holder_that_is_met_for_longer_than_any_lease_is_over() -> None:
    """An environment whose clock is a minute ahead knows no other way to tell; it must not wait."""
    kept_out = KeptOut()
    kept_out.note(item(holder="gone"), ticks=100.0)
    kept_out.note(item(holder="gone"), ticks=176.0)
    assert kept_out.past(term(), ticks=185.0) == "nobody"
    assert kept_out.past(term(), ticks=185.1) == "gone"
    kept_out.note(item(holder="other"), ticks=186.0)
    kept_out.note({}, ticks=187.0)
    assert kept_out.past(term(), ticks=271.0) == "nobody"
    assert kept_out.past(term(), ticks=271.1) == "other"
    assert lease.take("me", term(), ticks=8.0, new_salt="new", past="gone").values[":past"] == {
        "S": "gone"
    }


def item(**attributes: str | int) -> Item:
    return {
        name: number(value) if isinstance(value, int) else text(value)
        for name, value in attributes.items()
    }


@pytest.mark.parametrize(
    ("was", "over"), [("nobody", False), ("somebody", True), ("me", True), ("", False)]
)
def test_a_lease_that_was_never_given_back_is_taken_over(was: str, *, over: bool) -> None:
    """So is one whose `was` is the taker: the SDK repeated the write, and the holder is unknown."""
    found = lease.taken(
        item(was=was) if was else {}, environment="here", now_s=1000.0, new_salt="new"
    )
    assert found.taken_over is over


@pytest.mark.parametrize(
    ("env", "over_s", "expected"),
    [
        ("", 1060, False),
        ("here", 1060, False),
        ("there", 1060, True),
        ("there", 1000, True),
        ("there", 999, False),
    ],
)
def test_another_environment_waits_until_the_last_one_is_surely_over(
    env: str, over_s: int, *, expected: bool
) -> None:
    """The same environment knows its own slot; a term that is over can't have called just now."""
    found = item(was="nobody", over=over_s * 1000, **({"env": env} if env else {}))
    assert (
        lease.taken(found, environment="here", now_s=1000.0, new_salt="new").after_stranger
        is expected
    )


@pytest.mark.parametrize(("found", "is_new"), [("new", True), ("old", False)])
def test_a_table_without_a_salt_is_given_one(found: str, *, is_new: bool) -> None:
    """Each invocation that takes the lease offers one; a salt that the table has stays."""
    taking = lease.take("me", term(), ticks=8.0, new_salt="new")
    assert "#salt = if_not_exists(#salt, :salt)" in taking.update
    assert taking.values[":salt"] == text("new")
    taken = lease.taken(item(salt=found), environment="here", now_s=1000.0, new_salt="new")
    assert (taken.salt, taken.salt_is_new) == (Salt(found), is_new)


def test_a_busy_lease_says_when_the_batch_may_come_again() -> None:
    """Eleven seconds after the lease's end; without the item, after the longest that can be."""
    found = lease.busy(item(until=1030_500), now_s=1000.0, term=term())
    assert (found.free_in_s, found.delay_s) == (30.5, 41)
    assert lease.busy({}, now_s=1000.0, term=term()).delay_s == 76
    assert lease.busy(item(until=999_000), now_s=1000.0, term=term()).delay_s == 11


def test_the_writes_say_what_the_design_says() -> None:
    """Each condition and change of the lease, word for word, with every attribute as an alias."""
    taking = lease.take("me", term(), ticks=8.0, new_salt="new").parameters("ledger")
    assert taking["ConditionExpression"] == (
        "(attribute_not_exists(#gone) OR #gone <> :me) AND "
        "(attribute_not_exists(#holder) OR #holder = :me OR #until < :now OR #holder = :past)"
    )
    assert taking["ExpressionAttributeNames"] == {
        f"#{name}": name for name in ("was", "holder", "until", "salt", "gone")
    }
    assert taking["ExpressionAttributeValues"][":until"] == {"N": "1065000"}
    assert taking["ExpressionAttributeValues"][":now"] == {"N": "1001000"}
    assert taking["ExpressionAttributeValues"][":past"] == {"S": "nobody"}
    giving = lease.give_back("me", term(), environment="here").parameters("ledger")
    assert giving["ConditionExpression"] == "#holder = :me"
    assert giving["UpdateExpression"].endswith("REMOVE #holder")
    assert giving["ExpressionAttributeValues"][":over"] == {"N": "1065000"}
    assert giving["Key"] == {"id": {"S": "lease"}}
