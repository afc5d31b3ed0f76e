"""Tests: a ledger that does not answer, or that others change, makes no reply a double one."""

import contextlib

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from bouncer.sending.reply_item import attribute, key_of
from tests.functions.replier.lone_replier import REPLY, LoneReplier, record
from tests.functions.worker.lone_worker import THROTTLED, WRITE, refusal

NO_ANSWER = ReadTimeoutError(endpoint_url="x")
FORBIDDEN = refusal("AccessDenied", status=403)
REJECTED = refusal("MessageRejected", text="something in it")
AT_WORK_S = 130


@pytest.mark.parametrize("moment", ["before", "late"])
def test_a_claim_without_an_answer_sends_nothing_twice(moment: str, lone: LoneReplier) -> None:
    """The ledger does not answer the claim: the reply goes back, and is sent at most once."""
    lone.work(record("r0", sender="fay@x.example"))
    lone.table.fail(":after", moment, times=5)
    assert lone.work(record()) == ["r1"]
    assert len(lone.sent) == 1
    for effect in lone.table.late:
        with contextlib.suppress(ClientError):  # of the second one on
            effect()
    lone.work(record())
    lone.work(record(), replier=lone.environment())
    assert lone.ends()[1:] == ["replied", "replied again"]
    assert len(lone.sent) == 2


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_claim_whose_answer_was_lost_once_stands(moment: str, lone: LoneReplier) -> None:
    """The write is repeated, and its condition then shows that it took effect."""
    lone.table.fail(":after", moment)
    assert lone.work(record()) == []
    assert lone.ends() == ["replied"]


def test_an_end_that_could_not_be_written_is_remembered(lone: LoneReplier) -> None:
    """The environment that asked SES knows the end; another one reports it as unknown."""
    lone.work(record("r0", sender="fay@x.example"))
    lone.table.fail("transact_write_items", "before", times=5)
    assert lone.work(record()) == ["r1"]
    assert lone.work(record()) == []
    assert lone.ends() == ["replied", "replied"]
    assert len(lone.sent) == 2
    failed = lone.event("replier_failed")
    assert (failed["stage"], failed["answer"]) == ("ending", "sent reply-2")


def test_an_end_that_nobody_remembers_is_unknown(lone: LoneReplier) -> None:
    """After the time of the attempt another environment ends it so, and does not send."""
    lone.work(record("r0", sender="fay@x.example"))
    lone.table.fail("transact_write_items", "before", times=5)
    lone.work(record())
    lone.clock.sleep(AT_WORK_S)
    lone.work(record(), replier=lone.environment())
    assert lone.ends() == ["replied", "reply_failed unknown"]
    assert len(lone.sent) == 2


def test_a_release_that_failed_is_made_up_for(lone: LoneReplier) -> None:
    """SES took nothing, but the claim could not be freed: the same environment frees it later."""
    lone.work(record("r0", sender="fay@x.example"))
    lone.ses.plan += [THROTTLED] * 10

    def fail_release() -> None:
        lone.table.fail(WRITE, "before", times=20)

    original = lone.ses.send_raw_email

    def throttled(**call: object) -> dict[str, str]:
        fail_release()
        return original(**call)

    lone.ses.send_raw_email = throttled  # type: ignore[method-assign]
    assert lone.work(record()) == ["r1"]
    lone.table.plan.clear()
    lone.ses.plan.clear()
    lone.ses.send_raw_email = original  # type: ignore[method-assign]
    assert lone.work(record()) == []
    assert lone.ends() == ["replied", "replied"]


def test_two_environments_claim_one_reply_once(lone: LoneReplier) -> None:
    """The second one sees the claim of the first, and waits."""
    other = lone.environment()
    seen: list[list[str]] = []
    original = lone.ses.send_raw_email

    def meanwhile(**call: object) -> dict[str, str]:
        lone.ses.send_raw_email = original  # type: ignore[method-assign]
        seen.append(lone.work(record("r1"), record("r2"), replier=other))
        return original(**call)

    lone.ses.send_raw_email = meanwhile  # type: ignore[method-assign]
    assert lone.work(record("r1")) == []
    assert seen == [["r1", "r2"]]
    lone.work(record("r1"), record("r2"), replier=other)
    assert lone.ends() == ["replied", "replied again", "reply_withheld replied_before"]
    assert len(lone.sent) == 1


def test_forgetting_a_sender_in_the_middle_changes_no_end(lone: LoneReplier) -> None:
    """The end that SES gave is reported, although the item is gone."""
    lone.work(record("r0", sender="fay@x.example"))
    original = lone.ses.send_raw_email

    def forgotten(**call: object) -> dict[str, str]:
        del lone.service.items[key_of(REPLY, lone.salt)]
        return original(**call)

    lone.ses.send_raw_email = forgotten  # type: ignore[method-assign]
    assert lone.work(record()) == []
    assert lone.ends() == ["replied", "replied"]


def test_an_item_in_a_later_form_stops_replies(lone: LoneReplier) -> None:
    """The text of a later version is not overwritten: the reply waits."""
    lone.work(record())
    key = key_of(REPLY, lone.salt)
    item = lone.service.items[key]
    lone.service.items[key] = {**item, attribute(REPLY.rule): {"S": '{"state":"paused"}'}}
    assert lone.work(record("r2")) == ["r2"]
    assert len(lone.sent) == 1
