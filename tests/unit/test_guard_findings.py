"""Verdicts, headers and waivers decide what else may be answered."""

import pytest

from bouncer.guard import Context, findings, withheld
from bouncer.reasons import ANSWER_CLASSES, GUARD_REASONS, Reason
from tests.unit.guard_mails import context, mail, reasons

Headers = tuple[tuple[str, str], ...]


@pytest.mark.parametrize("virus", ["pass", "gray", "processing_failed", "disabled", "absent"])
def test_virus_verdict_other_than_fail_is_answered(virus: str) -> None:
    """Only SES's word `fail` speaks of a virus."""
    assert withheld(mail(virus=virus), context()) is None
    assert withheld(mail(virus="fail"), context(answer=ANSWER_CLASSES)) is Reason.VIRUS


@pytest.mark.parametrize(
    "value",
    ["NDR", "All", "all", "DR, NDR", "OOF,ndr", "DR; RN; NRN; NDR", "NDR (no reports)", "DR NDR"],
)
def test_senders_who_want_no_reports_get_none(value: str) -> None:
    """X-Auto-Response-Suppress with NDR or All is honoured (MS-OXCMAIL 2.1.3.2.20)."""
    suppressing = mail(("X-Auto-Response-Suppress", value))
    assert withheld(suppressing, context(answer=ANSWER_CLASSES)) is Reason.SUPPRESSED
    doubled = mail(("X-Auto-Response-Suppress", "OOF"), ("X-Auto-Response-Suppress", value))
    assert withheld(doubled, context()) is Reason.SUPPRESSED


@pytest.mark.parametrize(
    "value", ["DR, OOF, AutoReply", "OOF", "None", "", "DR, RN, NRN, OOF, AutoReply", "(All) OOF"]
)
def test_ordinary_exchange_mail_is_answered(value: str) -> None:
    """Exchange marks people's mail with DR, OOF and AutoReply: that does not forbid a bounce."""
    assert withheld(mail(("X-Auto-Response-Suppress", value)), context()) is None


@pytest.mark.threat
def test_cut_headers_are_not_answered() -> None:
    """The headers that SES cut off may forbid an answer."""
    everything = context(answer=set(ANSWER_CLASSES) - {"truncated"})
    assert withheld(mail(cut=True), everything) is Reason.HEADERS_TRUNCATED


def test_cut_headers_are_answered_if_the_sender_is_known() -> None:
    """`answer: truncated` needs a sender that SPF or DMARC vouches for."""
    truncated = context(answer=["truncated"])
    assert withheld(mail(cut=True), truncated) is None
    assert withheld(mail(cut=True, spf="fail"), truncated) is None
    forged = mail(cut=True, spf="fail", dmarc="fail")
    assert reasons(forged, truncated) == [Reason.UNAUTHENTICATED, Reason.HEADERS_TRUNCATED]
    both = context(answer=["truncated", "unauthenticated"])
    assert withheld(forged, both) is Reason.UNAUTHENTICATED


def test_a_reason_about_the_sender_comes_before_cut_headers() -> None:
    """Padded spam is reported as spam, and so it is stopped."""
    assert withheld(mail(cut=True, spam="fail"), context()) is Reason.SPAM
    listed = mail(("List-Id", "<cats.example>"), cut=True)
    assert withheld(listed, context()) is Reason.LISTS
    assert withheld(listed, context(answer=["lists"])) is Reason.LISTS


@pytest.mark.parametrize("spam", ["pass", "gray", "processing_failed", "disabled", "absent"])
def test_only_sure_spam_is_not_answered(spam: str) -> None:
    """Spam is answered only if a rule says so; mail without a spam verdict counts as clean."""
    assert withheld(mail(spam=spam), context()) is None
    assert withheld(mail(spam="fail"), context()) is Reason.SPAM
    assert withheld(mail(spam="fail"), context(answer=["spam"])) is None


NOT_PASSED = ["fail", "gray", "processing_failed", "disabled", "absent", "softfail", "none"]


UNKNOWN = ["processing_failed", "disabled", "absent"]


@pytest.mark.threat
@pytest.mark.parametrize("spf", NOT_PASSED)
@pytest.mark.parametrize("dmarc", ["gray", "fail"])
def test_unproven_sender_is_not_answered(spf: str, dmarc: str) -> None:
    """Without SPF pass the sender may be anybody; DKIM alone does not name the envelope sender."""
    unproven = mail(spf=spf, dmarc=dmarc)
    unknown = spf in UNKNOWN and dmarc != "fail"
    reason = Reason.UNVERIFIABLE if unknown else Reason.UNAUTHENTICATED
    assert reasons(unproven, context()) == [reason]
    assert withheld(unproven, context(answer=["unauthenticated"])) is None


