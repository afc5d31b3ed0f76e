"""Tests: an organisation gets so many replies a day, by however many senders it writes."""

import pytest
from botocore.exceptions import ReadTimeoutError

from bouncer.caps import Caps
from bouncer.operator_settings import Settings
from bouncer.sending import reply_counter
from tests.functions.replier.lone_replier import LoneReplier, record
from tests.functions.worker.lone_worker import THROTTLED, refusal

MOST = 3
CAPPED = "reply_withheld capped"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an organisation have three replies."""
    monkeypatch.setattr(reply_counter, "MOST_REPLIES", MOST)


def work(lone: LoneReplier, *names: str, host: str = "evil.example") -> list[str]:
    """Have replies to new senders of a domain worked off; return how they ended."""
    before = len(lone.ends())
    for name in names:
        lone.work(record(name, sender=f"{name}@{host}", received_at=lone.now()))
    return lone.ends()[before:]


@pytest.mark.threat
def test_an_organisation_gets_no_more_replies_than_a_day_allows(lone: LoneReplier) -> None:
    """Made-up senders and hosts count together; other organisations get theirs."""
    assert work(lone, "a", "b") == ["replied"] * 2
    assert work(lone, "c", "d", "e", host="mail.evil.example") == ["replied", CAPPED, CAPPED]
    assert work(lone, "f", host="good.example") == ["replied"]
    assert len(lone.sent) == MOST + 1


def test_the_next_day_counts_anew(lone: LoneReplier) -> None:
    """The counter is that of a day, and expires soon after it."""
    assert work(lone, "a", "b", "c", "d")[-1] == CAPPED
    lone.clock.sleep(86_400)
    assert work(lone, "e") == ["replied"]
    counters = [item for key, item in lone.service.items.items() if key.startswith("count#")]
    assert [item["sent"]["N"] for item in counters] == ["3", "1"]
    assert all(int(item["expires"]["N"]) < lone.clock.time() + 3 * 86_400 for item in counters)


def test_only_what_may_have_been_sent_counts(lone: LoneReplier) -> None:
    """A refusal and a throttle count nothing, a lost answer counts."""
    lone.ses.plan.append(refusal("MessageRejected", text="something in it"))
    assert work(lone, "a") == ["reply_failed refused"]
    lone.ses.plan += [THROTTLED] * 10
    assert work(lone, "b") == []
    lone.ses.plan.clear()
    lone.ses.plan.append(ReadTimeoutError(endpoint_url="x"))
    assert work(lone, "c") == ["reply_failed unknown"]
    assert work(lone, "d", "e", "f") == ["replied", "replied", CAPPED]


def test_a_reply_counts_once_however_often_it_comes(lone: LoneReplier) -> None:
    """A message that SQS delivers again has its end, and counts no more."""
    assert work(lone, "a", "a", "a") == ["replied", "replied again", "replied again"]
    assert work(lone, "b", "c", "d") == ["replied", "replied", CAPPED]


@pytest.mark.parametrize(
    "caps",
    [
        Caps(allow=("evil.example",)),
        Caps(allow=("a@evil.example", "b@evil.example", "c@evil.example", "d@evil.example")),
        Caps(domain_share=()),
    ],
    ids=["domain", "addresses", "off"],
)
def test_whom_no_cap_is_about(caps: Caps, lone: LoneReplier) -> None:
    """`allow` and `domain_share: off` of the setting `caps` hold for replies as well."""
    lone.in_force.loaded = lone.in_force.loaded._replace(settings=Settings(caps=caps))
    assert work(lone, "a", "b", "c", "d") == ["replied"] * 4


def test_the_counter_has_no_address(lone: LoneReplier) -> None:
    """Its key is a digest with the table's salt."""
    work(lone, "a")
    assert "evil" not in str(lone.service.items)
