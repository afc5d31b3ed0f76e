"""A sender to whom a bounce of ours bounced gets no further ones for a while."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from bouncer.function_limits import LEDGER_KEY_NAME
from bouncer.jobs.job_json import from_json, to_json
from bouncer.sending import digest, suppression
from bouncer.sending.bounce_event import Kind
from bouncer.sending.feedback_ledger import FeedbackLedger, Known
from bouncer.sending.lease import LEASE
from bouncer.sending.table import Table
from bouncer_sim.clock import now
from tests.functions.worker.bounce_fates import event_of
from tests.functions.worker.lone_worker import TOGETHER, LoneWorker, refusal

Open = Callable[[str], LoneWorker]
DAY_S = 86_400
RELAYED = "bounces+SRS=hash=day@tenant.example"
CUSTOMER = "bounces+111-aa-ann=example.com@service.example"


@pytest.fixture
def lone(stack: ExitStack) -> LoneWorker:
    return LoneWorker(stack)


def mail(lone: LoneWorker, number: int, sender: str = "eve@partner.example", *to: str) -> str:
    """The body of the job of one mail; each number is a mail of its own."""
    job = from_json(lone.job(*to, message_id=f"m{number}"))
    return to_json(replace(job, sender=sender))


def feedback(lone: LoneWorker) -> FeedbackLedger:
    return FeedbackLedger(
        Table(lone.items, lone.name), now=lambda: now(lone.clock), new_name=lone.new_name
    )


def bounced(lone: LoneWorker, number: int = 1, kind: Kind = Kind.PERMANENT) -> Known:
    """Report what became of the bounce with this number."""
    return feedback(lone).settle(event_of(f"bounce-{number}", kind)).known


def ends(lone: LoneWorker) -> list[str]:
    """The ends of jobs since the last call, `sent` or the reason."""
    return [reason or event for event, reason in lone.said()]


@pytest.mark.parametrize("kind", [Kind.PERMANENT, Kind.COMPLAINT])
def test_a_sender_whose_bounce_bounced_gets_none_for_30_days(lone: LoneWorker, kind: Kind) -> None:
    """In whatever form the address comes; without a call of SES, and without a claim."""
    lone.deliver(mail(lone, 0))
    assert bounced(lone, kind=kind) is Known.OURS
    lone.clock.sleep(30 * DAY_S - 60)
    forms = ("Eve@Partner.example", "prvs=0123456789=eve@partner.example", "eve+x@partner.example")
    lone.deliver(*(mail(lone, each, form) for each, form in enumerate(forms, 1)), first=2)
    lone.deliver(mail(lone, 8, "bob@partner.example"), first=8)
    assert ends(lone) == ["sent", *["sender_bounced_before"] * 3, "sent"]
    lone.clock.sleep(120)
    lone.deliver(mail(lone, 9), first=9)
    assert ends(lone) == ["sent"]


def test_a_transient_bounce_suppresses_nobody(lone: LoneWorker) -> None:
    """The mailbox was full; nothing is noted, so that a permanent one may follow."""
    lone.deliver(mail(lone, 0))
    assert bounced(lone, kind=Kind.TRANSIENT) is Known.OURS
    lone.deliver(mail(lone, 1), first=2)
    assert bounced(lone) is Known.OURS
    lone.deliver(mail(lone, 2), first=3)
    assert ends(lone) == ["sent", "sent", "sender_bounced_before"]


def test_an_unknown_id_changes_nothing(lone: LoneWorker) -> None:
    """Other mail of the account, or a forged event."""
    lone.deliver(mail(lone, 0))
    before = lone.items.scan(TableName=lone.name)["Items"]
    assert bounced(lone, 77) is Known.UNKNOWN
    assert lone.items.scan(TableName=lone.name)["Items"] == before


def test_an_event_counts_once(lone: LoneWorker) -> None:
    """A replay neither prolongs the time nor brings back somebody who was forgotten."""
    lone.deliver(mail(lone, 0))
    bounced(lone)
    key = suppression.suppressed_key(lone.salt.digest("eve@partner.example"))
    since = lone.item(key)["since"]
    lone.clock.sleep(5 * DAY_S)
    assert bounced(lone) is Known.REPEATED
    assert bounced(lone, kind=Kind.COMPLAINT) is Known.REPEATED
    assert lone.item(key)["since"] == since
    lone.items.delete_item(TableName=lone.name, Key={LEDGER_KEY_NAME: {"S": key}})
    assert bounced(lone) is Known.REPEATED
    assert lone.item(key) == {}


def test_two_invocations_with_one_event_suppress_once(lone: LoneWorker) -> None:
    """The second finds the condition refused, between its read and its write."""
    lone.deliver(mail(lone, 0))
    lone.table.meanwhile = lambda: bounced(lone)
    slow = FeedbackLedger(
        Table(lone.table, lone.name),  # type: ignore[arg-type]  # a fake client
        now=lambda: now(lone.clock),
        new_name=lone.new_name,
    )
    assert slow.settle(event_of("bounce-1", Kind.PERMANENT)).known is Known.REPEATED


@pytest.mark.parametrize(
    ("setting", "days", "expected"),
    [("off", 0, "sent"), ("7d", 6, "sender_bounced_before"), ("7d", 8, "sent")],
)
def test_the_setting_says_for_how_long(
    stack: ExitStack, setting: str, days: int, expected: str
) -> None:
    """It counts from the event, and when it is changed, too."""
    lone = LoneWorker(stack, f"suppression: {setting}")
    lone.deliver(mail(lone, 0))
    bounced(lone)
    lone.clock.sleep(days * DAY_S)
    lone.deliver(mail(lone, 1), first=2)
    assert ends(lone) == ["sent", expected]


def test_expired_and_duplicate_are_reported_before_it(lone: LoneWorker) -> None:
    """And it before a cap, which would count for nothing here."""
    lone.source.text = "caps: {sender: {24h: 1}}"
    lone.deliver(mail(lone, 0))
    bounced(lone)
    old = from_json(lone.job(message_id="old", age=timedelta(hours=25)))
    lone.deliver(mail(lone, 0), to_json(old), mail(lone, 3), first=2)
    assert ends(lone) == ["sent", "duplicate", "expired", "sender_bounced_before"]


def test_one_failed_bounce_does_not_silence_a_whole_tenant(lone: LoneWorker) -> None:
    """Microsoft's relayed form names nobody, so only this very address is suppressed."""
    lone.deliver(mail(lone, 0, RELAYED))
    bounced(lone)
    lone.deliver(mail(lone, 1, RELAYED.replace("day", "other")), mail(lone, 2, RELAYED), first=2)
    assert ends(lone) == ["sent", "sent", "sender_bounced_before"]