@pytest.mark.parametrize("word", UNKNOWN)
def test_a_verdict_ses_could_not_give_is_not_the_senders_fault(word: str) -> None:
    """It is `unverifiable`, unless the other verdict is FAIL."""
    for spf, dmarc in ((word, word), (word, "gray"), ("gray", word)):
        assert reasons(mail(spf=spf, dmarc=dmarc), context()) == [Reason.UNVERIFIABLE]
    for spf, dmarc in ((word, "fail"), ("fail", word)):
        assert reasons(mail(spf=spf, dmarc=dmarc), context()) == [Reason.UNAUTHENTICATED]
    eve = mail(("From", "eve@evil.example"), spf=word, dmarc="pass")
    assert reasons(eve, context()) == [Reason.UNVERIFIABLE]
    assert reasons(mail(spf=word, dmarc="pass"), context()) == []


@pytest.mark.parametrize("dmarc", NOT_PASSED)
def test_spf_pass_is_enough(dmarc: str) -> None:
    """The envelope sender is proven by SPF, whatever DMARC says of From."""
    assert withheld(mail(spf="pass", dmarc=dmarc), context()) is None


@pytest.mark.parametrize(
    "header",
    [
        ("Auto-Submitted", "auto-replied"),
        ("Auto-Submitted", "auto-generated"),
        ("Auto-Submitted", "Auto-Replied; owner-email=bob@sender.example"),
        ("Auto-Submitted", "auto-notified (by a machine)"),
        ("Auto-Submitted", "yes"),
        ("X-Autoreply", "yes"),
        ("X-Auto-Reply", "yes"),
        ("X-Autoreply-From", "bob@sender.example"),
        ("X-AutoReply-From", "bob@sender.example"),
        ("X-Autorespond", "Out of office"),
        ("X-Autoresponder", "yes"),
        ("X-Auto-Responded", "yes"),
        ("X-Autogenerated", "Reply"),
        ("X-Auto-Generated", "1"),
        ("X-Mail-Autoreply", "yes"),
        ("X-FC-MachineGenerated", "true"),
        ("X-MS-Embedded-Report", ""),
        ("HolidayReply", "on"),
        ("X-HolidayReply", "on"),
        ("X-Loop", "bob@sender.example"),
        ("X-RT-Loop-Prevention", "rt.sender.example"),
        ("X-Apple-Action", "VACATION/YES"),
        ("Precedence", "auto_reply"),
        ("Precedence", "AUTO-REPLY"),
        ("X-Precedence", "auto"),
    ],
)
def test_marked_automatic_mail_is_automatic(header: tuple[str, str]) -> None:
    """Answering machines mark their mail in many ways; each is enough."""
    assert reasons(mail(header), context()) == [Reason.AUTOMATIC]
    assert withheld(mail(header), context(answer=["automatic"])) is None


@pytest.mark.parametrize(
    "headers",
    [
        (("Auto-Submitted", "no"),),
        (("Auto-Submitted", "No"),),
        (("Auto-Submitted", "no; comment=auto-replied"),),
        (("Auto-Submitted", "(written by (a person)) no (really)"),),
        (("Auto-Submitted", ""),),
        (("X-Auto-Response-Suppress", "OOF"),),
        (("Precedence", "first-class"),),
        (("Precedence", "special-delivery"),),
        (("Subject", "Automatic reply: auto-replied, out of office"),),
        (("X-Autograph", "yes"),),
        (("Autocrypt", "addr=bob@sender.example"),),
        (("X-Mailer", "autoreply"),),
    ],
)
def test_unmarked_mail_is_not_automatic(headers: Headers) -> None:
    """A mail marked as written by a person, or one that only mentions machines, is answered."""
    assert withheld(mail(*headers), context()) is None


def test_one_mark_among_several_is_enough() -> None:
    """A header that occurs twice counts when either occurrence does."""
    both = mail(("Auto-Submitted", "no"), ("Auto-Submitted", "auto-replied"))
    assert withheld(both, context()) is Reason.AUTOMATIC
    mixed = mail(("Precedence", "first-class"), ("Precedence", "bulk"))
    assert withheld(mixed, context()) is Reason.LISTS


@pytest.mark.parametrize(
    "header",
    [
        ("List-Id", "Cats <cats.lists.example>"),
        ("List-ID", ""),
        ("List-Unsubscribe", "<https://lists.example/u>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Post", "NO"),
        ("List-Help", "<mailto:help@lists.example>"),
        ("List-Owner", "<mailto:owner@lists.example>"),
        ("List-Subscribe", "<mailto:join@lists.example>"),
        ("List-Archive", "<https://lists.example/a>"),
        ("Precedence", "bulk"),
        ("Precedence", "Junk"),
        ("Precedence", "list (cats)"),
        ("Precedence", "normal, bulk"),
        ("X-Precedence", "list"),
        ("Mailing-List", "contact cats-help@lists.example"),
        ("X-Mailing-List", "cats@lists.example"),
        ("X-Mailman-Version", "2.1.39"),
        ("X-BeenThere", "cats@lists.example"),
    ],
)
def test_mail_of_a_list_is_a_list(header: tuple[str, str]) -> None:
    """Any mark of a list or of bulk mail is enough."""
    assert reasons(mail(header), context()) == [Reason.LISTS]
    assert withheld(mail(header), context(answer=["lists"])) is None


