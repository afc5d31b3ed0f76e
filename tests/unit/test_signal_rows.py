"""Each row of signals.py has a mail with its mark, and one most like that without it.

The test fails for a row that is added without both, and for one that nothing here needs.
"""

import re

import pytest

from bouncer.mail.address import local_part
from bouncer.mail.message import Message
from bouncer.reasons import Reason
from bouncer.signals import ANY, SIGNALS, Place, Signal
from tests.unit.test_signals import found, mail

Values = tuple[str, ...]

# Values of a header that a row finds, and values that none of the rows of this header finds.
HEADERS: dict[str, tuple[Values, Values]] = {
    "Content-Type": (
        ("multipart/report; report-type=disposition-notification", "message/feedback-report"),
        ("multipart/mixed; report=yes", "text/plain", "application/report"),
    ),
    "Subject": (
        (
            "Report Domain: example.com Submitter: mx.sender.example Report-ID: <7>",
            "DMARC Failure Report for example.com",
            "Forensic Report",
            "complaint about message from 192.0.2.7",
        ),
        ("Re: Forensic Report", "Failure Report for pump 7", "Report Domain: example.com"),
    ),
    "X-MS-Exchange-Message-Is-Ndr": (("", "true"), ("false", "No")),
    "X-MS-Exchange-Generated-Message-Source": (("Mailbox Rules Agent",), ("none",)),
    "Content-Class": (
        ("urn:content-classes:dsn", "urn:content-classes:mdn", "recallmessage"),
        ("urn:content-classes:message", "urn:content-classes:dsnless"),
    ),
    "X-Mailer": (
        ("Amazon WorkMail 1.2", "vacation 1.46", "Confixx Autoresponder", "KANA Response 10"),
        ("Vacation Rentals", "Kanata Mail", "Amazonia WorkMail"),
    ),
    "From": (
        (
            "Mail Delivery System <>",
            "MAILER-DAEMON",
            "Subsystem <MAILER-DAEMON>",
            "MAILER-DAEMON <relay>",
        ),
        ("Mail Delivery System", "Mailer Daemon <bob@sender.example>"),
    ),
    "X-Auto-Response-Suppress": (("All", "DR, NDR"), ("DR, OOF, AutoReply", "None")),
    "Auto-Submitted": (("auto-replied", "yes"), ("no", "", "no; auto-replied")),
    "Precedence": (
        ("auto_reply", "bulk", "list", "junk"),
        ("first-class", "special-delivery", "bulky"),
    ),
    "X-Precedence": (("auto", "list"), ("first-class", "listless")),
    "Preference": (("auto_reply",), ("html", "no auto_reply")),
    "X-FC-MachineGenerated": (("true",), ("no",)),
    "X-Loop": (("bob@sender.example",), ("no",)),
    "Message-ID": (("<rt-5.0.4-12-34@rt.sender.example>",), ("<art-7@x>", "<rt@sender.example>")),
    "References": (
        ("<RT-Ticket-12@rt.sender.example>",),
        ("<first@sender.example> <RT-Ticket-12@rt.sender.example>", "<ticket-1@x>"),
    ),
    "X-OTRS-Loop": (("yes",), ("no",)),
    "X-HolidayReply": (("on",), ("off",)),
    "HolidayReply": (("on",), ("off",)),
    "X-Vacation": (("until Monday",), ("none",)),
    "X-Away": (("until Monday",), ("no",)),
    "X-Out-Of-Office": (("yes",), ("false",)),
    "X-Apple-Action": (("VACATION/YES",), ("no",)),
    "X-Amazon-Auto-Reply": (("true",), ("false",)),
    "Delivered-To": (("Autoresponder", "autoresponder@sender.example"), ("auto@sender.example",)),
    "X-POST-MessageClass": (("9; Autoresponder",), ("9; Letter",)),
    "Thread-Topic": (("AutoResponse: your order",), ("Our autoresponse times",)),
}
# Headers that are marks whatever their value, and people's headers with nearly the same name.
NAMES: dict[str, Values] = {
    "X-Failed-Recipients": ("X-Recipients", "X-Failed"),
    "TLS-Report-Domain": ("TLS-Report", "TLS-Required"),
    "X-HmXmrOriginalRecipient": ("X-Original-Recipient", "Original-Recipient"),
    "X-MS-Embedded-Report": ("X-MS-Embedded", "X-MS-Has-Attach"),
    "X-Cron-Env": ("X-Cron", "X-Env-Sender"),
    "X-RT-Loop-Prevention": ("X-RT", "X-Loop-Prevention"),
    "X-Amz-SNS-Message-Id": ("X-Amz-Cf-Id", "X-SES-Outgoing", "X-Amz-Mail-Id"),
    "Mailing-List": ("Mailing", "X-Mailing"),
    "X-Mailing-List": ("X-Mailing", "X-List"),
    "X-Mailman-Version": ("X-Mailman", "X-Mailer-Version"),
    "X-BeenThere": ("X-Been", "X-There"),
    "X-MLServer": ("X-ML", "X-Server"),
    "X-ML-Name": ("X-ML", "X-Name"),
    "X-Mail-Count": ("X-Mail", "X-Mail-Counter", "X-Count"),
    "List-Unsubscribe": ("Listing", "X-List", "Lists"),
    "X-Autoreply": ("X-Autograph", "Autocrypt", "X-Auto"),
}
# Names in an address: those that a row finds in the envelope, those that no row finds there.
LOCAL_PARTS: tuple[Values, Values] = (
    (
        *("mailer-daemon", "autoresponder", "ndr", "symantec_antivirus_for_smtp_gateways"),
        *("mail_service", "nobody", "no-reply", "postmaster", "owner-cats", "cats-bounces"),
    ),
    (
        *(
            "damon",
            "anders",
            "ndrew",
            "sandra",
            "smtp.gate",
            "mail_services",
            "scanlon",
            "amavisca",
        ),
        *(
            "amavisca",
            "viruses",
            "nobodys-fool",
            "noreen",
            "post.master",
            "homeowner",
            "bouncer",
            "autoparts",
        ),
    ),
)


