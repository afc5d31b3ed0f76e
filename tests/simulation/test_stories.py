"""Failures that broke a law of the sending side before it was rewritten, each as its own story.

Troubles stand for the calls of an item and for those of a transaction, as the ledger may use both.
"""

from collections.abc import Sequence

import pytest

from bouncer_sim.world.chronicle import story
from bouncer_sim.world.incident import (
    CallIncident,
    ClockJump,
    Incident,
    InvocationIncident,
    Mishap,
    Outage,
    Trouble,
)
from bouncer_sim.world.laws import LAWS, Breach, breaches
from bouncer_sim.world.scenario import (
    DAY_S,
    HOUR_S,
    JobWaits,
    MailArrives,
    OddBody,
    Scenario,
    Step,
)
from bouncer_sim.world.simulated_world import History, SimulatedWorld
from bouncer_sim.world.wire import Latency

THREE = ("ann@example.com", "bob@example.com", "cara@example.com")
STEADY = Latency(least_s=0.01, most_s=0.01)


def told(
    *parts: Step | Incident,
    ses_latency: Latency = STEADY,
    expiry_margin_s: int = 600,
) -> Scenario:
    """A scenario of steps and incidents, with SES at a constant distance."""
    incident = (CallIncident, InvocationIncident, Outage, ClockJump)
    return Scenario(
        name="story",
        steps=tuple(part for part in parts if not isinstance(part, incident)),
        incidents=tuple(part for part in parts if isinstance(part, incident)),
        ses_latency=ses_latency,
        expiry_margin_s=expiry_margin_s,
    )


def job(message_id: str, *recipients: str, at: float = 0.0, age_s: float = 0.0) -> JobWaits:
    return JobWaits(at=at, message_id=message_id, recipients=recipients or THREE[:1], age_s=age_s)


def jobs(count: int) -> tuple[JobWaits, ...]:
    return tuple(job(f"m{number}") for number in range(count))


def calls(call: str, trouble: Trouble, *numbers: int) -> tuple[CallIncident, ...]:
    return tuple(CallIncident(call=call, nth=number, trouble=trouble) for number in numbers)


def twice(*, after_s: float = 0.0, same_id: bool = False) -> InvocationIncident:
    return InvocationIncident(
        function="worker", nth=1, mishap=Mishap.TWICE, seconds=after_s, same_id=same_id
    )


def run(scenario: Scenario) -> History:
    return SimulatedWorld(scenario).run()


def assert_holds(law: str, scenario: Scenario) -> None:
    """Check one law; a failure shows the story."""
    assert law in {each.__name__ for each in LAWS}
    history = run(scenario)
    found: Sequence[Breach] = [breach for breach in breaches(history) if breach.law == law]
    assert not found, "\n".join(story(history, found))


def test_an_outage_in_the_midst_of_claiming_loses_no_recipient() -> None:
    """DynamoDB throttles after the second of three claims, and during their release."""
    scenario = told(
        job("m1", *THREE),
        *calls("dynamodb.put_item", Trouble.THROTTLED, 3, 4, 5),
        *calls("dynamodb.delete_item", Trouble.THROTTLED, 1, 2, 3),
        *calls("dynamodb.transact_write_items", Trouble.THROTTLED, *range(1, 8)),
    )
    assert_holds("every_outcome_is_true", scenario)


def test_a_claim_whose_answer_was_lost_is_not_a_bounce() -> None:
    """The claim takes effect, all answers are lost: the job is bounced later, or unknown."""
    scenario = told(
        job("m1"),
        *calls("dynamodb.put_item", Trouble.LOST_ANSWER, 1, 2, 3),
        *calls("dynamodb.transact_write_items", Trouble.LOST_ANSWER, *range(1, 6)),
    )
    assert_holds("every_outcome_is_true", scenario)


def test_a_release_that_is_refused_loses_no_bounce() -> None:
    """SES is away until the time is up, and the release of the claim does not reach DynamoDB."""
    scenario = told(
        job("m1"),
        Outage(place="ses", start=0, end=60, trouble=Trouble.UNAVAILABLE),
        *calls("dynamodb.delete_item", Trouble.UNREACHABLE, 1, 2, 3),
        *calls("dynamodb.transact_write_items", Trouble.UNREACHABLE, *range(2, 7)),
    )
    assert_holds("every_outcome_is_true", scenario)


def test_a_batch_that_lambda_invokes_late_does_not_meet_its_redelivery() -> None:
    """Throttled for 354 s, then invoked; redelivered after 360 s: two environments call SES."""
    late = InvocationIncident(function="worker", nth=1, mishap=Mishap.DELAYED, seconds=354)
    assert_holds("no_two_calls_arrive_within_a_second", told(*jobs(10), late))


def test_a_batch_that_is_invoked_late_has_one_outcome_for_each_job() -> None:
    """The redelivered batch finds claims that are the other's: they are not outcomes."""
    late = InvocationIncident(function="worker", nth=1, mishap=Mishap.DELAYED, seconds=354)
    assert_holds("every_job_has_one_outcome", told(*jobs(10), late))


def test_a_batch_that_is_invoked_twice_has_one_outcome_for_each_job() -> None:
    """Lambda invokes the same batch twice at once."""
    assert_holds("every_job_has_one_outcome", told(*jobs(4), twice(after_s=0.5)))


def test_request_ids_that_repeat_bounce_nobody_twice() -> None:
    """The same batch twice at once, with one request id: one claim for both."""
    scenario = told(*jobs(3), twice(same_id=True))
    assert_holds("no_recipient_of_a_mail_is_bounced_twice", scenario)


