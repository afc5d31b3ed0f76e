"""The guard: mails that must not be answered, and mails that only look like those."""

import pytest

from bouncer.guard import Context, withheld
from bouncer.jobs.reference import reference
from bouncer.mail.message import Message
from bouncer.reasons import Reason
from tests.unit.guard_mails import RECIPIENT, SENDER, context, mail, reasons

OWN_REFERENCE = reference("some-message", [RECIPIENT])


def test_mail_of_a_person_may_be_answered() -> None:
    """Nothing speaks against answering ordinary mail."""
    assert reasons(mail(), context()) == []


@pytest.mark.parametrize("return_path", ["<>", "< >", "", "<> (null)", " <\t> "])
def test_null_return_path_is_a_null_sender(return_path: str) -> None:
    """A Return-Path without an address means the same as a missing envelope sender."""
    assert withheld(mail(("Return-Path", return_path)), context()) is Reason.NULL_SENDER
    doubled = mail(("Return-Path", f"<{SENDER}>"), ("Return-Path", return_path))
    assert withheld(doubled, context()) is Reason.NULL_SENDER


def test_missing_sender_is_a_null_sender() -> None:
    """Mail without an envelope sender is never answered; a Return-Path with one changes nothing."""
    assert withheld(mail(sender=""), context()) is Reason.NULL_SENDER
    named = mail(("Return-Path", f"<{SENDER}>"), sender="")
    assert withheld(named, context()) is Reason.NULL_SENDER
    assert withheld(mail(("Return-Path", f"<{SENDER}>")), context()) is None


@pytest.mark.parametrize(
    "sender",
    [
        "bob",
        "@sender.example",
        "bob@",
        "bob@localhost",
        "bob@printer.local",
        "bob@host.internal",
        "bob@nowhere.invalid",
        "bob@[192.0.2.1]",
        "bob@192.0.2.1",
        "bob@sender..example",
        "bob@-sender.example",
        "bob@sender_host.example",
        "bob@sender.example.",
        ".bob@sender.example",
        "bob.@sender.example",
        "b..ob@sender.example",
        "bob smith@sender.example",
        '"bob smith"@sender.example',
        "bob@alice@sender.example",
        "bob@sender.example, eve@victim.example",
        "bob@sender.example\nRCPT TO:<eve@victim.example>",
        "bob@sender.example\n",
        "bob\x00@sender.example",
        "björn@sender.example",
        "bob@sänder.example",
        f"{'b' * 240}@sender.example",
        f"bob@{'x' * 64}.example",
        f"bob@{'sender.' * 40}example",
    ],
)
def test_undeliverable_sender_is_invalid(sender: str) -> None:
    """A sender SES could not deliver to is not answered."""
    assert withheld(mail(sender=sender), context()) is Reason.INVALID_SENDER


@pytest.mark.parametrize(
    "sender",
    [
        "b@x.co",
        "Bob.Smith+news@Sub.Sender.Example",
        "o'hara@sender.example",
        "prvs=0123456789=bob@sender.example",
        "SRS0=Hash=TT=origin.example=bob@forwarder.example",
        "bob=sender.example__0a1b2c@btinternet.example",
        "bob@xn--snder-gra.example",
        "bob@sender.xn--p1ai",
        "123@456.example",
        "bob@local.example",
        f"{'b' * 64}@sender.example",
        f"{'b' * 65}@sender.example",
        f"01000190abcdef-{'0' * 60}-000000@sender.example",
        f"forwarder+SRS=abcde=IX=origin.example=first.middle.lastname@{'f' * 40}.example",
    ],
)
def test_deliverable_sender_is_valid(sender: str) -> None:
    """Unusual but deliverable addresses are answered."""
    assert withheld(mail(("Subject", "Hello"), sender=sender), context()) is None


