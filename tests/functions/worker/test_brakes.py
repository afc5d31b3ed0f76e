"""A rule sends no more bounces than its `at_most` allows, and stays braked until it is released."""

import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from botocore.exceptions import ReadTimeoutError

from bouncer.jobs.job_json import from_json, to_json
from bouncer.sending.brakes import BRAKES, log_key, release
from bouncer.sources.source import Document
from tests.functions.worker.lone_worker import (
    READ,
    THROTTLED,
    TOGETHER,
    LoneWorker,
    ends,
    mail,
    refusal,
)

TWO = "at_most: {bounces: 2, per: 1h}\nreject: {type: DoesNotExist}"


@pytest.fixture
def lone(stack: ExitStack) -> LoneWorker:
    """A worker whose rule `r` may send two bounces in an hour."""
    lone = LoneWorker(stack)
    lone.source.rules = {"r": Document("r", TWO)}
    return lone


def of_rules(body: str, *rules: str) -> str:
    """The same job, its recipients rejected by these rules."""
    job = from_json(body)
    refusals = (replace(each, rule=rule) for each, rule in zip(job.refusals, rules, strict=True))
    return to_json(replace(job, refusals=tuple(refusals)))


def braked(lone: LoneWorker) -> set[str]:
    """The rules that the ledger names as braked."""
    return set(lone.item(BRAKES).get("braked", ()))


def test_a_rule_sends_no_more_than_it_may(lone: LoneWorker) -> None:
    """The third bounce in an hour is withheld, whoever gets it; SES is not asked."""
    senders = (f"s{number}@partner.example" for number in range(4))
    lone.deliver(*(mail(lone, number, sender) for number, sender in enumerate(senders)))
    line = lone.lines[-2]
    assert (line["reason"], line["cap"], line["Withheld_braked"]) == ("braked", "r: 2 in 1h", [1])
    assert ends(lone) == ["sent", "sent", "braked", "braked"]
    assert len(lone.ses.calls) == 2
    assert braked(lone) == {"r"}


def test_a_braked_rule_stays_so_when_its_window_is_over(lone: LoneWorker) -> None:
    """Hours later nothing is sent, until an operator releases the rule; it counts anew then."""
    lone.deliver(*(mail(lone, number) for number in range(3)))
    lone.clock.sleep(5 * 3600)
    lone.deliver(mail(lone, 3), first=4)
    assert ends(lone)[-1] == "braked"
    lone.items.update_item(**release("r").parameters(lone.name))
    lone.items.delete_item(TableName=lone.name, Key={"id": {"S": log_key("r")}})
    lone.deliver(*(mail(lone, number) for number in (4, 5, 6)), first=5)
    assert ends(lone) == ["sent", "sent", "braked"]


def test_the_window_slides_by_the_times_of_receipt(lone: LoneWorker) -> None:
    """Mails of three hours that were held are sent at once; three of one hour are not."""
    ages = (timedelta(hours=3), timedelta(hours=2, minutes=30), timedelta(hours=1))
    lone.deliver(*(lone.job(message_id=f"m{age}", age=age) for age in ages))
    assert ends(lone) == ["sent", "sent", "sent"]
    lone.deliver(
        *(lone.job(message_id=f"n{each}", age=timedelta(minutes=each)) for each in (50, 40)),
        first=4,
    )
    assert ends(lone) == ["sent", "braked"]


def test_a_job_counts_once_however_often_it_is_delivered(lone: LoneWorker) -> None:
    """A job that SES throttled is not braked by its own count."""
    for receives in (1, 2, 3):
        lone.ses.answers += [THROTTLED] * 60
        assert lone.deliver(mail(lone, 0), receives=receives) == ["q1"]
        lone.ses.answers.clear()
    lone.deliver(mail(lone, 0), mail(lone, 1), mail(lone, 2), receives=4)
    assert ends(lone)[-3:] == ["sent", "sent", "braked"]


def test_only_the_recipients_of_the_braked_rule_are_taken_out(lone: LoneWorker) -> None:
    """The others are bounced; the line says who was not, and so does its repetition."""
    lone.deliver(mail(lone, 0), mail(lone, 1))
    both = mail(lone, 2, "eve@partner.example", "ann@example.com", "bob@example.com")
    both = of_rules(both, "r", "another")
    lone.said()
    for receives in (1, 2):
        assert lone.deliver(both, first=3, receives=receives) == []
    first, again = lone.lines
    for line in (first, again):
        assert (line["message"], line["recipients"]) == ("sent", ["bob@example.com"])
        assert line["braked_recipients"] == ["ann@example.com"]
    assert first["Withheld_braked"] == [1]
    assert "Withheld_braked" not in again
    assert braked(lone) == {"r"}


def test_a_job_whose_recipients_are_capped_or_braked_has_one_line_about_all(
    stack: ExitStack,
) -> None:
    """The cap takes out one, the brake the other: nobody is left, and nobody is forgotten."""
    lone = LoneWorker(stack, "caps: {sender: off, domain_share: off}")
    lone.source.rules = {"r": Document("r", TWO.replace("2", "6"))}
    ann = "ann@example.com"
    lone.deliver(
        *(of_rules(mail(lone, each, "eve@partner.example", ann), "a") for each in range(5))
    )
    others = (f"box{number}@example.com" for number in range(6))
    lone.deliver(
        *(
            mail(lone, 10 + number, "eve@partner.example", each)
            for number, each in enumerate(others)
        ),
        first=6,
    )
    lone.said()
    both = of_rules(mail(lone, 20, "eve@partner.example", ann, "bob@example.com"), "a", "r")
    lone.deliver(both, first=20)
    (line,) = lone.lines
    assert (line["reason"], line["recipients"]) == ("braked", [ann, "bob@example.com"])


