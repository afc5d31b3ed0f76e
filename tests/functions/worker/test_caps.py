"""Nobody gets more bounces than the caps allow, and nobody's bounces keep others waiting."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from bouncer.jobs.job_json import from_json, to_json
from bouncer.mail.rewritten_sender import normal_sender
from bouncer.sending.counters import log_keys, sender_key
from tests.functions.worker.lone_worker import (
    READ,
    THROTTLED,
    TOGETHER,
    WRITE,
    LoneWorker,
    ends,
    mail,
    refusal,
)

FEW = "caps: {sender: {10m: 2, 1h: 3}, domain_share: off, sender_recipient_rule: off}"
ONCE = "caps: {sender: off, domain_share: off, sender_recipient_rule: {24h: 1}}"
SHARE = "rate: 0.2\ncaps: {sender: off, domain_share: 1%, sender_recipient_rule: off}"
SHARE_OF_AN_HOUR = SHARE.replace("domain_share: 1%", "domain_share: {1h: 5%}")
SHARE_OF_A_DAY = 173  # the first number that is 1 % of the 17,280 bounces of such a day, or more
Open = Callable[[str], LoneWorker]


@pytest.fixture
def begin(stack: ExitStack) -> Open:
    """Makes a worker whose settings are these."""
    return lambda settings: LoneWorker(stack, settings)


def counted(lone: LoneWorker) -> list[str]:
    """The keys of all counters."""
    items = lone.items.scan(TableName=lone.name)["Items"]
    return sorted(item["id"]["S"] for item in items if item["id"]["S"].startswith("count#"))


@pytest.mark.threat
def test_a_sender_gets_no_more_than_each_window_allows(begin: Open) -> None:
    """The third bounce in ten minutes is withheld, and the fourth in an hour."""
    lone = begin(FEW)
    assert lone.deliver(*(mail(lone, each) for each in range(3))) == []
    assert lone.lines[-1]["cap"] == "sender: 2 in 10m"
    assert ends(lone) == ["sent", "sent", "capped"]
    lone.clock.sleep(601)
    assert lone.deliver(*(mail(lone, each) for each in (3, 4)), first=4) == []
    assert lone.lines[-1]["cap"] == "sender: 3 in 1h"
    assert ends(lone) == ["sent", "capped"]
    lone.clock.sleep(3600)
    assert lone.deliver(mail(lone, 5), first=6) == []
    assert ends(lone) == ["sent"]


def test_a_sender_is_one_however_forwarders_write_him(begin: Open) -> None:
    """Rewritten senders have one counter; the same words in another domain have another."""
    lone = begin(FEW)
    forms = ("Eve@partner.example", "prvs=0123456789=eve@partner.example", "eve+x@partner.example")
    assert lone.deliver(*(mail(lone, each, form) for each, form in enumerate(forms))) == []
    forged = "SRS0=hash=tt=partner.example=eve@attacker.example"
    assert lone.deliver(*(mail(lone, each, forged) for each in (3, 4)), first=4) == []
    assert ends(lone) == ["sent", "sent", "capped", "sent", "sent"]


def test_a_capped_job_costs_no_call_and_repeats_its_end(begin: Open) -> None:
    """SES is not asked, nothing is claimed, and the job delivered again says the same."""
    lone = begin(FEW)
    lone.deliver(*(mail(lone, each) for each in range(2)))
    lone.said()
    for receives in (1, 2):
        lone.table.times.clear()
        lone.deliver(mail(lone, 2), receives=receives, first=3)
    again = lone.lines[-1]
    assert (again["again"], again["reason"], again["cap"]) == (True, "capped", "sender: 2 in 10m")
    assert "Withheld_capped" not in again
    assert lone.lines[0]["Withheld_capped"] == [1]
    assert len(lone.ses.calls) == 2
    assert lone.table.calls == [WRITE, READ, WRITE]


def test_a_job_counts_once_however_often_it_is_delivered(begin: Open) -> None:
    """A job that SES throttled is counted, and is not capped by its own count."""
    lone = begin(FEW)
    for receives in (1, 2, 3):
        lone.ses.answers += [THROTTLED] * 60
        assert lone.deliver(mail(lone, 0), receives=receives) == ["q1"]
        lone.ses.answers.clear()
    assert lone.deliver(mail(lone, 0), mail(lone, 1), receives=4) == []
    assert ends(lone)[-2:] == ["sent", "sent"]


def test_a_dead_letter_that_is_put_back_counts_once(begin: Open) -> None:
    """A retry is another message of the same job: the first one must not cap it."""
    lone = begin(ONCE)
    lone.ses.answers.append(refusal("MessageRejected", text="Email address is not verified. x"))
    lone.deliver(mail(lone, 0))
    lone.clock.sleep(61)
    lone.deliver(mail(lone, 0), first=2)
    assert ends(lone) == ["forbidden", "sent"]


def test_only_the_recipient_that_is_capped_is_taken_out(begin: Open) -> None:
    """The others are bounced, and the line says who was not; so does its repetition."""
    lone = begin(ONCE)
    lone.deliver(mail(lone, 0, "eve@partner.example", "ann@example.com"))
    both = mail(lone, 1, "eve@partner.example", "Ann+x@example.com", "bob@example.com")
    lone.said()
    for receives in (1, 2):
        lone.deliver(both, first=2, receives=receives)
    assert lone.ses.recipients == [("ann@example.com",), ("bob@example.com",)]
    first, again = lone.lines
    for line in (first, again):
        assert line["message"] == "sent"
        assert line["recipients"] == ["bob@example.com"]
        assert line["capped"] == ["Ann+x@example.com"]
    assert (first["Sent"], first["Withheld_capped"]) == ([1], [1])
    assert "Withheld_capped" not in again


def test_a_job_whose_every_recipient_is_capped_is_withheld(begin: Open) -> None:
    """Those that got a bounce of this mail before do not count as recipients to send to."""
    lone = begin(ONCE)
    lone.deliver(mail(lone, 0, "eve@partner.example", "ann@example.com"))
    lone.deliver(mail(lone, 1, "eve@partner.example", "bob@example.com"), first=2)
    rest = mail(lone, 1, "eve@partner.example", "bob@example.com", "ann@example.com")
    lone.deliver(rest, first=3)
    assert lone.lines[-1]["recipients"] == ["ann@example.com"]
    assert lone.lines[-1]["cap"] == "sender_recipient_rule: 1 in 24h"
    assert ends(lone) == ["sent", "sent", "capped"]


@pytest.mark.threat
def test_a_share_of_the_day_binds_only_who_keeps_others_waiting(begin: Open) -> None:
    """An organisation over its share gets bounces while jobs are fresh, whatever its host."""
    lone = begin(SHARE)
    for number in range(SHARE_OF_A_DAY):
        lone.deliver(mail(lone, number, f"u{number}@h{number}.partner.example"), first=number + 1)
    assert set(ends(lone)) == {"sent"}
    lone.clock.sleep(3600)
    old = timedelta(minutes=16)
    for age, first in ((timedelta(minutes=14), 1001), (old, 1002)):
        job = from_json(lone.job(message_id=f"late{first}", age=age))
        lone.deliver(to_json(replace(job, sender="x@partner.example")), first=first)
    stranger = from_json(lone.job(message_id="other", age=old))
    lone.deliver(to_json(replace(stranger, sender="x@elsewhere.example")), first=1003)
    assert [line.get("cap") for line in lone.lines] == [None, "domain_share: 1% in 24h", None]
    assert ends(lone) == ["sent", "capped", "sent"]


def test_a_share_of_an_hour_is_that_of_the_last_hour(begin: Open) -> None:
    """5 % of the 720 bounces of an hour are 36; an hour that has ended counts by what is left."""
    lone = begin(SHARE_OF_AN_HOUR)
    received = timedelta(minutes=16)
    early = 3000 + received.total_seconds()  # then all mails were received within one hour
    lone.clock.sleep(early - lone.clock.time() % 3600)

    def old_job(number: int) -> str:
        job = from_json(lone.job(message_id=f"m{number}", age=received))
        return to_json(replace(job, sender=f"u{number}@partner.example"))

    for number in range(37):
        lone.deliver(old_job(number), first=number + 1)
    assert lone.lines[-1]["cap"] == "domain_share: 5% in 1h"
    assert ends(lone) == ["sent"] * 36 + ["capped"]
    for seconds, end in ((30, "capped"), (900, "sent")):
        lone.clock.sleep(seconds)
        lone.deliver(old_job(1_000 + seconds), first=seconds + 100)
        assert ends(lone) == [end]


def test_a_share_is_of_the_time_that_a_job_has_left(begin: Open) -> None:
    """Within an hour of its end there is room for 720 bounces, and 5 % of them are 36, not 864."""
    lone = begin(SHARE.replace("domain_share: 1%", "domain_share: 5%"))
    late = timedelta(hours=23, minutes=30)
    for number in range(37):
        job = from_json(lone.job(message_id=f"m{number}", age=late))
        body = to_json(replace(job, sender=f"u{number}@partner.example"))
        lone.deliver(body, first=number + 1)
    assert lone.lines[-1]["cap"] == "domain_share: 5% in 24h"
    assert ends(lone) == ["sent"] * 36 + ["capped"]


@pytest.mark.parametrize(
    ("caps", "sender"),
    [
        ("{sender: {24h: 1}, allow: Eve+x@partner.example}", "eve@partner.example"),
        ("{sender: {24h: 1}, allow: [x.example, partner.example]}", "eve@Partner.Example"),
        ("{sender: {24h: 1}, allow: .partner.example}", "eve@mx.partner.example"),
        ("off", "eve@partner.example"),
    ],
)
def test_who_is_allowed_is_neither_capped_nor_counted(begin: Open, caps: str, sender: str) -> None:
    """An address, a domain or all its subdomains; `off` is about everybody."""
    lone = begin(f"caps: {caps}")
    lone.deliver(*(mail(lone, each, sender) for each in range(3)))
    assert ends(lone) == ["sent"] * 3
    assert counted(lone) == []


def test_fifty_recipients_cost_no_call_more(begin: Open) -> None:
    """One read and one transaction, within DynamoDB's limits, as for one recipient."""
    lone = begin("caps: {sender: {24h: 9}, sender_recipient_rule: {24h: 9}}")
    names = [f"{'x' * 200}{number}@example.com" for number in range(50)]
    lone.deliver(mail(lone, 0, "eve@partner.example", *names))
    assert ends(lone) == ["sent"]
    assert lone.table.calls == [WRITE, READ, TOGETHER, TOGETHER, WRITE]
    assert len(counted(lone)) <= 34