def _matches(signal: Signal, values: Values) -> bool:
    return any(re.fullmatch(signal.pattern, value.lower()) for value in values)


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda row: f"{row.place}-{row.name}-{row.source}")
def test_each_row_finds_a_mail(signal: Signal) -> None:
    """A mail with the mark is withheld for the reason of the row."""
    match signal.place:
        case Place.HEADER if signal.pattern == ANY:
            assert signal.reason in found(mail((signal.name, "x")))
        case Place.HEADER:
            values = [v for v in HEADERS[signal.name][0] if _matches(signal, (v,))]
            beside = [("Subject", "Undeliverable: Hello")] if signal.beside else []
            assert values
            for value in values:
                marked = mail((signal.name, value), *beside)
                assert signal.reason in found(marked, for_reply=signal.reason.of_replies)
        case Place.NAME:
            names = [name for name in NAMES if re.fullmatch(signal.name, name.lower())]
            assert names
            assert all(signal.reason in found(mail((name, "yes"))) for name in names)
        case Place.ADDRESS:
            assert signal.reason in found(mail(sender="staff@hotmail.com"))
            assert signal.reason not in found(mail(sender="staff@sender.example"))
        case Place.SENDER | Place.FROM:
            locals_ = [name for name in LOCAL_PARTS[0] if _matches(signal, (name,))]
            assert locals_
            for name in locals_:
                address = f"{name}@sender.example"
                marked = mail(sender=address) if signal.place is Place.SENDER else _from(address)
                assert signal.reason in found(marked), name


def _from(address: str) -> Message:
    return mail(("From", f"Bob <{address}>"))


@pytest.mark.parametrize("name", HEADERS)
def test_values_most_like_a_mark_are_answered(name: str) -> None:
    """They are words of people, or say that a person wrote the mail."""
    for value in HEADERS[name][1]:
        assert found(mail((name, value))) == [], value


@pytest.mark.parametrize("value", ["OOF", "DR, OOF, AutoReply", "autoreply", "All"])
def test_a_system_that_wants_no_automatic_reply_gets_none(value: str) -> None:
    """It may get a bounce, unless it says All."""
    marked = mail(("X-Auto-Response-Suppress", value), ("To", "ann@example.com"))
    assert Reason.REPLY_SUPPRESSED in found(marked, for_reply=True)
    assert Reason.REPLY_SUPPRESSED not in found(marked)


@pytest.mark.parametrize("value", ["None", "DR", "RN, NRN", "oofs"])
def test_a_system_that_suppresses_other_answers_gets_a_reply(value: str) -> None:
    """Receipts are another kind of answer."""
    marked = mail(("X-Auto-Response-Suppress", value), ("To", "ann@example.com"))
    assert found(marked, for_reply=True) == []


@pytest.mark.parametrize("name", NAMES)
def test_names_most_like_a_mark_are_answered(name: str) -> None:
    """A header with nearly the same name is another header."""
    for other in NAMES[name]:
        assert found(mail((other, "yes"))) == [], other


@pytest.mark.parametrize("name", LOCAL_PARTS[1])
def test_people_with_a_name_like_a_machines_are_answered(name: str) -> None:
    """In the envelope and in From."""
    address = f"{name}@sender.example"
    assert local_part(address) == name
    assert found(mail(sender=address)) == []
    assert found(_from(address)) == []


def test_the_tables_name_the_headers_of_the_rows() -> None:
    """No header is here that no row looks at."""
    valued = {row.name for row in SIGNALS if row.place is Place.HEADER and row.pattern != ANY}
    assert set(HEADERS) == valued
    alone = {row.name for row in SIGNALS if row.place is Place.HEADER and row.pattern == ANY}
    families = {"List-Unsubscribe", "X-Autoreply"}
    assert set(NAMES) == alone | families
