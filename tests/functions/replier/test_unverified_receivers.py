"""Tests: in the sandbox SES refuses a receiver that is not verified, and no other one for that."""

import pytest

from tests.functions.replier.lone_replier import LoneReplier, record
from tests.functions.worker.lone_worker import refusal

FAR, NEAR = "stranger@far.example", "verified@near.example"
SAYS = (
    "Email address is not verified. The following identities failed the check in region EU-WEST-1: "
)


@pytest.mark.parametrize("named", [FAR, "Stranger@FAR.example"])
def test_an_unverified_receiver_stops_no_other_reply(named: str, lone: LoneReplier) -> None:
    """His reply is a dead letter, and the next one is sent from the same address."""
    lone.ses.plan.append(refusal("MessageRejected", text=SAYS + named))
    assert lone.work(record("r1", sender=FAR), record("r2", sender=NEAR)) == []
    assert lone.ends() == ["reply_failed refused", "replied"]
    assert [each["MessageBody"] for each in lone.queue.buried] == [record(sender=FAR)["body"]]


@pytest.mark.parametrize(
    "named",
    ["desk@example.com", f"{FAR}, desk@example.com", f"desk@example.com, {FAR}", "", f"x{FAR}"],
)
def test_an_unverified_from_stops_the_replies_from_it(named: str, lone: LoneReplier) -> None:
    """If SES names another address as well, no other reply of that From is tried for a minute."""
    lone.ses.plan.append(refusal("MessageRejected", text=SAYS + named))
    lone.work(record("r1", sender=FAR), record("r2", sender=NEAR))
    assert lone.ends() == ["reply_failed forbidden"] * 2
    assert lone.sent == [FAR]