def test_all_counters_of_an_address_can_be_found_by_it(begin: Open) -> None:
    """The ledger has digests only, and no counter of a person that its address does not lead to."""
    lone = begin("caps: {sender: {24h: 9}, domain_share: off}")
    lone.deliver(mail(lone, 0, "Eve+x@partner.example", "ann@example.com", "bob@example.com"))
    sender = normal_sender("Eve+x@partner.example")
    assert set(counted(lone)) <= {sender_key(sender, lone.salt), *log_keys(sender, lone.salt)}
    assert not any("eve" in key or "ann" in key for key in counted(lone))


@pytest.mark.threat
def test_a_flood_of_strangers_leaves_little_behind(begin: Open) -> None:
    """A bounce leaves two items of its own and some 200 bytes, for three days."""
    lone = begin("caps: {sender: {24h: 9}}")
    for number in range(40):
        lone.deliver(mail(lone, number, f"u{number}@partner.example"), first=number + 1)
    keys = counted(lone)
    assert len(keys) == 2 * 40 + 1  # and one for the organisation of all
    items = [lone.item(key) for key in keys]
    sizes = [sum(len(name) + len(str(value)) for name, value in item.items()) for item in items]
    assert sum(sizes) / 40 < 260
    assert max(int(item["expires"]) for item in items) - lone.clock.time() <= 3 * 86_400


