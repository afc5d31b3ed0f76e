"""The signals of machines: each is seen, and the mails most like those that have it are not."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.guard import Context, findings
from bouncer.mail.message import VERDICTS, Message
from bouncer.reasons import ANSWER_CLASSES, Reason
from bouncer.signals import SIGNALS, Place

SENDER = "bob@sender.example"

Headers = tuple[tuple[str, str], ...]


def mail(*headers: tuple[str, str], sender: str = SENDER) -> Message:
    """A mail from a person with these headers."""
    named: dict[str, tuple[str, ...]] = {}
    for name, value in headers:
        named[name.lower()] = (*named.get(name.lower(), ()), value)
    return Message(
        message_id="m1",
        received_at=None,
        sender=sender,
        recipients=("ann@example.com",),
        headers={"from": (f"Bob <{SENDER}>",), "subject": ("Hello",), **named},
        headers_truncated=False,
        verdicts=dict.fromkeys(VERDICTS, "pass"),
        dmarc_policy="absent",
    )


def found(
    message: Message, answer: tuple[str, ...] = (), *, for_reply: bool = False
) -> list[Reason]:
    """Return the reasons not to answer a mail to somebody at example.com."""
    given = Context(
        recipient="ann@example.com",
        our_senders=(),
        own_domains=("example.com",),
        answer=answer,
        for_reply=for_reply,
    )
    return [reason for reason, _ in findings(message, given)]


REPORTS: list[Headers] = [
    (("Subject", "Report Domain: example.com Submitter: mx.sender.example Report-ID: <1@x>"),),
    (("Subject", "Report domain: example.com; Submitter: sender.example; Report-ID: 7"),),
    (("Subject", "[Preview] Report Domain: example.com\tSubmitter: sender.example"),),
    (("Subject", "Dmarc Aggregate Report Domain: {example.com}  Submitter: {Sender}  Date: {1}"),),
    (("Subject", "=?utf-8?q?Report_Domain=3A_example=2Ecom_Submitter=3A_sender=2Eexample?="),),
    (("Subject", "DMARC Failure Report for example.com from 192.0.2.1"),),
    (("Subject", "DMARC forensic report"),),
    (("Subject", "Forensic Report"),),
    (("Subject", "Forensic report for example.com - 2026-11-02"),),
    (("TLS-Report-Domain", "example.com"),),
    (("Subject", "complaint about message from 192.0.2.7"),),
    (("From", "staff@hotmail.com"),),
    (("X-HmXmrOriginalRecipient", "carl@hotmail.example"),),
    (("X-MS-Exchange-Message-Is-Ndr", ""),),
    (("X-MS-Exchange-Generated-Message-Source", "Mailbox Rules Agent"),),
    (("Content-Class", "urn:content-classes:dsn"),),
    (("Content-Class", "urn:content-classes:mdn"),),
    (("Content-Class", "urn:content-classes:recallmessage"),),
    (("X-Mailer", "Amazon WorkMail"), ("Subject", "Undeliverable: Hello")),
    (("X-Mailer", "Amazon WorkMail 1.2"), ("Subject", "Undelivered Mail Returned to Sender")),
]

AUTOMATIC: list[Headers] = [
    (("x-amz-sns-message-id", "0e1f"),),
    (("Message-ID", "<rt-5.0.4-1234-1798624853-7@rt.sender.example>"),),
    (("References", "<RT-Ticket-1234@rt.sender.example>"),),
    (("X-OTRS-Loop", "yes"),),
    (("Delivered-To", "Autoresponder"), ("Delivered-To", "ann@example.com")),
    (("Preference", "auto_reply"),),
    (("X-POST-MessageClass", "9; Autoresponder"),),
    (("Precedence", "auto_replied"),),
    (("Precedence", "Autoreply"),),
    (("Precedence", "normal, auto-generated"),),
    (("X-Precedence", "auto_reply"),),
    (("X-Mailer", "vacation 1.46"),),
    (("X-Mailer", "Vacation"),),
    (("X-Mailer", "vacation.pl"),),
    (("X-Mailer", "Virtual Vacation 4.0"),),
    (("X-Mailer", "Confixx Autoresponder"),),
    (("X-Mailer", "KANA Response 10.5.1"),),
    (("X-Mailer", "Kana"),),
    (("X-Amazon-Auto-Reply", "true"),),
    (("X-Away", "until Monday"),),
    (("X-Out-Of-Office", "yes"),),
    (("Thread-Topic", "AutoResponse"),),
    (("Thread-Topic", "AutoResponse: your order"),),
    (("X-Autoreply", "yes"),),
    (("X-Autoreply", ""),),
    (("X-Autoreply", "no reply needed"),),
    (("X-Autoreply", "no"), ("X-Autoreply", "yes")),
    (("X-Mail-Autoresponse", "1"),),
]

LISTS: list[Headers] = [
    (("X-MLServer", "fml [fml 4.0.3]"),),
    (("X-ML-Name", "cats"),),
    (("X-Mail-Count", "00123"),),
    (("List-Post", "NO"),),
]

DAEMONS: list[Headers] = [
    (("From", "<>"),),
    (("From", "< >"),),
    (("From", "Mail Delivery System <>"),),
    (("From", "<> (Mail Delivery System)"),),
    (("From", "MAILER-DAEMON"),),
    (("From", "  MAILER-DAEMON  "),),
    (("From", '"MAILER-DAEMON"'),),
    (("From", "MAILER-DAEMON (Mail Delivery Subsystem)"),),
    (("From", "Mail Delivery Subsystem <MAILER-DAEMON>"),),
    (("From", '"Mail Delivery Subsystem" < mailer-daemon >'),),
    (("From", "MAILER-DAEMON <>"),),
]

GATEWAYS = """
ndr NDR post_master mail_service internet_mail_service antivirus anti-virus Anti_Virus
symantec_antivirus_for_smtp_gateways nortonantivirus antivirus-gateway smtp-gateway smtp_gateways
virusscan virus-alert virusalerts mailscanner mailsweeper mailmarshal viruswall amavis amavisd-new
interscan scanmail
""".split()  # noqa: SIM905  # a table of words

PEOPLE: list[Headers] = [
    (("Subject", "Re: Report Domain: example.com Submitter: mx.sender.example"),),
    (("Subject", "Report domain problems"),),
    (("Subject", "Report Domain: example.com"),),
    (("Subject", "Failure report for pump 7"),),
    (("Subject", "Forensic reports: which lab do you use?"),),
    (("Subject", "Forensic report for the trial"),),
    (("Subject", "My complaint about message from Monday"),),
    (("Subject", "Undeliverable: Hello"),),
    (("X-Mailer", "Amazon WorkMail"), ("Subject", "Hello")),
    (("X-Mailer", "Amazon WorkMail"), ("Subject", "Fw: Undeliverable: Hello")),
    (("Content-Class", "urn:content-classes:message"),),
    (("Content-Class", "urn:content-classes:calendarmessage"),),
    (("X-MS-Exchange-Message-Is-Ndr", "false"),),
    (("X-MS-Exchange-Inbox-Rules-Loop", "ann@example.com"),),
    (("X-TMDA-Fingerprint", "abc"),),
    (("X-Delivery-Agent", "TMDA/1.1.12"),),
    (("Subject", "Lu: Hello"),),
    (("Subject", "Out of office"),),
    (("Message-ID", "<art-7@sender.example>"),),
    (("Message-ID", "<rt@sender.example>"),),
    (("References", "<first@sender.example> <RT-Ticket-1@rt.sender.example>"),),
    (("Delivered-To", "bob@sender.example"),),
    (("X-POST-MessageClass", "9; Letter"),),
    (("Precedence", "first-class; auto"),),
    (("X-Mailer", "Vacation Rentals Booking"),),
    (("X-Mailer", "Kanata Mail"),),
    (("Thread-Topic", "Our autoresponse times"),),
    (("Preference", "html"),),
    (("From", "Mail Delivery System"),),
    (("From", "Mailer Daemon <bob@sender.example>"),),
    (("From", "staff@sender.example"),),
]


@pytest.mark.parametrize("headers", REPORTS)
def test_reports_are_known_by_their_marks(headers: Headers) -> None:
    """DMARC and TLS reports, complaints and the bounces of Exchange and WorkMail."""
    assert Reason.REPORT in found(mail(*headers), ANSWER_CLASSES)


@pytest.mark.threat
@pytest.mark.parametrize("headers", AUTOMATIC)
def test_automatic_mail_is_known_by_its_marks(headers: Headers) -> None:
    """Each program marks its mail in its own way; a rule may answer all of them."""
    assert found(mail(*headers)) == [Reason.AUTOMATIC]
    assert not found(mail(*headers), ("automatic",))


@pytest.mark.parametrize("headers", LISTS)
def test_list_mail_is_known_by_its_marks(headers: Headers) -> None:
    """The marks of fml, and RFC 2369's List-Post, whatever its value."""
    assert found(mail(*headers)) == [Reason.LISTS]


