"""`bouncer jobs` and `bouncer forget` know replies: dead ones, and the last one to a sender."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bouncer.jobs.reply_json import to_json
from bouncer.sending import lease
from bouncer.sending.digest import Salt
from bouncer.sending.ending import Failure, failed
from bouncer.sending.queue import ORIGIN
from bouncer.sending.reply_item import LastReply, key_of, replace_reply
from bouncer.sending.write import text
from tests.functions.operations.deployed import Deployed, Operate, body, job
from tests.functions.replier.lone_replier import REPLY

SALT = Salt("pepper")
Bury = Callable[..., str]


@pytest.fixture
def replies(deployed: Deployed) -> tuple[str, str]:
    """The queue of replies and its dead letters, as a deployment with reply senders has them."""
    queue, dead = (
        str(deployed.sqs.create_queue(QueueName=name)["QueueUrl"]) for name in ("replies", "gone")
    )
    deployed.outputs |= {"ReplyQueueUrl": queue, "ReplyDeadLetterUrl": dead}
    item = {"id": text(lease.LEASE), "salt": text(SALT.value)}
    deployed.dynamodb.put_item(TableName="ledger", Item=item)
    return queue, dead


@pytest.fixture
def bury(deployed: Deployed, replies: tuple[str, str]) -> Bury:
    """Bury a reply as the replier does, and note its end."""

    def put(*, age_h: float = 1, origin: str = "r1") -> str:
        now = datetime.now(UTC)
        reply = replace(REPLY, received_at=now - timedelta(hours=age_h))
        ended = LastReply(record=origin).ended(failed(Failure.FORBIDDEN, ValueError()), now)
        write = replace_reply(key_of(reply, SALT), reply.rule, LastReply(), ended, now)
        deployed.dynamodb.update_item(**write.parameters("ledger"))
        deployed.sqs.send_message(
            QueueUrl=replies[1],
            MessageBody=to_json(reply),
            MessageAttributes={ORIGIN: {"DataType": "String", "StringValue": origin}},
        )
        return to_json(reply)

    return put


def test_dead_replies_are_listed_beside_dead_jobs(
    deployed: Deployed, bury: Bury, operate: Operate
) -> None:
    """A row says that it is a reply, and has its end in the ledger."""
    deployed.bury(body(), origin="q1")
    bury()
    status, out, _ = operate("jobs", "list")
    assert status == 0
    bounce, reply = sorted(out.splitlines()[1:], key=lambda line: "(reply)" in line)
    assert bounce.startswith(job().reference)
    assert reply.startswith(REPLY.reference)
    assert "010-away (reply)" in reply
    assert "failed: forbidden" in reply
    _, out, _ = operate("jobs", "list", "--format", "json")
    found = {each["kind"]: each for each in map(json.loads, out.splitlines())}
    assert found["reply"]["bounce_sender"] == REPLY.from_
    assert found["reply"]["rules"] == [REPLY.rule]
    assert found["bounce"]["rules"] == ["200-departed"]


def test_a_dead_reply_is_shown_with_its_call(bury: Bury, operate: Operate) -> None:
    """The operator sees what SES would be asked, the message as text."""
    bury()
    status, out, _ = operate("jobs", "show", REPLY.reference)
    assert status == 0
    assert "SendRawEmail will have:" in out
    assert "Destinations[0]: ann@partner.example" in out
    _, out, _ = operate("jobs", "show", REPLY.reference, "--format", "json")
    call = json.loads(out)["send_raw_email"]
    assert "Auto-Submitted: auto-replied" in call["RawMessage"]["Data"]


@pytest.mark.parametrize(
    "words", [(REPLY.reference,), ("--identity", "example.com"), ("--all",)], ids=str
)
def test_a_dead_reply_goes_back_to_its_own_queue(
    words: tuple[str, ...],
    deployed: Deployed,
    replies: tuple[str, str],
    bury: Bury,
    operate: Operate,
) -> None:
    """It is put back as it was, and its dead letter is deleted."""
    buried = bury()
    status, out, _ = operate("jobs", "retry", *words, "--yes")
    assert (status, out.splitlines()[-1]) == (0, f"{REPLY.reference}: put back")
    assert deployed.bodies(replies[0]) == [buried]
    assert deployed.bodies(replies[1]) == []
    assert deployed.bodies(deployed.jobs_url) == []


def test_an_old_reply_is_dropped_and_not_put_back(
    deployed: Deployed, replies: tuple[str, str], bury: Bury, operate: Operate
) -> None:
    """After 24 hours the replier would withhold it."""
    bury(age_h=25)
    status, _, err = operate("jobs", "retry", REPLY.reference, "--yes")
    assert status == 1
    assert "its 24 hours are over" in err
    status, out, _ = operate("jobs", "drop", "--expired", "--yes")
    assert (status, out.splitlines()[-1]) == (0, f"{REPLY.reference}: deleted")
    assert deployed.bodies(replies[1]) == []


def test_forgetting_a_sender_forgets_his_replies(
    deployed: Deployed, bury: Bury, operate: Operate
) -> None:
    """The item goes, so that the sender may get a reply again."""
    bury()
    status, out, err = operate("forget", "Ann+x@partner.example", "--yes")
    assert status == 0
    assert "replies:    the last one of 1 rule" in out
    assert err.startswith("forgotten: 1 item")
    found = deployed.dynamodb.scan(TableName="ledger")["Items"]
    assert [item["id"]["S"] for item in found] == ["lease"]
