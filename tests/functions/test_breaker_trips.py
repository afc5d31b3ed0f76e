"""The breaker holds sending when too many bounces of a day bounced, and is resumed by a person."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from bouncer.errors import DocumentError
from bouncer.held import Held
from bouncer.held_document import held_document, read_held
from bouncer.jobs.job_json import from_json, to_json
from bouncer.sending.bounce_event import Kind
from bouncer_sim.clock import now
from tests.functions.feedback_line import PREFIX, FeedbackLine
from tests.functions.worker.bounce_fates import event_text
from tests.functions.worker.lone_worker import TOGETHER, WRITE

HELD = f"{PREFIX}/held"
DAY_S = 86_400


@pytest.fixture
def line() -> Iterator[FeedbackLine]:
    with ExitStack() as stack:
        yield FeedbackLine(stack)


def bounce(line: FeedbackLine, count: int, host: str = "h{}.example", first: int = 0) -> list[str]:
    """Send so many bounces, each to a sender of its own; return their ids."""
    before = len(line.lone.ses.calls)
    for number in range(first, first + count):
        job = from_json(line.lone.job(message_id=f"m{number}"))
        sender = f"u{number}@{host.format(number)}"
        line.lone.deliver(to_json(replace(job, sender=sender)), first=number + 1)
    return [f"bounce-{number}" for number in range(before + 1, before + 1 + count)]


def bounced(line: FeedbackLine, ids: list[str], kind: Kind = Kind.PERMANENT) -> None:
    """Hand the events of these bounces over, one by one."""
    for bounce_id in ids:
        assert line.hand(event_text(bounce_id, kind)) == []


def held(line: FeedbackLine) -> Held | None:
    found = line.ssm.get_parameters(Names=[HELD])["Parameters"]
    return read_held(found[0]["Value"], document="held") if found else None


def test_twenty_double_bounces_hold_sending(line: FeedbackLine) -> None:
    """The parameter says who holds it and why, and the journal how to resume."""
    ids = bounce(line, 30)
    bounced(line, ids[:19])
    assert held(line) is None
    bounced(line, ids[19:20])
    found = held(line)
    assert found is not None
    assert (found.by, found.since) == ("breaker", now(line.lone.clock))
    assert found.why == "20 of 30 bounces of a day bounced, more than 5%"
    told = line.lines[-1]
    assert (told["message"], told["BreakerTrips"]) == ("breaker_tripped", [1])
    assert told["problem"] == f"sending is held: {found.why}; bouncer resume ends it"


@pytest.mark.threat
def test_a_stranger_with_dead_mailboxes_of_his_own_domain_cannot_trip_it(
    line: FeedbackLine,
) -> None:
    """Twenty mails that pass SPF, and their subdomains, count three times."""
    bounced(line, bounce(line, 30, "attacker.example"))
    bounced(line, bounce(line, 30, "h{}.attacker.example", first=30))
    assert held(line) is None


def test_his_bounces_take_no_room(line: FeedbackLine) -> None:
    """An organisation has three entries a day, so that no item grows with what it provokes."""
    bounced(line, bounce(line, 12, "attacker.example"))
    items = line.lone.items.scan(TableName=line.lone.name)["Items"]
    (doubled,) = [each for each in items if each["id"]["S"].startswith("doubled#")]
    assert len(doubled) == 2 + 3  # key and expiry


@pytest.mark.parametrize(("kind", "trips"), [(Kind.TRANSIENT, False), (Kind.COMPLAINT, True)])
def test_complaints_count_and_transient_bounces_do_not(
    line: FeedbackLine, kind: Kind, *, trips: bool
) -> None:
    """As for suppression."""
    bounced(line, bounce(line, 20), kind)
    assert bool(held(line)) is trips


def test_repeated_events_count_once(line: FeedbackLine) -> None:
    """Nineteen bounces that are reported five times are nineteen."""
    ids = bounce(line, 19)
    for _ in range(5):
        bounced(line, ids)
    assert held(line) is None


def test_bounces_of_the_day_before_do_not_count(line: FeedbackLine) -> None:
    """However late their events come."""
    old = bounce(line, 15)
    line.lone.clock.sleep(DAY_S)
    bounced(line, old)
    bounced(line, bounce(line, 15, first=15))
    assert held(line) is None


def test_off_holds_nothing(line: FeedbackLine) -> None:
    """The setting counts at the time of the event."""
    line.lone.source.text = "breaker: off"
    ids = bounce(line, 21)
    bounced(line, ids[:20])
    assert held(line) is None
    line.lone.source.text = "breaker: {double_bounces: 50%}"
    bounced(line, ids[20:])
    assert held(line) is not None


def test_a_persons_pause_stays_as_it_is(line: FeedbackLine) -> None:
    """Neither the parameter nor the counts change; after it is resumed the breaker may trip."""
    text = held_document(since=now(line.lone.clock), by="ann", why="a test")
    ids = bounce(line, 21)
    line.ssm.put_parameter(Name=HELD, Type="String", Value=text)
    bounced(line, ids[:20])
    assert held(line) == read_held(text, document="held")
    assert "breaker_tripped" not in line.said
    line.ssm.delete_parameter(Name=HELD)
    bounced(line, ids[20:])
    assert (held(line) or pytest.fail("not held")).by == "breaker"


def test_paused_settings_are_left_alone(line: FeedbackLine) -> None:
    """Sending is held already, by another document."""
    ids = bounce(line, 20)
    line.lone.source.text = "sending: paused"
    bounced(line, ids)
    assert held(line) is None


def test_after_a_resume_it_does_not_trip_from_the_same_events(line: FeedbackLine) -> None:
    """Late events of bounces from before suppress, and count no more; new ones count again."""
    ids = bounce(line, 40)
    bounced(line, ids[:20])
    line.lone.clock.sleep(300)
    line.ssm.delete_parameter(Name=HELD)
    bounced(line, ids[20:])
    assert held(line) is None
    fresh = bounce(line, 20, first=40)
    bounced(line, fresh[:19])
    assert held(line) is None
    bounced(line, fresh[19:])
    assert (held(line) or pytest.fail("not held")).why.startswith("20 of 20 bounces")


def test_what_is_sent_before_the_worker_knows_counts_for_nothing(line: FeedbackLine) -> None:
    """Its settings may be a minute old: these bounces belong to the campaign, too."""
    bounced(line, bounce(line, 20))
    straggling = bounce(line, 25, first=20)
    line.lone.clock.sleep(300)
    line.ssm.delete_parameter(Name=HELD)
    bounced(line, straggling)
    assert held(line) is None


@pytest.mark.parametrize(("what", "times"), [(TOGETHER, 2), (WRITE, 1)])
def test_a_function_that_fails_in_between_goes_on(
    line: FeedbackLine, what: str, times: int
) -> None:
    """The event comes again, finds what was done, and trips or counts anew."""
    ids = bounce(line, 21)
    bounced(line, ids[:19])
    line.lone.table.fail(what, "after", times=times)
    last = event_text(ids[19], Kind.PERMANENT)
    assert line.hand(last) == ["e1"]
    line.lone.clock.sleep(180)
    assert line.hand(last) == []
    assert held(line) is not None
    line.lone.clock.sleep(300)
    line.ssm.delete_parameter(Name=HELD)
    bounced(line, ids[20:])
    assert held(line) is None


def test_a_parameter_that_cannot_be_written_brings_the_event_again(
    line: FeedbackLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alarm feedback-errors says so; the sender is suppressed all the same."""
    ids = bounce(line, 20)
    bounced(line, ids[:19])
    refused = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Any")

    def refuse(**_: object) -> None:
        raise refused

    with monkeypatch.context() as patch:
        patch.setattr(line.ssm, "put_parameter", refuse)
        assert line.hand(event_text(ids[19], Kind.PERMANENT)) == ["e1"]
    assert line.said[-1] == "feedback_failed"
    assert line.lines[-1]["stage"] == "breaker"
    assert line.hand(event_text(ids[19], Kind.PERMANENT)) == []
    assert held(line) is not None


def test_a_parameter_that_nobody_can_read_is_a_persons(line: FeedbackLine) -> None:
    """It holds sending already, and is not touched."""
    line.ssm.put_parameter(Name=HELD, Type="String", Value="held!")
    bounced(line, bounce(line, 20))
    with pytest.raises(DocumentError):
        held(line)
    assert "breaker_tripped" not in line.said
