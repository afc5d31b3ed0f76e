"""Tests: a reply goes from one state in the ledger to the next, whatever fails on the way."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from bouncer.operator_settings import Settings
from bouncer.sending import lease
from bouncer.sending.bounce_event import BounceEvent, Kind
from bouncer.sending.feedback_ledger import FeedbackLedger
from bouncer.sending.reply_item import attribute, key_of
from bouncer.sending.suppression import bounce_key, suppress
from bouncer.sending.table import Table
from tests.functions.replier.lone_replier import REPLY, WEEK_S, LoneReplier, record
from tests.functions.worker.lone_worker import THROTTLED, KilledError, refusal

NO_ANSWER = ReadTimeoutError(endpoint_url="x")
FORBIDDEN = refusal("AccessDenied", status=403)
REJECTED = refusal("MessageRejected", text="something in it")
AT_WORK_S = 130


def test_a_sender_gets_one_reply_of_a_rule_in_a_period(lone: LoneReplier) -> None:
    """Another mail within `once_per` gets none; the rule replies again after it."""
    lone.work(record("r1"), record("r2"))
    lone.clock.sleep(WEEK_S - 60)
    lone.work(record("r3", received_at=lone.now()))
    lone.clock.sleep(120)
    lone.work(record("r4", received_at=lone.now()))
    before = "reply_withheld replied_before"
    assert lone.ends() == ["replied", before, before, "replied"]
    assert len(lone.sent) == 2


@pytest.mark.parametrize(
    ("changes", "replies"),
    [
        ({"sender": "Ann+sale@Partner.example"}, 1),
        ({"sender": "bob@partner.example"}, 2),
        ({"rule": "020-ticket"}, 2),
        ({"recipients": ("other@example.com",)}, 1),
    ],
)
def test_sender_and_rule_are_counted(
    changes: dict[str, Any], replies: int, lone: LoneReplier
) -> None:
    """A sender is counted in the form of the caps, for each rule by itself."""
    lone.work(record("r1"), record("r2", **changes))
    assert len(lone.sent) == replies


def test_a_rule_may_get_another_period(lone: LoneReplier) -> None:
    """The period of the reply in hand counts, from the time of the last one that was sent."""
    lone.work(record("r1"))
    lone.clock.sleep(7200)
    lone.work(record("r2", once_per_s=3600))
    lone.clock.sleep(7200)
    lone.work(record("r3"))
    assert lone.ends() == ["replied", "replied", "reply_withheld replied_before"]


def test_a_reply_that_comes_again_is_not_sent_again(lone: LoneReplier) -> None:
    """SQS delivers a message again: its end is repeated."""
    lone.work(record())
    lone.work(record())
    lone.work(record(), replier=lone.environment())
    assert lone.ends() == ["replied", "replied again", "replied again"]
    assert len(lone.sent) == 1


def test_an_unknown_outcome_is_reported_and_never_repeated(lone: LoneReplier) -> None:
    """If SES does not answer, the sender may have the reply, and gets no other for a while."""
    lone.ses.plan.append(NO_ANSWER)
    lone.work(record("r1"), record("r2"))
    assert lone.ends() == ["reply_failed unknown", "reply_withheld replied_before"]
    assert lone.event("reply_failed")["RepliesFailed_unknown"] == [1]


def test_a_replier_that_died_is_not_followed_by_another_call(lone: LoneReplier) -> None:
    """A reply that was begun waits until its attempt is surely over; then it is unknown."""
    lone.ses.plan.append(KilledError())
    with pytest.raises(KilledError):
        lone.work(record("r1"))
    other = lone.environment()
    assert lone.work(record("r1"), record("r2"), replier=other) == ["r1", "r2"]
    lone.clock.sleep(AT_WORK_S)
    assert lone.work(record("r1"), record("r2"), replier=other) == []
    assert lone.ends() == ["reply_failed unknown", "reply_withheld replied_before"]
    assert len(lone.sent) == 1


@pytest.mark.parametrize("error", [THROTTLED, refusal("AccountSendingPaused")], ids=str)
def test_a_reply_that_ses_did_not_take_goes_back(error: Exception, lone: LoneReplier) -> None:
    """The claim is freed, so that the reply is sent when it comes again."""
    lone.ses.plan += [error] * 10
    assert lone.work(record("r1"), record("r2", sender="bob@x.example")) == ["r1", "r2"]
    lone.ses.plan.clear()
    lone.work(record("r2"))
    assert lone.ends() == ["replied"]
    assert {line["message"] for line in lone.lines} > {"retried", "handed_back", "replied"}


def test_a_refused_sender_makes_dead_letters(lone: LoneReplier) -> None:
    """They can be put back; further ones of that sender are buried without a call for a minute."""
    lone.ses.plan.append(FORBIDDEN)
    assert lone.work(record("r1"), record("r2", sender="bob@x.example")) == []
    assert lone.ends() == ["reply_failed forbidden"] * 2
    assert [each["MessageBody"] for each in lone.queue.buried] == [
        record("r1")["body"],
        record("r2", sender="bob@x.example")["body"],
    ]
    assert len(lone.sent) == 1
    lone.clock.sleep(61)
    lone.work(record("r3"))
    assert lone.ends()[-1] == "replied"


def test_a_refused_mail_is_final_and_frees_the_sender(lone: LoneReplier) -> None:
    """A mail that SES rejects is not sent again, but the next one of that sender is replied to."""
    lone.ses.plan.append(REJECTED)
    lone.work(record("r1"), record("r1"), record("r2"))
    assert lone.ends() == ["reply_failed refused", "reply_failed refused again", "replied"]
    assert lone.queue.buried == []


def test_another_from_than_those_of_cdk_json_is_not_sent(lone: LoneReplier) -> None:
    """SES is not asked for a From that the deployment does not list."""
    lone.work(record(from_="ceo@example.com"))
    assert lone.ends() == ["reply_failed forbidden"]
    assert lone.sent == []
    assert len(lone.queue.buried) == 1


def test_an_old_reply_is_withheld(lone: LoneReplier) -> None:
    """After 24 hours no reply is sent, also if it gets that old while it waits."""
    lone.clock.sleep(86_399.95)
    lone.ses.plan.append(THROTTLED)
    lone.work(record("r1"), record("r2", sender="bob@x.example"))
    assert lone.ends() == ["reply_withheld expired"] * 2
    assert len(lone.sent) == 1


def test_an_expired_attempt_leaves_the_sender_free(lone: LoneReplier) -> None:
    """A claim whose reply was surely not sent forbids no other one."""
    lone.clock.sleep(86_399.95)
    lone.ses.plan.append(THROTTLED)
    lone.work(record("r1"))
    lone.work(record("r2", received_at=lone.now()))
    assert lone.ends() == ["reply_withheld expired", "replied"]


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        ("x@example.com", "own_sender"),
        ("support@brand.example", "own_sender"),
        ("Support+1@Brand.example", "own_sender"),
        ("mailer-daemon@partner.example", "daemon_sender"),
        ("x@localhost", "invalid_sender"),
    ],
)
def test_a_forged_reply_is_withheld(sender: str, reason: str, lone: LoneReplier) -> None:
    """The guard's rules about addresses hold, whoever writes to the queue."""
    lone.work(record(sender=sender))
    assert lone.ends() == [f"reply_withheld {reason}"]
    assert lone.sent == []


