"""Tests: invocations of the replier: its pace, the quota, what goes back, and the call of SES."""

from email import message_from_bytes
from email.policy import SMTP
from itertools import pairwise

import pytest
from botocore.exceptions import EndpointConnectionError, ParamValidationError

from bouncer.errors import EnvironmentKeyError
from bouncer.replier import RESERVE_S, handler
from bouncer.sending.reply_request import tag_value
from bouncer.sending.send_quota import SendQuota, send_quota
from bouncer.sources.source import SourceError
from tests.functions.replier.lone_replier import LoneReplier, record
from tests.functions.worker.lone_worker import refusal

SANDBOX = {"MaxSendRate": 1.0, "Max24HourSend": 200.0, "SentLast24Hours": 0.0}


def _many(count: int) -> list[dict[str, object]]:
    return [
        dict(record(f"r{number}", sender=f"{number}@partner.example")) for number in range(count)
    ]


def test_the_call_has_all_that_ses_takes(lone: LoneReplier) -> None:
    """Source, destination, tags and configuration set, and the message itself."""
    lone.work(record(rule="010-away.old", from_arn="arn:aws:ses:eu-west-1:111122223333:identity/x"))
    ((_, call),) = lone.ses.calls
    raw = call.pop("RawMessage")["Data"]  # type: ignore[attr-defined]
    assert call == {
        "Source": "desk@example.com",
        "Destinations": ["ann@partner.example"],
        "Tags": [
            {"Name": "rule", "Value": "010-away_-old"},
            {"Name": "deployment", "Value": "main"},
            {"Name": "reference", "Value": "bnc-abcdefghij234567"},
        ],
        "ConfigurationSetName": "ses-auto-bouncer-main",
        "SourceArn": "arn:aws:ses:eu-west-1:111122223333:identity/x",
    }
    parsed = message_from_bytes(raw, policy=SMTP)
    assert parsed["Auto-Submitted"] == "auto-replied"
    assert parsed["In-Reply-To"] == "<1@partner.example>"


def test_names_of_rules_are_told_apart_as_tags() -> None:
    """Every name has a value of its own, in SES's characters."""
    names = ["a.b", "a_b", "a-b", "a_-b", "a__b", "a..b", "a._b"]
    values = [tag_value(name) for name in names]
    assert len(set(values)) == len(names)
    assert all(value.replace("_", "").replace("-", "").isalnum() for value in values)
    assert len(tag_value("_" * 100)) <= 256


def test_replies_take_a_quarter_of_the_rate(lone: LoneReplier) -> None:
    """At 80 mails a second two repliers send 10 each."""
    lone.work(*_many(5))
    times = [at for at, _ in lone.ses.calls]
    assert all(after - before > 0.05 for before, after in pairwise(times))
    assert times[-1] - times[0] < 0.5
    assert SendQuota(80.0).spacing_s == pytest.approx(0.1)


def test_a_sandbox_is_slow_and_the_rest_comes_at_once(lone: LoneReplier) -> None:
    """Replies beyond the time of an invocation are delivered again at once."""
    lone.ses.quota = SANDBOX
    left = lone.work(*_many(10))
    assert 3 <= len(lone.sent) <= 5
    assert len(left) == 10 - len(lone.sent)
    assert lone.queue.delays[-1] == (left, 0)
    assert "handed_back" not in {line["message"] for line in lone.lines}


def test_replies_leave_the_last_fifth_of_a_day(lone: LoneReplier) -> None:
    """Once four fifths of the quota are used, by whatever mail, replies wait for two minutes."""
    lone.ses.quota = {**SANDBOX, "MaxSendRate": 80.0, "SentLast24Hours": 156.0}
    left = lone.work(*_many(5))
    assert len(lone.sent) == 2
    assert left == ["r2", "r3", "r4"]
    assert lone.queue.delays[-1] == (left, 120)
    lone.ses.quota = {**SANDBOX, "MaxSendRate": 80.0}
    lone.work(*_many(5)[2:])
    assert len(lone.sent) == 2
    lone.clock.sleep(300)
    lone.work(*_many(5)[2:])
    assert len(lone.sent) == 5