@pytest.mark.parametrize("headers", DAEMONS)
def test_a_from_without_an_address_is_a_daemon(headers: Headers) -> None:
    """Old mail systems write no address, or only their name."""
    assert found(mail(*headers), ANSWER_CLASSES) == [Reason.DAEMON_SENDER]


@pytest.mark.parametrize("local", GATEWAYS)
def test_gateways_are_daemons(local: str) -> None:
    """In the envelope, or in From alone."""
    assert Reason.DAEMON_SENDER in found(mail(sender=f"{local}@sender.example"), ANSWER_CLASSES)
    disguised = mail(("From", f"Gateway <{local}@sender.example>"))
    assert found(disguised, ANSWER_CLASSES) == [Reason.DAEMON_SENDER]


@pytest.mark.parametrize("headers", PEOPLE)
def test_mail_that_only_looks_like_it_is_answered(headers: Headers) -> None:
    """People write about reports, forward them, and use the same programs."""
    assert not found(mail(*headers))


@pytest.mark.parametrize("sender", ["staff@hotmail.com", "Staff@Hotmail.com"])
def test_a_complaint_is_known_by_its_sender(sender: str) -> None:
    """Microsoft's complaints come from one address."""
    assert Reason.REPORT in found(mail(sender=sender), ANSWER_CLASSES)