@pytest.mark.threat
@pytest.mark.parametrize(
    "other",
    [
        "bounces+222-bb-ann=example.com@service.example",
        "bounce+222-bb-bob=example.com@service.example",
    ],
)
def test_one_customer_does_not_silence_a_whole_mail_service(lone: LoneWorker, other: str) -> None:
    """SendGrid's customers share the part before "+", so only this very address is suppressed."""
    ann = "ann@example.com"
    lone.deliver(mail(lone, 0, CUSTOMER, ann))
    bounced(lone, kind=Kind.COMPLAINT)
    lone.deliver(mail(lone, 1, other, ann), mail(lone, 2, CUSTOMER.upper(), ann), first=2)
    assert ends(lone) == ["sent", "sent", "sender_bounced_before"]


def test_the_form_of_a_sender_does_not_depend_on_who_was_answered(lone: LoneWorker) -> None:
    """VERP is undone by a recipient that had its bounce already, and is left out of this one."""
    verp = "list-ann=example.com@lists.example"
    lone.deliver(mail(lone, 0, verp, "ann@example.com"))
    lone.deliver(mail(lone, 0, verp, "ann@example.com", "bob@example.com"), first=2)
    bounced(lone, 2)
    lone.deliver(mail(lone, 1, "list-zoe=example.com@lists.example", "zoe@example.com"), first=3)
    assert ends(lone) == ["sent", "sent", "sender_bounced_before"]


def test_a_bounce_whose_end_was_written_late_is_known(lone: LoneWorker) -> None:
    """The worker remembers SES's answer through an outage, and notes the bounce with the end."""
    lone.table.fail(":ended", *["before"] * 5)
    assert lone.deliver(mail(lone, 0)) == ["q1"]
    assert bounced(lone) is Known.UNKNOWN
    lone.deliver(mail(lone, 0), receives=2)
    assert bounced(lone) is Known.OURS


def test_a_bounce_that_was_not_sent_leaves_no_id(lone: LoneWorker) -> None:
    """Nothing can come back from it."""
    lone.ses.answers.append(refusal("MessageRejected", text="no"))
    lone.deliver(mail(lone, 0))
    items = lone.items.scan(TableName=lone.name)["Items"]
    assert not [each for each in items if each["id"]["S"].startswith("bounce#")]


def test_a_table_without_a_salt_gets_one_and_says_so(lone: LoneWorker) -> None:
    """Senders that were suppressed are not found any more; claims do not depend on it."""
    lone.deliver(mail(lone, 0))
    bounced(lone)
    first = lone.salt
    lone.items.delete_item(TableName=lone.name, Key={LEDGER_KEY_NAME: {"S": LEASE}})
    lone.said()
    lone.deliver(mail(lone, 0), mail(lone, 1), first=2)
    assert ends(lone) == ["salt_made", "duplicate", "sent"]
    assert lone.salt != first
    lone.deliver(mail(lone, 2), first=4)
    assert "salt_made" not in ends(lone)


def test_the_ledger_has_no_address(lone: LoneWorker) -> None:
    """Nor a digest that can be made without the table's salt."""
    lone.deliver(mail(lone, 0))
    bounced(lone)
    text = repr(lone.items.scan(TableName=lone.name)["Items"])
    assert "eve" not in text
    assert digest.digest("eve@partner.example") not in text


def test_a_bounce_is_noted_together_with_its_end(lone: LoneWorker) -> None:
    """If the one is not written, neither is the other."""
    lone.table.fail(":ended", *["before"] * 5, error=refusal("ValidationException"))
    lone.deliver(mail(lone, 0))
    assert [call for call in lone.table.calls if call == TOGETHER] == [TOGETHER] * 2
    assert bounced(lone) is Known.UNKNOWN
    assert lone.item("job#q1")["state"] == "begun"