def test_a_log_forgets_what_no_window_needs(begin: Open) -> None:
    """A mail may be a day old when it is bounced, so that a window is kept for a day longer."""
    lone = begin("caps: {sender: {1h: 2}, domain_share: off, sender_recipient_rule: off}")
    for number in range(6):
        lone.deliver(mail(lone, number), first=number + 1)
        lone.clock.sleep(10 * 3600)
    (key,) = counted(lone)
    assert len([name for name in lone.item(key) if name.startswith("j")]) == 3


HELD_FOR = 40  # mails, one in a quarter of an hour


def test_mails_that_waited_are_as_far_apart_as_they_were_received(begin: Open) -> None:
    """After a hold of ten hours all are sent within a minute, and none is capped for that."""
    lone = begin("caps: {sender_recipient_rule: off}")
    ages = [timedelta(minutes=15 * (HELD_FOR - number)) for number in range(HELD_FOR)]
    jobs = [lone.job(message_id=f"m{number}", age=age) for number, age in enumerate(ages)]
    for first in range(0, HELD_FOR, 10):
        assert lone.deliver(*jobs[first : first + 10], first=first + 1) == []
    assert ends(lone) == ["sent"] * HELD_FOR


def test_a_retried_job_is_counted_where_its_mail_was(begin: Open) -> None:
    """A dead letter that is put back hours later meets only the windows about its mail."""
    lone = begin("caps: {sender: {10m: 2}, domain_share: off, sender_recipient_rule: off}")
    old = lone.job(message_id="old", age=timedelta(hours=5))
    for number in range(4):
        lone.deliver(mail(lone, number), first=number + 1)
        lone.clock.sleep(600)
    assert lone.deliver(old, first=9) == []
    assert ends(lone) == ["sent"] * 5


def test_nothing_is_capped_while_sending_is_held(begin: Open) -> None:
    """It waits as all others do, alone or behind one that is withheld; then it is capped."""
    lone = begin(FEW)
    assert lone.deliver(*(mail(lone, each) for each in range(2))) == []
    lone.source.text = f"sending: paused\n{FEW}"
    lone.clock.sleep(61)
    left = [mail(lone, each) for each in (2, 3)]
    expired = lone.job(message_id="old", age=timedelta(hours=25))
    assert lone.deliver(expired, *left, first=3) == ["q4", "q5"]
    lone.source.text = FEW
    lone.clock.sleep(61)
    lone.deliver(*left, first=4)
    assert [each for each in ends(lone) if each != "handed_back"] == [
        *("sent", "sent", "expired", "capped", "capped")
    ]