SAYS_NO = ["no", "No", "NO (a person)", "none", "false", "0", "off", '"no"', "no; really", "never"]


@pytest.mark.parametrize("value", SAYS_NO)
@pytest.mark.parametrize(
    "name",
    [
        *("X-Autoreply", "X-Auto-Generated", "X-Autorespond", "X-Mail-Autoreply", "X-Vacation"),
        *("X-Away", "X-Out-Of-Office", "X-Amazon-Auto-Reply", "X-FC-MachineGenerated"),
    ],
)
def test_a_mark_that_says_no_means_a_person(name: str, value: str) -> None:
    """As `Auto-Submitted: no` does (RFC 3834 section 5)."""
    assert not found(mail((name, value)))


def test_every_signal_is_whole() -> None:
    """Each row has a reason of the guard, a pattern that compiles, and a source."""
    for signal in SIGNALS:
        assert signal.reason.asked_by == "guard"
        assert signal.source
        assert re.compile(signal.pattern)
        assert bool(signal.name) == (signal.place in (Place.HEADER, Place.NAME))
    rows = [signal[:4] for signal in SIGNALS]
    assert len(set(rows)) == len(rows)


@pytest.mark.threat
@pytest.mark.parametrize(
    "unit", ["a", "-", ".", "auto", "auto-reply", "bounce-", "=", "(", "<", " ,"]
)
def test_long_values_cost_no_time(unit: str) -> None:
    """Every signal at once, with values as long as SES passes them on."""
    long = unit * (9_000 // len(unit)) + "!"
    names = {signal.name for signal in SIGNALS if signal.place is Place.HEADER}
    headers = [(name, long) for name in (*names, "X-Autoreply", "List-Id")]
    begun = time.process_time()
    found(mail(*headers, ("From", f"{long}@sender.example"), sender=f"{long}@sender.example"))
    assert time.process_time() - begun < 1


@given(
    st.dictionaries(
        st.sampled_from(sorted({signal.name.lower() for signal in SIGNALS if signal.name} | {"x"})),
        st.lists(st.text(st.characters(codec=None)), min_size=1, max_size=3),
    ),
    st.text(st.characters(codec=None)),
)
def test_no_text_stops_the_guard(headers: dict[str, list[str]], sender: str) -> None:
    """Lone surrogates, control characters and odd blanks are compared like all else."""
    pairs = [(name, value) for name, values in headers.items() for value in values]
    assert found(mail(*pairs, sender=sender)) == found(mail(*pairs, sender=sender))
