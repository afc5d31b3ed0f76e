"""Tests: an organisation gets no more replies in a day than its cap allows."""

import pytest
from botocore.exceptions import ReadTimeoutError

from bouncer.caps import NO_CAPS, Caps
from bouncer.operator_settings import Settings
from bouncer.sending.queue import Record
from tests.functions.replier.lone_replier import LoneReplier, record
from tests.functions.worker.lone_worker import refusal

DAY_S = 86_400


def cap(lone: LoneReplier, caps: Caps) -> None:
    """Put caps in force."""
    lone.in_force.loaded = lone.in_force.loaded._replace(settings=Settings(caps=caps))


def strangers(lone: LoneReplier, count: int, host: str = "evil.example") -> list[Record]:
    """Replies to people of one domain, each on a host of its own."""
    begun = len(lone.sent)
    return [
        record(f"r{begun}-{each}", sender=f"u{begun}-{each}@h{each}.{host}", received_at=lone.now())
        for each in range(count)
    ]


@pytest.mark.threat
def test_an_organisation_gets_no_more_replies_than_its_cap(lone: LoneReplier) -> None:
    """Its hosts count together, another one has its own count, and the next day a new one."""
    cap(lone, Caps(domain_replies=3))
    lone.work(*strangers(lone, 5))
    assert lone.ends() == ["replied"] * 3 + ["reply_withheld capped"] * 2
    lone.work(*strangers(lone, 1, "partner.example"))
    assert lone.ends()[-1] == "replied"
    lone.clock.sleep(DAY_S)
    lone.work(*strangers(lone, 1))
    assert lone.ends()[-1] == "replied"


def test_without_a_setting_an_organisation_gets_200_replies(lone: LoneReplier) -> None:
    """It is one item of the ledger, and two environments share it."""
    for _ in range(21):
        lone.work(*strangers(lone, 10), replier=lone.environment())
        lone.clock.sleep(1)
    assert lone.ends().count("replied") == 200
    assert sum(key.startswith("replies#") for key in lone.service.items) == 1


@pytest.mark.parametrize(
    "caps", [NO_CAPS, Caps(domain_replies=1, allow=(".evil.example",))], ids=["off", "allow"]
)
def test_a_cap_is_off_or_not_about_everybody(caps: Caps, lone: LoneReplier) -> None:
    """`off`, and `allow` as for bounces."""
    cap(lone, caps)
    lone.work(*strangers(lone, 5))
    assert lone.ends() == ["replied"] * 5


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (ReadTimeoutError(endpoint_url="x"), ["reply_failed unknown", "reply_withheld capped"]),
        (refusal("MessageRejected"), ["reply_failed refused", "replied"]),
    ],
    ids=["unknown", "refused"],
)
def test_what_was_not_sent_does_not_count(
    answer: Exception, ends: list[str], lone: LoneReplier
) -> None:
    """A reply that may have been sent does."""
    cap(lone, Caps(domain_replies=1))
    lone.ses.plan.append(answer)
    lone.work(*strangers(lone, 2))
    assert lone.ends() == ends
