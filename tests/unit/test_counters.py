"""Counters stay within what DynamoDB takes, however long somebody goes on."""

from datetime import UTC, datetime, timedelta

import pytest

from bouncer.caps import NO_CAPS, Caps
from bouncer.jobs.job import Job, Refusal
from bouncer.sending.counters import NO_COUNTERS, capped, counters, writes
from bouncer.sending.digest import Salt
from bouncer.sending.write import number

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
SALT = Salt("salt")
CAPS = Caps(sender=((600, 1000),), sender_recipient_rule=((86_400, 1000),))


def job(sender: str = "eve@partner.example", count: int = 50) -> Job:
    refusals = tuple(
        Refusal(
            recipient=f"u{number}@example.com",
            rule="r",
            recipient_arn=None,
            bounce_type="DoesNotExist",
            dsn=None,
        )
        for number in range(count)
    )
    return Job(
        message_id="m1",
        received_at=NOW,
        reference="bnc-1",
        sender=sender,
        bounce_sender="bounces@example.com",
        bounce_sender_arn=None,
        messages=(),
        reporting_mta="dns; mx.example.com",
        extension_fields=(),
        refusals=refusals,
    )


def test_a_log_that_is_too_long_drops_its_oldest() -> None:
    """No write is longer than an expression may be, and each takes out more than it adds."""
    mine = counters(job(), CAPS, SALT)
    at = round(NOW.timestamp())
    long = {f"p{n:016x}": number(at - n) for n in range(1300)}
    items = dict.fromkeys(mine.keys, long)
    found = writes(job(), mine, items, now=NOW, caps=CAPS, again=False)
    for each in found[1:-1]:
        if "REMOVE" in each.update:
            removed = each.update.partition("REMOVE ")[2].split(", ")
            assert len(each.update) < 4096
            assert set(removed) <= {f"#p{n:016x}" for n in range(1000, 1300)}
            assert len(removed) == 60
    assert sum("REMOVE" in each.update for each in found) > 20


def test_fifty_recipients_have_at_most_34_counters() -> None:
    """With job, mail, suppression and claims of 0.1.0 these are at most 87 keys of 100."""
    mine = counters(job(), CAPS, SALT)
    assert len(mine.keys) == len(set(mine.keys)) <= 34
    assert len(writes(job(), mine, {}, now=NOW, caps=CAPS, again=False)) == len(mine.keys)


@pytest.mark.parametrize("sender", ["", "@", "\ud800@x.example", "a@[192.0.2.1]", "x" * 100_000])
def test_any_sender_has_counters(sender: str) -> None:
    """The worker reads jobs of strangers: none of them raises, or makes a long key."""
    assert all(len(key) < 80 for key in counters(job(sender), CAPS, SALT).keys)


def test_items_of_another_version_count_as_nothing() -> None:
    """Attributes that are not ours are passed over."""
    mine = counters(job(), CAPS, SALT)
    other = {"n": number(5000), "id": {"S": "x"}, "hits": number(5000), "people": {"SS": ["x"]}}
    items = {key: dict(other) for key in mine.keys}
    assert not capped(
        job(), mine, items, left=timedelta(hours=24), now=NOW, caps=CAPS, rate=1.0
    ).recipients


def test_without_caps_nothing_is_counted() -> None:
    """No key is read and nothing is written."""
    mine = counters(job(), NO_CAPS, SALT)
    assert mine == NO_COUNTERS
    assert writes(job(), mine, {}, now=NOW, caps=NO_CAPS, again=False) == []
