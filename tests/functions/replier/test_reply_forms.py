"""Tests: a reply whose item a later version of this program wrote waits alone, or expires."""

import pytest

from bouncer.sending.reply_item import attribute, key_of
from tests.functions.replier.lone_replier import REPLY, LoneReplier, record


@pytest.fixture
def later(lone: LoneReplier) -> LoneReplier:
    """Return a replier whose ledger has a state for Ann that it does not know."""
    lone.work(record("r0"))
    item = lone.service.items[key_of(REPLY, lone.salt)]
    changed = {attribute(REPLY.rule): {"S": '{"state": "paused"}'}}
    lone.service.items[key_of(REPLY, lone.salt)] = {**item, **changed}
    return lone


def test_a_reply_in_a_later_form_waits_alone(later: LoneReplier) -> None:
    """The other senders of the batch get theirs, and the journal says what waits for what."""
    assert later.work(record("r1"), record("r2", sender="bob@x.example")) == ["r1"]
    assert later.ends() == ["replied", "replied"]
    assert later.sent == [REPLY.sender, "bob@x.example"]
    assert "another form" in str(later.event("handed_back"))


def test_a_reply_in_a_later_form_expires(later: LoneReplier) -> None:
    """After 24 hours it comes to an end, without a look at what it can't read."""
    later.clock.sleep(86_401)
    assert later.work(record("r1")) == []
    assert later.ends()[-1] == "reply_withheld expired"
    assert later.sent == [REPLY.sender]