@pytest.mark.parametrize(
    "settings",
    [
        Settings(senders=frozenset({"mta@brand.example"})),
        Settings(bounce_sender="MTA <mta@brand.example>"),
        Settings(own_domains=("brand.example",)),
    ],
    ids=["senders", "bounce_sender", "own_domains"],
)
def test_addresses_of_the_settings_get_no_reply(settings: Settings, lone: LoneReplier) -> None:
    """Those that bounces come from, and all in own domains."""
    lone.work(record(sender="mta@brand.example"))
    lone.in_force.loaded = lone.in_force.loaded._replace(settings=settings)
    lone.work(record("r2", sender="mta+2@brand.example", rule="020-ticket"))
    assert lone.ends() == ["replied", "reply_withheld own_sender"]


def test_a_reply_to_mail_that_went_to_its_from_is_withheld(lone: LoneReplier) -> None:
    """Such mail may answer a reply of ours, tag and case aside."""
    lone.work(record(recipients=("Desk+1@example.com",)))
    assert lone.ends() == ["reply_withheld own_sender"]


def test_a_suppressed_sender_gets_no_reply(lone: LoneReplier) -> None:
    """A sender to whom our mail bounced gets none, as long as suppression lasts."""
    lone.work(record("r0", sender="fay@x.example"))
    digest = lone.salt.digest(REPLY.sender)
    write = suppress(digest, "permanent", lone.now())
    lone.service.update_item(write.parameters("ledger"))
    lone.work(record("r1"))
    assert lone.ends()[-1] == "reply_withheld sender_bounced_before"


