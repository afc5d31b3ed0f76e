"""The document `held`, and mail that goes on after 12 hours of it."""

from datetime import UTC, datetime, timedelta

import pytest

from bouncer.errors import DocumentError
from bouncer.held import Held, first_held
from bouncer.held_document import held_document, read_held
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.rules.rule import Mode
from tests.unit.test_went_on import CUT, ended, judged

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


def held(since: datetime | None) -> Held:
    return Held(since=since, by="ann", why="", document="held")


def test_what_is_written_is_read() -> None:
    """`bouncer pause` and the functions agree on the document, whatever the reason says."""
    for why in ("", "SES reviews us", 'a "quote" and é', "two\nlines", "x" * 1000):
        text = held_document(since=NOW, by="arn:aws:iam::1:user/ann", why=why)
        found = read_held(text, document="held")
        assert (found.since, found.by) == (NOW, "arn:aws:iam::1:user/ann")
        assert found.why == " ".join(why.split())[:300]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "held: found nothing, expected a mapping with since and by"),
        ("by: ann", "held:1: since: found nothing, expected a time with its offset"),
        ("since: 2026-11-27T08:00:00\nby: ann", 'held:1: since: found "2026-11-27T08:00:00"'),
        ("since: yesterday, at noon\nby: ann", 'held:1: since: found "yesterday, at noon"'),
        ("since: 2026-13-27T08:00:00+00:00\nby: ann", 'since: found "2026-13-27'),
        ("since: 0001-01-01T00:00:00+23:59\nby: ann", 'since: found "0001-01-01'),
        ("since: 2026-11-27T08:00:00Z", "held:1: by: found nothing, expected text of 1 to 300"),
        ("since: 2026-11-27T08:00:00Z\nby: [ann]", "held:2: by: found a list"),
        ("since: 2026-11-27T08:00:00Z\nby: ann\nwhy: ''", "held:3: why: found"),
        ("since: 2026-11-27T08:00:00Z\nby: ann\nuntil: x", 'held:3: until: found unknown key "un'),
        ("{", "held:1: found"),
    ],
)
def test_any_other_document_is_refused(text: str, says: str) -> None:
    """As strictly as a rule: with its place, what was found and what was expected."""
    with pytest.raises(DocumentError) as raised:
        read_held(text, document="held")
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("since", "is_long"),
    [
        (NOW, False),
        (NOW + timedelta(hours=1), False),
        (NOW - timedelta(hours=12) + timedelta(seconds=1), False),
        (NOW - timedelta(hours=12), True),
        (None, True),
    ],
)
def test_mail_goes_on_from_the_twelfth_hour(since: datetime | None, *, is_long: bool) -> None:
    """A start that nobody knows counts as long ago: mail then goes on instead of waiting."""
    assert held(since).is_long(NOW) is is_long


def test_the_longest_cause_counts() -> None:
    """A second cause does not begin the 12 hours anew."""
    early, late = held(NOW - timedelta(hours=13)), held(NOW)
    assert first_held([late, early]) is early
    assert first_held([late, early, held(None)]) == held(None)
    assert first_held([]) is None


def test_a_mail_that_would_be_bounced_goes_on() -> None:
    """It makes no job, and its reason is `held`."""
    judgement = judged("ann", goes_on=True)
    assert ended(judgement) == ("CONTINUE", Reason.HELD, [])
    assert judgement.withheld == {"ann@example.com": Reason.HELD}


def test_what_stops_for_another_reason_still_stops() -> None:
    """`drop`, and a bounce that is withheld for a reason about its sender."""
    assert ended(judged("trash", goes_on=True)) == ("STOP_RULE_SET", None, [])
    for change in ({"spam": "FAIL"}, {"sender": "noreply@partner.example"}, {"sender": ""}):
        stopped = judged("ann", goes_on=True, **change)  # type: ignore[arg-type]  # all are texts
        assert ended(stopped) == ("STOP_RULE_SET", None, [])
        assert Reason.HELD not in stopped.withheld.values()


def test_another_reason_to_go_on_is_named_before_it() -> None:
    """It would let the mail go on after sending is resumed, too."""
    assert ended(judged("ann", mail=CUT, goes_on=True))[1] is Reason.HEADERS_TRUNCATED


def test_a_kept_mail_is_not_answered_either() -> None:
    """It goes on anyway; a bounce of it would wait with all others."""
    kept = judged("kept", goes_on=True)
    assert ended(kept) == ("CONTINUE", None, [])
    assert kept.withheld == {"kept@example.com": Reason.HELD}


def test_shadow_mode_records_it_only() -> None:
    """Every mail goes on there, whether sending is held or not."""
    shadow = judged("ann", settings=Settings(mode=Mode.SHADOW), goes_on=True)
    assert ended(shadow) == ("CONTINUE", None, [])
    assert shadow.withheld == {"ann@example.com": Reason.HELD}