@pytest.mark.parametrize(
    "header",
    [
        ("Content-Type", 'multipart/report; report-type=delivery-status; boundary="x"'),
        ("Content-Type", "Multipart/Report"),
        ("Content-Type", "(a comment) multipart/report"),
        ("Content-Type", 'multipart/report boundary="the semicolon is missing"'),
        ("Content-Type", "multipart/report; report-type=feedback-report"),
        ("Content-Type", "message/delivery-status"),
        ("Content-Type", "message/disposition-notification"),
        ("Content-Type", "message/feedback-report"),
        ("Content-Type", "message/global-delivery-status"),
        ("Content-Type", "message/global-disposition-notification"),
        ("X-Bouncer-Reference", OWN_REFERENCE),
        ("Subject", f"Re: your bounce {OWN_REFERENCE}"),
        ("Subject", f"=?utf-8?q?Re=3A_{OWN_REFERENCE}?="),
        ("In-Reply-To", f"<{OWN_REFERENCE}@example.com>"),
        ("References", f"<first@sender.example> <{OWN_REFERENCE}@example.com>"),
    ],
)
def test_reports_are_never_answered(header: tuple[str, str]) -> None:
    """Delivery reports, read receipts, complaints and answers to our own bounces end here."""
    assert withheld(mail(header), context()) is Reason.REPORT
    doubled = mail((header[0], "text/plain"), header)
    assert withheld(doubled, context()) is Reason.REPORT


@pytest.mark.parametrize(
    "header",
    [
        ("Content-Type", "multipart/mixed; boundary=multipart/report"),
        ("Content-Type", 'text/plain; name="message/delivery-status"'),
        ("Content-Type", "text/plain (multipart/report)"),
        ("Subject", "report bnc-2026 is late"),
        ("Subject", f"x{OWN_REFERENCE}"),
        ("References", "<bnc-1@sender.example>"),
    ],
)
def test_what_only_mentions_a_report_is_answered(header: tuple[str, str]) -> None:
    """Parameters, comments and lookalikes of our reference do not make a mail a report."""
    assert withheld(mail(header), context()) is None


@pytest.mark.threat
@pytest.mark.parametrize(
    ("sender", "given"),
    [
        ("ann@example.com", context()),
        ("ANN@EXAMPLE.COM", context(own_domains=())),
        ("ann+tag@example.com", context(own_domains=())),
        ("ann@example.com", context(recipient="Ann+tag@Example.com", own_domains=())),
        ("someone-else@example.com", context()),
        ("bob@Sender.Example", context(own_domains=("SENDER.example",))),
        ("bob@mail.sender.example", context(own_domains=(".sender.example",))),
        ("bounces@sender.example", context(our_senders=("Bounces@sender.example",))),
        ("mta@sender.example", context(our_senders=("Mail <mta@sender.example>",))),
        ("mta+x@sender.example", context(our_senders=("mta@sender.example",))),
    ],
)
def test_own_addresses_are_never_answered(sender: str, given: Context) -> None:
    """A bounce to the recipient, to whoever signs bounces or to an own domain would be a loop."""
    assert withheld(mail(sender=sender), given) is Reason.OWN_SENDER


@pytest.mark.parametrize(
    ("sender", "domains"),
    [
        ("ann@sender.example", ("example.com",)),
        ("bob@notexample.com", ("example.com", ".example.com")),
        ("bob@mail.example.com", ("example.com",)),
        ("bob@sender.example", (".sender.example",)),
        ("bob@example.com.sender.example", ("example.com", ".example.com")),
        ("bob@example.com", ()),
    ],
)
def test_similar_addresses_are_not_our_own(sender: str, domains: tuple[str, ...]) -> None:
    """The same name elsewhere, a longer domain, or a domain nobody called ours, may be answered."""
    assert withheld(mail(sender=sender), context(own_domains=domains)) is None


def from_(local: str) -> Message:
    """A mail from this mailbox elsewhere."""
    return mail(("Subject", "Hello"), sender=f"{local}@sender.example")
