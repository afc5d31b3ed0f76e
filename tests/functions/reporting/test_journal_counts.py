"""The counts of a report: each query, evaluated over the lines that the functions really write."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from bouncer.reporting.journal_counts import QUERIES, Counts, counts_of
from bouncer.reporting.journal_query import MOST_ROWS, Answer
from bouncer.reporting.period import Period
from bouncer_sim.logs_insights import LogsInsights
from tests.infra.journal_lines import lines

NOW = datetime.now(UTC)
PERIOD = Period(NOW - timedelta(days=1), NOW + timedelta(days=1))


def counted(null: str | None = None, *more: str) -> Counts:
    texts = [json.dumps(line, separators=(",", ":")) for line in lines()]
    return counts_of(LogsInsights([*texts, *more], null=null).answers(QUERIES, PERIOD))


def total(metric: str, *events: str) -> int:
    return sum(line.get(metric, [0])[0] for line in lines() if line["message"] in events)


@pytest.mark.parametrize("null", [None, "null"])
def test_mails_and_decisions_are_those_of_the_metrics(null: str | None) -> None:
    """The lines carry both; the metrics were counted where the mail was judged."""
    counts = counted(null)
    assert counts.mails
    assert sum(each.mails for each in counts.mails) == total("Mails", "mail")
    assert sum(each.mails for each in counts.mails if each.went_on) == total("WentOn", "mail")
    by_action: Counter[str] = Counter()
    for each in counts.decisions or ():
        by_action[each.action] += each.recipients
    names = {"accept": "Accepted", "reject": "Rejected", "drop": "Dropped", "": "Unmatched"}
    assert by_action == {word: total(metric, "mail") for word, metric in names.items()}
    withheld = sum(each.recipients for each in counts.decisions or () if each.reason)
    assert withheld == total("Withheld", "mail") > 0
    assert {each.rule for each in counts.decisions or () if not each.action} == {""}


def test_matches_that_were_only_recorded_are_those_of_the_metrics() -> None:
    """Of rules in shadow mode, and of those outside their share."""
    counts = counted()
    assert counts.shadows
    assert sum(each.recipients for each in counts.shadows) == total("ShadowMatches", "mail")
    assert {each.rule for each in counts.shadows} == {"210-shadow", "220-trial"}


def test_bounces_count_once() -> None:
    """A job that was delivered again after its end has further lines, with `again`."""
    counts = counted()
    (sent,) = [each for each in counts.lines or () if each.event == "sent"]
    assert sent.times == total("Sent", "sent") == 1
    assert sum(each.jobs for each in counts.jobs or () if each.event == "sent") == 1
    reasons = {each.reason for each in counts.lines or () if each.event == "withheld"}
    assert {"capped", "braked", "sender_bounced_before", "expired"} <= reasons


def test_replies_are_counted_by_their_rule() -> None:
    """Their lines have one rule each, and no list of rules."""
    line = {"message": "replied", "timestamp": NOW.isoformat(), "rule": "250-away"}
    withheld = {**line, "message": "reply_withheld", "reason": "replied_before"}
    again = {**line, "again": True}
    counts = counted(None, *map(json.dumps, (line, line, withheld, again)))
    ours = [each for each in counts.replies or () if each.rule == "250-away"]
    assert sorted(ours) == [
        ("replied", "", "250-away", 2),
        ("reply_withheld", "replied_before", "250-away", 1),
    ]


def test_jobs_from_which_recipients_were_taken_out_are_counted() -> None:
    """A cap that withholds a part of a bounce has no line of its own."""
    line = {
        "message": "sent",
        "timestamp": NOW.isoformat(),
        "capped": ["ann@example.com", "bob@example.com"],
        "braked_recipients": ["eve@example.com"],
        "rules": ["200-departed"],
    }
    counts = counted(None, json.dumps(line))
    (sent,) = [each for each in counts.lines or () if each.event == "sent"]
    assert (sent.times, sent.capped, sent.braked) == (2, 1, 1)


def test_a_mail_of_a_hundred_recipients_is_counted_whole() -> None:
    """CloudWatch Logs finds 200 fields of a line by itself; such a mail has 500."""
    decision = {
        "action": "reject",
        "rule": "200-departed",
        "shadow": ["210-shadow"],
        "withheld": None,
    }
    line = {
        "message": "mail",
        "timestamp": NOW.isoformat(),
        "decisions": [{"recipient": f"r{number}@example.com", **decision} for number in range(100)],
        "disposition": "STOP_RULE_SET",
        "went_on": None,
        "mode": "shadow",
        "ShadowMatches": [100],
    }
    text = json.dumps(line, separators=(",", ":"))
    counts = counts_of(LogsInsights([text]).answers(QUERIES, PERIOD))
    assert counts.mails == (("STOP_RULE_SET", "", 1),)
    assert counts.decisions == (("reject", "200-departed", "", 100, "shadow"),)
    assert counts.shadows == (("210-shadow", 100),)


def test_lines_of_another_time_are_left_out() -> None:
    """A report is about its period."""
    past = Period(NOW - timedelta(days=3), NOW - timedelta(days=2))
    texts = [json.dumps(line) for line in lines()]
    counts = counts_of(LogsInsights(texts).answers(QUERIES, past))
    assert counts == ((), (), (), (), (), (), (), False)


def test_an_endpoint_that_answers_every_row_is_a_gap() -> None:
    """Emulators answer `stats` with the lines themselves; no number is made of them."""
    answers = [Answer(({"@message": "{}", "@timestamp": "2026-11-28"},))] * len(QUERIES)
    counts = counts_of(answers)
    assert counts[:6] == (None,) * 6
    (gap,) = counts.gaps  # one reason is said once
    assert gap.startswith(", ".join(query.asks for query in QUERIES) + ": found rows without")
    assert gap.endswith("this endpoint does not evaluate the query")


@pytest.mark.parametrize("number", ["many", "1e999", ""])
def test_numbers_that_are_none_are_a_gap_or_zero(number: str) -> None:
    """No answer ends a report."""
    names = [query.number for query in QUERIES]
    counts = counts_of([Answer(({name: number},)) for name in names])
    assert (counts.mails is None) is bool(number)


def test_a_gap_of_one_answer_is_no_gap_of_another() -> None:
    """All else is reported."""
    answers = [Answer(gap="no answer"), *(Answer() for _ in QUERIES[1:])]
    counts = counts_of(answers)
    assert counts.mails is None
    assert counts.decisions == ()
    assert counts.gaps == ("the number of mails: no answer",)


def test_an_answer_with_as_many_rows_as_there_can_be_is_cut() -> None:
    """Nobody knows then what was left out."""
    texts = [
        json.dumps(
            {
                "message": "mail",
                "timestamp": NOW.isoformat(),
                "decisions": [{"action": "drop", "rule": f"r{number}"} for number in range(10_001)],
            }
        )
    ]
    counts = counts_of(LogsInsights(texts).answers(QUERIES, PERIOD))
    assert counts.cut
    assert len(counts.decisions or ()) == MOST_ROWS


@pytest.mark.parametrize(
    "text",
    [
        "filter message = 1",
        'filter message = "mail" or message = "sent"',
        "stats avg(x) as y by z",
        "display message",
    ],
)
def test_the_model_refuses_what_it_does_not_know(text: str) -> None:
    """Otherwise a query could pass the tests that Insights would answer in another way."""
    query = QUERIES[0]._replace(text=text)
    with pytest.raises((ValueError, KeyError)):
        LogsInsights([]).answers([query], PERIOD)