@pytest.mark.threat
def test_a_reply_is_noted_for_feedback(lone: LoneReplier) -> None:
    """The event of a reply that bounces finds its sender, and counts for the breaker."""
    lone.work(record("r1"), record("r2", sender="bob@x.example"))
    noted = lone.service.items[bounce_key("reply-1")]
    assert set(noted) == {"id", "sender", "organisation", "hour", "counted_from", "expires"}
    ledger = FeedbackLedger(
        Table(lone.table, "ledger"),  # type: ignore[arg-type]  # a fake
        now=lone.now,
        new_name=lone.new_name,
    )
    event = BounceEvent(kind=Kind.PERMANENT, mail_id="reply-1", source="desk@example.com")
    day = ledger.settle(event).day
    assert day
    assert (day.sent, list(day.doubled.values())) == (2, [noted["organisation"]["S"]])


def test_what_is_sent_before_the_breaker_counts_anew_does_not_count(lone: LoneReplier) -> None:
    """Sending is about to be held, as for bounces."""
    lone.work(record("r1", sender="bob@x.example"))
    later = int(lone.now().timestamp()) + 3600
    lone.service.items[lease.LEASE] |= {"counted_from": {"N": str(later)}}
    lone.work(record("r2"))
    assert "hour" not in lone.service.items[bounce_key("reply-2")]
    assert lone.ends() == ["replied", "replied"]


def test_the_ledger_has_no_address(lone: LoneReplier) -> None:
    """Keys and values have digests only."""
    lone.work(record())
    assert "partner" not in str(lone.service.items)
    assert "desk" not in str(lone.service.items)


def test_a_message_that_is_not_a_reply_is_buried(lone: LoneReplier) -> None:
    """It becomes a dead letter and holds up nobody."""
    assert lone.work(record("r1", body="{}"), record("r2")) == []
    assert lone.ends() == ["reply_failed unreadable", "replied"]
    assert [each["MessageBody"] for each in lone.queue.buried] == ["{}"]


def test_a_dead_letter_that_its_queue_refuses_is_put_again(lone: LoneReplier) -> None:
    """The reply goes back to its queue and is buried when it comes again."""
    lone.ses.plan.append(FORBIDDEN)
    lone.queue.plan.append(refusal("InternalError", status=500))
    assert lone.work(record()) == ["r1"]
    assert lone.work(record()) == []
    assert lone.ends() == ["reply_failed forbidden", "reply_failed forbidden again"]
    assert len(lone.queue.buried) == 1


def test_an_error_of_ours_becomes_a_dead_letter(
    lone: LoneReplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An odd reply does not hold up those behind it."""
    monkeypatch.setattr(
        "bouncer.sending.reply_gate.is_suppressed", lambda *_, **__: 1 / 0, raising=True
    )
    assert lone.work(record()) == []
    assert lone.ends() == ["reply_failed defect"]
    assert len(lone.queue.buried) == 1


def test_a_reply_that_cannot_be_written_is_not_unknown(
    lone: LoneReplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SES was surely not asked: the reply is a dead letter, and the sender is free."""
    with monkeypatch.context() as patched:
        patched.setattr("bouncer.sending.reply_request.mime", lambda *_, **__: 1 / 0)
        lone.work(record("r1"))
    lone.work(record("r2"))
    assert lone.ends() == ["reply_failed refused", "replied"]
    assert len(lone.queue.buried) == 1


def test_replies_expire_from_the_ledger(lone: LoneReplier) -> None:
    """An item lives longer than any period can last."""
    lone.work(record())
    item = lone.service.items[key_of(REPLY, lone.salt)]
    assert int(item["expires"]["N"]) > (lone.now() + timedelta(days=31)).timestamp()


def test_a_reply_in_the_ledger_is_replaced_as_a_whole(lone: LoneReplier) -> None:
    """Two rules of one sender stand in one item and do not touch each other."""
    lone.work(record("r1"), record("r2", replace(REPLY, rule="020-ticket")))
    item = lone.service.items[key_of(REPLY, lone.salt)]
    assert {attribute("010-away"), attribute("020-ticket")} < set(item)