def test_a_job_of_fifty_rules_is_counted_for_each(lone: LoneWorker) -> None:
    """More items than one request takes are read in two, and all are written in one."""
    names = [f"rule-{number}" for number in range(50)]
    lone.source.rules = {name: Document(name, TWO) for name in names}
    people = [f"p{number}@example.com" for number in range(50)]
    bodies = [
        of_rules(mail(lone, number, "eve@partner.example", *people), *names) for number in range(3)
    ]
    lone.deliver(bodies[0])
    assert lone.table.calls.count(READ) == 2
    lone.deliver(*bodies[1:], first=2)
    assert ends(lone) == ["sent", "sent", "braked"]
    assert braked(lone) == set(names)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_trip_is_never_lost(lone: LoneWorker, moment: str) -> None:
    """The name is written with the end of the job: if the answer is lost, both stand or neither."""
    lone.deliver(mail(lone, 0), mail(lone, 1))
    lone.table.fail(TOGETHER, moment, times=5)
    lone.deliver(mail(lone, 2), first=3)
    ended = lone.item("job#q3").get("reason") == "braked"
    assert ended == (braked(lone) == {"r"})
    lone.deliver(mail(lone, 2), first=3, receives=2)
    assert braked(lone) == {"r"}
    assert ends(lone)[-1] == "braked"


def test_the_publisher_is_asked_once_a_minute(lone: LoneWorker) -> None:
    """As long as the pointer does not name the rule; the call does not wait for an answer."""
    lone.deliver(mail(lone, 0), mail(lone, 1))
    assert lone.functions.asked == []
    lone.deliver(mail(lone, 2), mail(lone, 3), first=3)
    (asked,) = lone.functions.asked
    assert (asked["FunctionName"], asked["InvocationType"]) == ("publisher", "Event")
    assert json.loads(asked["Payload"]) == {"publish": "settings"}
    lone.deliver(mail(lone, 4), first=5)
    assert len(lone.functions.asked) == 1
    lone.clock.sleep(60)
    lone.deliver(mail(lone, 5), first=6)
    assert len(lone.functions.asked) == 2


def test_the_publisher_is_asked_at_once_about_another_rule(lone: LoneWorker) -> None:
    """A request about one rule says nothing about one that is braked later."""
    lone.source.rules["s"] = Document("s", TWO)
    lone.deliver(*(mail(lone, number) for number in range(3)))
    assert len(lone.functions.asked) == 1
    others = [of_rules(mail(lone, number), "s") for number in range(3, 6)]
    lone.deliver(*others, first=4)
    assert braked(lone) == {"r", "s"}
    assert len(lone.functions.asked) == 2


def test_the_publisher_is_asked_about_jobs_that_are_ended_together(lone: LoneWorker) -> None:
    """The trip is behind a job that was withheld for another reason, and is not worked on alone."""
    lone.deliver(mail(lone, 0), mail(lone, 1))
    lone.deliver(mail(lone, 0), mail(lone, 2), mail(lone, 3), first=3)
    assert ends(lone)[-3:] == ["duplicate", "braked", "braked"]
    assert braked(lone) == {"r"}
    assert len(lone.functions.asked) == 1


@pytest.mark.parametrize(
    "error", [refusal("AccessDeniedException"), ReadTimeoutError(endpoint_url="x")], ids=repr
)
def test_a_publisher_that_cannot_be_asked_harms_nothing(lone: LoneWorker, error: Exception) -> None:
    """The job has ended, the failure is reported, and the next invocation asks again."""
    lone.functions.down = error
    assert lone.deliver(*(mail(lone, number) for number in range(3))) == []
    assert lone.said()[-1] == ("worker_failed", "publish")
    lone.functions.down = None
    lone.deliver(mail(lone, 3), first=4)
    assert lone.said() == [("withheld", "braked")]
    assert len(lone.functions.asked) == 2


def test_held_jobs_wait_though_their_rule_is_braked(lone: LoneWorker) -> None:
    """An operator may release the rule before he resumes sending."""
    lone.deliver(*(mail(lone, number) for number in range(3)))
    lone.said()
    lone.source.text = "sending: paused"
    assert lone.deliver(mail(lone, 3), first=4) == ["q4"]
    assert lone.said() == [("handed_back", "")]


def test_a_sender_whom_no_cap_is_about_counts_for_the_brake(stack: ExitStack) -> None:
    """The brake is about the rule, whoever gets its bounces."""
    lone = LoneWorker(stack, "caps: {allow: [partner.example]}")
    lone.source.rules = {"r": Document("r", TWO)}
    lone.deliver(*(mail(lone, number) for number in range(3)))
    assert ends(lone) == ["sent", "sent", "braked"]


def test_a_rule_without_a_limit_costs_no_more_than_before(stack: ExitStack) -> None:
    """Nothing is read or written for it."""
    lone = LoneWorker(stack)
    lone.deliver(mail(lone, 0))
    keys = [item["id"]["S"] for item in lone.items.scan(TableName=lone.name)["Items"]]
    assert not [key for key in keys if key.startswith("brake")]
