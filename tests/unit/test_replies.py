"""Replies to mail: who gets one, what becomes of the mail, and what a stranger can put into one."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from bouncer.judge import Judgement, judge
from bouncer.mail.message import Message, read_event
from bouncer.operator_settings import Settings
from bouncer.reasons import ANSWER_CLASSES, Reason
from bouncer.replying import thread
from bouncer.rules.rule import Mode
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from tests.functions.intake_events import event
from tests.unit.ruleset_mails import named_list

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
ANN, BOB = "ann@example.com", "bob@example.com"
REPLY = "reply: {from: no-reply@brand.example, text: 'Dear {sender}: {recipient} is out.'}"
FOR_ANN = f"when: {{recipient: {ANN}}}\n{REPLY}"
REJECT_BOB = f"when: {{recipient: {BOB}}}\nreject: {{type: DoesNotExist}}"
HEADERS = (
    ("From", "Eve <eve@partner.example>"),
    ("To", f"Ann <{ANN}>, {BOB}"),
    ("Subject", "Hello"),
    ("Message-ID", "<1@partner.example>"),
)


def mail(
    *more: tuple[str, str],
    to: Iterable[str] = (ANN,),
    without: str = "",
    verdicts: dict[str, str] | None = None,
    **changes: Any,
) -> Message:
    """A mail from Eve, with more headers."""
    pairs = [*(each for each in HEADERS if each[0] != without), *more]
    headers = [{"name": name, "value": value} for name, value in pairs]
    raw = event(*to, headers=headers, **changes)
    for name, word in (verdicts or {}).items():
        raw["Records"][0]["ses"]["receipt"][f"{name}Verdict"] = {"status": word}
    return read_event(raw)[0]


def judged(message: Message, *rules: str, lists: Any = None, **settings: Any) -> Judgement:
    """The judgement by these rules, named 1, 2, ... in their order."""
    read = [read_rule(str(number), text) for number, text in enumerate(rules or (FOR_ANN,), 1)]
    return judge(message, Ruleset(read, lists), Settings(**settings), now=NOW)


def test_a_mail_gets_a_reply_and_goes_on() -> None:
    """It goes to the envelope sender, and says which mail it is about."""
    found = judged(mail())
    (reply,) = found.replies
    assert str(found.disposition) == "CONTINUE"
    assert (found.jobs, found.withheld, found.unreplied) == ((), {}, {})
    assert (reply.sender, reply.recipients, reply.rule) == ("eve@partner.example", (ANN,), "1")
    assert (reply.subject, reply.text) == (
        "Auto: Hello",
        "Dear eve@partner.example: ann@example.com is out.",
    )
    assert (reply.from_, reply.once_per_s) == ("no-reply@brand.example", 7 * 86400)
    assert (reply.in_reply_to, reply.references) == (
        "<1@partner.example>",
        ("<1@partner.example>",),
    )


def test_one_recipient_rejected_and_one_replied() -> None:
    """Both happen, and the mail goes on."""
    found = judged(mail(to=(ANN, BOB)), FOR_ANN, REJECT_BOB)
    assert [job.recipients for job in found.jobs] == [(BOB,)]
    assert [reply.recipients for reply in found.replies] == [(ANN,)]
    assert str(found.disposition) == "CONTINUE"
    assert found.jobs[0].reference != found.replies[0].reference


def test_a_rule_replies_once_to_a_mail() -> None:
    """However many of its recipients it matches; another rule has a reply of its own."""
    rule = f"when: {{recipient: [{ANN}, {BOB}]}}\n{REPLY}"
    (reply,) = judged(mail(to=(ANN, BOB)), rule).replies
    assert reply.recipients == (ANN, BOB)
    assert "ann@example.com, bob@example.com is out" in reply.text
    two = judged(mail(to=(ANN, BOB)), FOR_ANN, REPLY).replies
    assert [(reply.rule, reply.recipients) for reply in two] == [("1", (ANN,)), ("2", (BOB,))]


def test_a_reply_rule_decides_like_accept() -> None:
    """Rules behind it are not asked."""
    found = judged(mail(), FOR_ANN, "reject: {type: Undefined}")
    assert not found.jobs
    assert [each.rule.name for each in found.decisions if each.rule] == ["1"]


@pytest.mark.parametrize("rule", [f"mode: shadow\n{FOR_ANN}", f"share: 0%\n{FOR_ANN}"])
def test_a_rule_that_only_records_sends_nothing(rule: str) -> None:
    """In mode shadow, and outside its share; the rules behind it decide."""
    found = judged(mail(), rule, "drop: {}")
    assert (found.replies, found.unreplied) == ((), {})
    assert [shadow.name for each in found.decisions for shadow in each.shadow] == ["1"]
    assert str(found.disposition) == "STOP_RULE_SET"


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.OFF])
def test_a_deployment_that_only_records_sends_nothing(mode: Mode) -> None:
    """The decision is recorded in mode shadow."""
    assert judged(mail(), mode=mode).replies == ()


def test_an_unknown_reply_rule_lets_the_mail_through_without_a_reply() -> None:
    """It may have decided before the rule that rejects, and is not sure enough to answer."""
    rule = f"when: {{recipient: {{in: missing}}}}\n{REPLY}"
    found = judged(mail(), rule, "reject: {type: Undefined}")
    assert (found.replies, found.jobs) == ((), ())
    (decision,) = found.decisions
    assert decision.ended_by
    assert decision.ended_by.name == "1"


def test_columns_of_a_list_are_filled_in_for_each_recipient() -> None:
    """Recipients with another successor have a paragraph of their own."""
    rows = {ANN: "carl@example.com", BOB: "dora@example.com"}
    entries = [{"address": address, "successor": other} for address, other in rows.items()]
    departed = named_list("departed", {"entries": entries})
    rule = (
        "when: {recipient: {in: departed}}\n"
        "reply: {from: n@example.com, text: 'For {recipient}: {departed.successor}.'}"
    )
    (reply,) = judged(mail(to=(ANN, BOB)), rule, lists={"departed": departed}).replies
    assert reply.text == (
        "For ann@example.com: carl@example.com.\n\nFor bob@example.com: dora@example.com."
    )


WITHHELD: list[tuple[Message, Reason]] = [
    (mail(source="<>"), Reason.NULL_SENDER),
    (mail(source="eve@localhost"), Reason.INVALID_SENDER),
    (mail(("X-Bouncer-Reference", "bnc-aaaaaaaaaaaaaaaa")), Reason.REPORT),
    (mail(("In-Reply-To", "<bnc-aaaaaaaaaaaaaaaa@x>")), Reason.REPORT),
    (mail(source="carl@example.com"), Reason.OWN_SENDER),
    (mail(source="no-reply+1@brand.example"), Reason.OWN_SENDER),
    (mail(source="mailer-daemon@partner.example"), Reason.DAEMON_SENDER),
    (mail(verdicts={"virus": "FAIL"}), Reason.VIRUS),
    (mail(verdicts={"spam": "FAIL"}), Reason.SPAM),
    (mail(verdicts={"spf": "FAIL", "dmarc": "FAIL"}), Reason.UNAUTHENTICATED),
    (mail(("Auto-Submitted", "auto-replied")), Reason.AUTOMATIC),
    (mail(("List-Id", "<cats.partner.example>")), Reason.LISTS),
    (mail(("Precedence", "bulk")), Reason.LISTS),
    (mail(("X-Auto-Response-Suppress", "OOF")), Reason.REPLY_SUPPRESSED),
    (mail(without="To"), Reason.NOT_NAMED),
    (mail(("Cc", "Somebody <other@example.com>"), without="To"), Reason.NOT_NAMED),
    (mail(headersTruncated=True), Reason.HEADERS_TRUNCATED),
    (mail(verdicts={"spf": "PROCESSING_FAILED", "dmarc": "GRAY"}), Reason.UNVERIFIABLE),
]


@pytest.mark.threat
@pytest.mark.parametrize(("message", "reason"), WITHHELD, ids=lambda each: str(each)[:20])
def test_what_must_not_be_answered_gets_no_reply(message: Message, reason: Reason) -> None:
    """The settings may answer it with bounces. The mail goes on all the same."""
    found = judged(message, answer=frozenset(ANSWER_CLASSES))
    assert (found.replies, found.unreplied) == ((), {ANN: reason})
    assert (str(found.disposition), found.withheld) == ("CONTINUE", {})


def test_no_reply_is_made_while_sending_is_held_for_long() -> None:
    """It would hardly be sent within its day; the mail goes on as ever."""
    rules = Ruleset([read_rule("1", FOR_ANN)])
    found = judge(mail(), rules, Settings(), now=NOW, goes_on=True)
    assert (found.replies, found.unreplied) == ((), {ANN: Reason.HELD})
    assert str(found.disposition) == "CONTINUE"


@pytest.mark.parametrize(
    "header",
    [
        ("To", "ANN+news@Example.com"),
        ("Cc", '"Ann, of sales" <ann@example.com>'),
        ("Resent-To", "ann@example.com"),
        ("To", "x@a.example, y@a.example;, ann@example.com"),
    ],
)
def test_a_recipient_who_is_named_gets_an_answer(header: tuple[str, str]) -> None:
    """In any case, with a tag, and among others (RFC 5230 section 4.5)."""
    assert judged(mail(header, without="To")).replies


@pytest.mark.threat
def test_mail_to_an_address_that_replies_come_from_is_never_answered() -> None:
    """Neither by a bounce nor by a reply: it may answer a reply, and two machines would not end."""
    answers = f"when: {{recipient: {ANN}}}\nreply: {{from: Ann <Ann@example.com>, text: Hi}}"
    assert judged(mail(), answers).unreplied == {ANN: Reason.OWN_SENDER}
    off = f"mode: off\n{answers}"
    reject = f"when: {{recipient: {ANN}}}\nreject: {{type: DoesNotExist}}"
    assert judged(mail(), off, reject).withheld == {ANN: Reason.OWN_SENDER}
    assert judged(mail(), reject).withheld == {}


@pytest.mark.threat
def test_an_address_that_rules_replied_from_before_is_never_answered() -> None:
    """The rule is gone, and its replies are answered all the same."""
    asked = mail(("To", BOB), to=(BOB,), without="To")
    senders = frozenset({BOB, "replies@brand.example"})
    assert judged(asked, REJECT_BOB).withheld == {}
    found = judged(asked, REJECT_BOB, reply_senders=senders)
    assert found.withheld == {BOB: Reason.OWN_SENDER}
    found = judged(mail(source="replies@brand.example"), reply_senders=senders)
    assert found.unreplied == {ANN: Reason.OWN_SENDER}


@pytest.mark.threat
def test_a_tag_of_the_address_that_replies_come_from_makes_no_difference() -> None:
    """Mail to it may answer a reply, with a tag in From, in the recipient or in both."""
    answers = f"when: {{recipient: {ANN}}}\nreply: {{from: Ann <ann+auto@example.com>, text: Hi}}"
    for address in (ANN, "ann+auto@example.com", "ann+x@example.com"):
        asked = mail(("To", address), to=(address,), without="To")
        assert judged(asked, answers).unreplied == {address: Reason.OWN_SENDER}
        reject = f"when: {{recipient: {ANN}}}\nreject: {{type: DoesNotExist}}"
        found = judged(asked, f"mode: off\n{answers}", reject)
        assert found.withheld == {address: Reason.OWN_SENDER}


@pytest.mark.threat
@pytest.mark.parametrize(
    ("source", "author", "dmarc", "answered"),
    [
        ("SRS0=ab=cd=victim.example=bob@forwarder.example", "Bob@victim.example", "FAIL", False),
        ("SRS0=ab=cd=victim.example=bob@forwarder.example", "Bob@victim.example", "GRAY", False),
        ("SRS0=ab=cd=victim.example=bob@forwarder.example", "eve@evil.example", "PASS", False),
        ("SRS0=ab=cd=home.example=bob@forwarder.example", "Bob@home.example", "PASS", True),
        ("SRS1=ab=x.example==ab=cd=home.example=bob@f.example", "bob@home.example", "PASS", True),
        ("ann+SRS=ab=cd=home.example=bob@f.example", "bob@home.example", "PASS", True),
        ("ann+SRS=ab=cd=home.example=bob@f.example", "bob@home.example", "FAIL", False),
        ("bounces+SRS=ab=cd@f.example", "bob@f.example", "PASS", False),
        ("prvs=0123456789=bob@home.example", "bob@home.example", "FAIL", True),
    ],
)
def test_a_forwarder_does_not_vouch_for_the_sender_that_he_wrote_down(
    source: str, author: str, dmarc: str, answered: bool
) -> None:
    """He hands the reply on to him, whom anybody can have named to the forwarder."""
    forwarded = mail(("From", author), without="From", source=source, verdicts={"dmarc": dmarc})
    found = judged(forwarded)
    assert bool(found.replies) is answered
    assert answered or found.unreplied == {ANN: Reason.UNAUTHENTICATED}


def test_a_hostile_subject_can_do_nothing() -> None:
    """Line breaks, control characters, encoded words and great length are cleaned and cut."""
    word = "=?utf-8?q?Hi=0D=0ABcc:_eve@evil.example=00?="
    (reply,) = judged(mail(("Subject", f"{word} {'x' * 5000}"), without="Subject")).replies
    assert "\n" not in reply.subject
    assert reply.subject.startswith("Auto: Hi Bcc: eve@evil.example")
    assert len(reply.subject) <= 300


@pytest.mark.threat
def test_a_text_grows_only_so_far() -> None:
    """However often it shows what a stranger wrote."""
    text = "{subject} " * 300
    rule = f"when: {{recipient: {ANN}}}\nreply: {{from: n@example.com, text: '{text}'}}"
    (reply,) = judged(mail(("Subject", "x" * 250), without="Subject"), rule).replies
    assert len(reply.text) == 10_000
    assert reply.text.endswith("...")


@pytest.mark.parametrize(
    ("headers", "ids"),
    [
        ((), ()),
        ((("Message-ID", "<1@a>"),), ("<1@a>",)),
        ((("Message-ID", "<1@a>"), ("In-Reply-To", "<0@a>")), ("<0@a>", "<1@a>")),
        ((("Message-ID", "<2@a>"), ("In-Reply-To", "<0@a> <1@a>")), ("<2@a>",)),
        ((("Message-ID", "<2@a>"), ("References", "<0@a> x <1@a>")), ("<0@a>", "<1@a>", "<2@a>")),
        ((("Message-ID", "<2@a>"), ("References", "<2@a> <1@a> <1@a>")), ("<1@a>", "<2@a>")),
        ((("Message-ID", "no id"), ("References", "<1@a>")), ("<1@a>",)),
        ((("Message-ID", "<1@a>"), ("Message-ID", "<2@a>")), ()),
        ((("Message-ID", "<a b@c>"), ("References", "<\x01@a> <é@a>")), ()),
        ((("Message-ID", f"<{'x' * 300}@a>"),), ()),
    ],
)
def test_the_thread_of_a_mail(headers: tuple[tuple[str, str], ...], ids: tuple[str, ...]) -> None:
    """References, or a single In-Reply-To, and the mail's own id last (RFC 5322 section 3.6.4)."""
    pairs = [{"name": name, "value": value} for name, value in headers]
    assert thread(read_event(event(headers=pairs))[0]) == ids


@pytest.mark.threat
def test_a_long_thread_is_cut_in_the_middle() -> None:
    """The first id and the last ones find it again."""
    many = " ".join(f"<{number}@a>" for number in range(500))
    ids = thread(mail(("References", many)))
    assert len(ids) == 20
    assert (ids[0], ids[-1]) == ("<0@a>", "<1@partner.example>")


def test_a_reply_that_cannot_be_made_changes_nothing() -> None:
    """The bounce of another recipient is sent, and the error is told."""
    late = mail(to=(ANN, BOB), timestamp="9999-12-31T00:00:00Z")
    rejecting = judged(mail(to=(BOB,)), FOR_ANN, REJECT_BOB)
    assert rejecting.reply_error is None
    found = judged(late)
    assert found.replies == ()
    assert "expected a time of a mail" in str(found.reply_error)
    assert str(found.disposition) == "CONTINUE"