def test_the_quota_is_asked_for_once_in_five_minutes(lone: LoneReplier) -> None:
    """SES takes few calls of GetAccount."""
    for _ in range(3):
        lone.work(*_many(1))
    assert lone.ses.asked_for_quota == 1
    lone.clock.sleep(300)
    lone.work(*_many(1))
    assert lone.ses.asked_for_quota == 2


@pytest.mark.parametrize("error", [refusal("AccessDenied", status=403), OSError], ids=str)
def test_an_unknown_quota_is_that_of_the_sandbox(
    error: BaseException | type, lone: LoneReplier
) -> None:
    """Replies are sent all the same, slowly, and the error is reported."""
    lone.ses.quota = (
        EndpointConnectionError(endpoint_url="x") if error is OSError else error  # type: ignore[assignment]
    )
    lone.work(*_many(2))
    (first, _), (second, _) = lone.ses.calls
    assert second - first >= 7.9
    failed = lone.event("replier_failed")
    assert failed["stage"] == "quota"
    assert failed["ReplierErrors"] == [1]


@pytest.mark.parametrize(
    ("answer", "rate", "replies"),
    [
        ({}, 1.0, None),
        ({"SendQuota": {"MaxSendRate": 14.0, "Max24HourSend": -1.0}}, 14.0, None),
        ({"SendQuota": {"MaxSendRate": 0.0, "Max24HourSend": 10.0}}, 1.0, 4),
        ({"SendQuota": {"Max24HourSend": 100.0, "SentLast24Hours": 95.0}}, 1.0, 0),
    ],
)
def test_the_quota_is_read_as_ses_tells_it(
    answer: dict[str, object], rate: float, replies: int | None
) -> None:
    """A day without limit is -1; what is used up leaves nothing."""
    found = send_quota(answer)
    assert (found.rate, found.replies) == (rate, replies)


def test_held_replies_wait(lone: LoneReplier) -> None:
    """While sending is held they go back every two minutes; what is withheld anyway ends."""
    lone.in_force.hold()
    assert lone.work(record("r1"), record("r2")) == ["r1", "r2"]
    assert lone.queue.delays[-1] == (["r1", "r2"], 120)
    assert lone.event("handed_back")["Held"] == [2]
    lone.clock.sleep(86_400)
    assert lone.work(record("r1"), record("r2")) == []
    assert lone.ends() == ["reply_withheld expired"] * 2


def test_nothing_in_force_sends_nothing(lone: LoneReplier) -> None:
    """Without settings the batch goes back."""
    lone.in_force.error = SourceError("the bucket does not answer")
    assert lone.work(record("r1"), record("r2")) == ["r1", "r2"]
    assert lone.sent == []


def test_a_ledger_that_does_not_answer_sends_nothing(lone: LoneReplier) -> None:
    """All of the batch goes back, for longer each time."""
    delays = []
    for receives in (1, 2, 8):
        lone.table.fail("batch_get_item", "before", times=5)
        assert lone.work(record("r1", receives=receives), record("r2")) == ["r1", "r2"]
        delays.append(lone.queue.delays[-1][1])
    assert delays == [5, 10, 120]
    assert lone.sent == []


def test_a_call_that_boto3_refuses_is_final(lone: LoneReplier) -> None:
    """A defect of the call is the reply's own: it is reported and not made again."""
    lone.ses.plan.append(ParamValidationError(report="x"))
    assert lone.work(record()) == []
    assert lone.ends() == ["reply_failed refused"]


def test_no_call_starts_without_time_for_its_end(lone: LoneReplier) -> None:
    """If reading what is in force took too long, the reply goes back, and SES is not asked."""
    lone.ses.quota = {**SANDBOX, "MaxSendRate": 80.0}
    get_account = lone.ses.get_account

    def slow() -> dict[str, object]:
        lone.clock.sleep(60 - RESERVE_S + 1)
        return get_account()

    lone.ses.get_account = slow  # type: ignore[method-assign]
    assert lone.work(record()) == ["r1"]
    assert lone.sent == []


def test_the_handler_names_a_missing_key() -> None:
    """An environment without its keys is an error that names the first one."""
    with pytest.raises(EnvironmentKeyError, match="BOUNCER_PREFIX"):
        handler({"Records": []}, None)