@pytest.mark.parametrize(
    "header",
    [
        ("Feedback-ID", "1.us-west-2.HX6/J9OVlHTadQhEu1+wdF9DBj6n6Pa9sW5Y/0pSOi8=:AmazonSES"),
        ("Feedback-ID", "::1.eu-west-1.abc=:AmazonSES"),
        ("Feedback-ID", "7654321:user:proton"),
        ("Feedback-ID", "i9876fedc:Fastmail"),
        ("Feedback-ID", "rr0801122334455667788990011223344:zu:zohomail"),
        ("Feedback-ID", "campaign7:customer3:mail:sender"),
        ("Feedback-ID", ""),
        ("Listing", "12 Main Street"),
        ("X-List", "shopping"),
        ("Subject", "List-Id: bulk"),
    ],
)
def test_feedback_id_alone_is_not_a_list(header: tuple[str, str]) -> None:
    """SES, Proton, Fastmail and others put it on everything they send, mail of people included."""
    assert withheld(mail(header), context()) is None


def test_reasons_come_in_the_order_of_the_design() -> None:
    """A mail with everything wrong names every reason, those that can't be waived first."""
    dreadful = mail(
        ("Return-Path", "<>"),
        ("Content-Type", "multipart/report"),
        ("X-Auto-Response-Suppress", "All"),
        ("Auto-Submitted", "auto-replied"),
        ("List-Id", "<x>"),
        sender="mailer-daemon@example.com@",
        cut=True,
        virus="fail",
        spam="fail",
        spf="fail",
        dmarc="fail",
    )
    given = context(our_senders=[dreadful.sender])
    others = {
        Reason.DAEMON_SENDER,
        Reason.UNVERIFIABLE,  # another word for one of them
        Reason.INVALID_RECIPIENT,  # not a reason of the mail
        Reason.HELD,  # nor are these
        Reason.NOT_KEPT,
        *(reason for reason in Reason if reason.of_replies),
    }
    assert reasons(dreadful, given) == [each for each in GUARD_REASONS if each not in others]
    assert withheld(dreadful, given) is Reason.NULL_SENDER


@pytest.mark.parametrize("waived", ANSWER_CLASSES)
def test_a_waiver_allows_its_own_class_only(waived: str) -> None:
    """Allowing one class leaves the others as they are."""
    marked = mail(("List-Id", "<x>"), ("Auto-Submitted", "yes"), spam="fail", spf="fail")
    classes = {*ANSWER_CLASSES} - {"truncated"}  # which needs a sender that is vouched for
    assert sorted(reasons(marked, context())) == sorted(classes)
    assert sorted(reasons(marked, context(answer=[waived]))) == sorted(classes - {waived})


@pytest.mark.threat
def test_all_waivers_leave_what_is_never_answered() -> None:
    """No rule can allow an answer to these."""
    never = [reason for reason in GUARD_REASONS if not reason.waived_by]
    assert [str(reason) for reason in never] == [
        "null_sender",
        "invalid_sender",
        "report",
        "own_sender",
        "daemon_sender",
        "virus",
        "suppressed",
        "reply_suppressed",
        "not_named",
        "invalid_recipient",
        "held",
        "not_kept",
    ]
    assert withheld(mail(sender=""), context(answer=ANSWER_CLASSES)) is Reason.NULL_SENDER


@pytest.mark.threat
@pytest.mark.parametrize("recipient", ["mailer-daemon@example.com", "Bounces+x@example.com"])
def test_mail_to_a_bounce_sender_is_never_answered(recipient: str) -> None:
    """It may answer a bounce, and machines that answer everything would never come to an end."""
    senders = ["mailer-daemon@example.com", "Mail <bounces@example.com>"]
    given = Context(recipient=recipient, our_senders=senders, own_domains=(), answer=())
    assert withheld(mail(), given) is Reason.OWN_SENDER


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (("X-Failed-Recipients", "bob@example.org"), Reason.REPORT),
        (("Content-Type", "multipart / report; report-type=delivery-status"), Reason.REPORT),
        (("From", "MAILER-DAEMON <>"), Reason.DAEMON_SENDER),
        (("From", "Mail Delivery System"), None),
    ],
)
def test_reports_without_the_usual_marks(header: tuple[str, str], reason: Reason | None) -> None:
    """Older systems mark their bounces in their own ways."""
    assert withheld(mail(header), context()) is reason


def test_findings_say_what_gave_the_mail_away() -> None:
    """Each reason comes with what was seen, for an explanation."""
    marked = mail(("Auto-Submitted", "auto-replied"), ("List-Id", "<x>"))
    assert list(findings(marked, context())) == [
        (Reason.AUTOMATIC, "Auto-Submitted: auto-replied"),
        (Reason.LISTS, "header list-id"),
    ]