def test_a_crash_after_four_bounces_leaves_four_outcomes() -> None:
    """Four jobs are sent, the process dies, all are delivered again."""
    scenario = told(*jobs(5), *calls("ses.send_bounce", Trouble.CRASH_BEFORE, 5))
    assert_holds("every_job_has_one_outcome", scenario)


def test_a_bounce_that_a_crash_lost_is_reported_as_unknown() -> None:
    """The process dies between the claim and the call."""
    scenario = told(job("m1"), *calls("ses.send_bounce", Trouble.CRASH_BEFORE, 1))
    assert_holds("every_outcome_is_true", scenario)


def test_a_release_does_not_take_away_the_claim_of_another() -> None:
    """Two own the claim; one sends and dies, the other meets an outage and releases the claim."""
    scenario = told(
        job("m1"),
        twice(same_id=True),
        *calls("dynamodb.update_item", Trouble.CRASH_BEFORE, 1),
        Outage(place="ses", start=0.7, end=60, trouble=Trouble.UNAVAILABLE),
    )
    assert_holds("no_recipient_of_a_mail_is_bounced_twice", scenario)


def test_no_retry_starts_after_the_24_hours() -> None:
    """Without a margin, the 24 hours end while the worker tries again."""
    scenario = told(
        job("m1", age_s=DAY_S - 10),
        Outage(place="ses", start=0, end=60, trouble=Trouble.UNAVAILABLE),
        expiry_margin_s=0,
    )
    assert_holds("nothing_starts_after_its_24_hours", scenario)


def test_a_ledger_that_is_away_for_two_days_buries_nothing_silently() -> None:
    """A job whose 24 hours end meanwhile is reported once the ledger is back."""
    away = Outage(place="dynamodb", start=0, end=2 * DAY_S, trouble=Trouble.UNREACHABLE)
    assert_holds("every_dead_letter_is_reported", told(job("m1"), away))


@pytest.mark.parametrize("count", [1, 50])
def test_a_job_costs_few_calls_of_the_ledger(count: int) -> None:
    """Three calls a job and two an invocation, at any number of recipients."""
    people = tuple(f"person-{number}@example.com" for number in range(count))
    history = run(told(job("m1", *people)))
    asked = [each for each in history.attempts if each.call.startswith("dynamodb.")]
    assert len(asked) == 5


def test_a_recipient_too_long_for_a_key_stops_nobody() -> None:
    """A key has at most 2,048 bytes: the other job is bounced within minutes."""
    scenario = told(job("m1", "x" * 2_048 + "@example.com"), job("m2"))
    assert_holds("no_job_waits_for_a_bad_one", scenario)


def test_a_dead_letter_queue_that_refuses_stops_nobody() -> None:
    """An unreadable job can't be buried for six hours: the job behind it is bounced."""
    scenario = told(
        OddBody(at=0, name="odd", body="not a job"),
        job("m1", at=0.1),
        Outage(place="dead_letters", start=0, end=6 * HOUR_S, trouble=Trouble.FORBIDDEN),
    )
    assert_holds("no_job_waits_for_a_bad_one", scenario)


@pytest.mark.threat
def test_a_job_that_kills_the_worker_holds_up_the_others_for_minutes() -> None:
    """The process dies whenever it reads this job."""
    deadly = JobWaits(at=0, message_id="deadly", recipients=THREE[:1], deadly=True)
    assert_holds("no_job_waits_for_a_bad_one", told(deadly, job("m2", at=0.1)))


def test_a_job_that_sqs_took_without_an_answer_is_reported() -> None:
    """SQS takes the job, its answers are lost, the mail goes on: a line names the job."""
    scenario = told(
        MailArrives(at=0, message_id="m1", recipients=THREE[:1]),
        *calls("queue.send_message", Trouble.LOST_ANSWER, 1, 2),
    )
    assert_holds("every_bounced_mail_is_reported", scenario)


def test_dead_letters_do_not_hide_each_other() -> None:
    """A receive returns messages of a group only while none of that group is in flight."""
    odd = (OddBody(at=0, name=f"odd{number}", body=f"odd {number}") for number in range(2))
    assert_holds("every_dead_letter_can_be_seen", told(*odd))


def test_the_wait_for_another_environment_outlives_a_stale_batch() -> None:
    """One environment calls, another meets a stale batch, and has the next batch at once."""
    scenario = told(
        job("m1"),
        OddBody(at=0.6, name="odd", body="not a job"),
        InvocationIncident(function="worker", nth=2, mishap=Mishap.TWICE, seconds=0.1),
        job("m2", at=1.4),
    )
    assert_holds("no_two_calls_arrive_within_a_second", scenario)


def test_an_environment_whose_clock_is_ahead_takes_a_dead_workers_lease_over() -> None:
    """Lambda's runtime says that no time is left, whatever the deadline is; no job may wait."""
    scenario = told(
        job("m1"),
        InvocationIncident(function="worker", nth=1, mishap=Mishap.KILLED, seconds=0.3),
        ClockJump(function="worker", nth=2, start=0, seconds=HOUR_S),
    )
    assert_holds("no_job_waits_for_a_bad_one", scenario)


@pytest.mark.parametrize("most_s", [0.02, 0.03])
def test_the_pace_holds_where_ses_counts(most_s: float) -> None:
    """Round trips vary from 20 to 40 or 60 ms, and SES counts arrivals strictly."""
    scenario = told(*jobs(60), ses_latency=Latency(least_s=0.01, most_s=most_s))
    assert_holds("no_two_calls_arrive_within_a_second", scenario)
