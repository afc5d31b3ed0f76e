"""The guard: mails that must not be answered, and mails that only look like those."""

from collections.abc import Iterable

import pytest

from bouncer.guard import Context, findings, withheld
from bouncer.jobs.reference import reference
from bouncer.mail.message import VERDICTS, Message
from bouncer.reasons import ANSWER_CLASSES, GUARD_REASONS, Reason

SENDER = "bob@sender.example"
RECIPIENT = "ann@example.com"
OWN_REFERENCE = reference("some-message", [RECIPIENT])

Headers = tuple[tuple[str, str], ...]


def reasons(message: Message, given: Context) -> list[Reason]:
    return [reason for reason, _ in findings(message, given)]


def mail(
    *headers: tuple[str, str], sender: str = SENDER, cut: bool = False, **verdicts: str
) -> Message:
    """A mail from a person whose SPF passes, unless told otherwise."""
    words = dict.fromkeys(VERDICTS, "pass") | verdicts
    named: dict[str, tuple[str, ...]] = {}
    for name, value in headers or (("From", f"Bob <{sender}>"), ("Subject", "Hello")):
        named[name.lower()] = (*named.get(name.lower(), ()), value)
    return Message(
        message_id="m1",
        received_at=None,
        sender=sender,
        recipients=(RECIPIENT,),
        headers=named,
        headers_truncated=cut,
        verdicts=words,
        dmarc_policy="absent",
    )


def context(
    *,
    recipient: str = RECIPIENT,
    bounce_senders: Iterable[str] = ("mailer-daemon@example.com",),
    own_domains: Iterable[str] = ("example.com",),
    answer: Iterable[str] = (),
) -> Context:
    """The facts about a rejected recipient of example.com."""
    return Context(
        recipient=recipient,
        bounce_senders=frozenset(bounce_senders),
        own_domains=tuple(own_domains),
        answer=frozenset(answer),
    )


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
        f"{'b' * 65}@sender.example",
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
        ("bounces@sender.example", context(bounce_senders=("Bounces@sender.example",))),
        ("mta@sender.example", context(bounce_senders=("Mail <mta@sender.example>",))),
        ("mta+x@sender.example", context(bounce_senders=("mta@sender.example",))),
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


DAEMONS = """
mailer-daemon MAILER-DAEMON Mailer-Daemon mailerdaemon mailer_daemon mailer.daemon mailer-deamon
mailer-demon mail-daemon maildaemon mail.daemon daemon mdaemon fetchmail-daemon cron-daemon
smtp-daemon news-daemon mta-daemon mailer-daemon-1 mailer-daemon.host7 mailer-daemon+x
mailer postmaster-bounce mail-delivery-subsystem mail.delivery.system maildeliverysystem
autoresponder auto-responder auto_responder auto.responder autorespond autoreply auto-reply
autoreply.support support-autoreply sales.autoresponder autoresponder-7 auto-response autoanswer
automated-response automatic-reply automated_reply uucp devnull dev-null null nobody
mail-errors mail-relay list-errors mx-relay
SRS0=ab=cd=origin.example=mailer-daemon prvs=0123456789=mailer-daemon btv1==x==autoreply
""".split()  # noqa: SIM905  # a table of words

AUTOMATIC = """
noreply no-reply no_reply no.reply NoReply NO-REPLY no--reply noreply1 noreply-2026 noreply+id7
noreply.news noreply-de no-replies noreplies accounts-noreply accounts.no-reply shop_no_reply
drive-shares-dm-noreply mailnoreply newsnoreply alertnoreply alerts-no-reply notificationsnoreply
donotreply do-not-reply do_not_reply do.not.reply donot-reply do-notreply do-not-reply-3
dontreply dont-reply don't-reply support-donotreply neverreply never-reply not-reply notreply
noresponse no-response no-respond do-not-respond no-answer noanswer no-return
no-responder noresponder nao-responda nepasrepondre ne-pas-repondre no-contestar non-rispondere
nicht-antworten nichtantworten keine-antwort
postmaster Postmaster postmaster+x root automated automatic
SRS0=ab=cd=origin.example=noreply prvs=0123456789=no-reply
""".split()  # noqa: SIM905  # a table of words

LISTS = """
owner-cats Owner-Cats cats-owner cats-request cats-bounces cats-bounces+ann=example.com
cats-bounces-ann=example.com bounce bounces bounce-1234_HTML-5678-90 bounces+12-ab-ann=example.com
bounces-7 bounce.news.7 bounce_7 news-bounce news.bounces msprvs1=17000=bounces-1-2
listserv LISTSERV listproc majordomo mailman cats-subscribe cats-unsubscribe cats-confirm
""".split()  # noqa: SIM905  # a table of words

PEOPLE = """
norman damon matt.damon mdamon m.damon matt-damon rootsman root66 groot bouncer bouncer7 bouncehouse
bouncy.castle nobodys-fool nobody.knows nullman annul demon lee.demon pandemonium daemonette
an-noreply-fan norepa noreen noah.reply nora.responder casino-reply piano-answer reply replyto
returns respond answers requests request prayerrequest notary notes.reply note-reply nora.return
dontrell donna.reply volcano.return homeowner home.owner owner owners ownership co.owner.bob
automat automation autoparts auto-parts auto.smith automatic-doors mailman.pat mailerson mailers
postmaster-general postmasters post.master subscribe confirm unconfirmed listings list lists
majordomos admin office-admin sys-admin relay relays errors trial.and.errors newsroom news
abuse hostmaster webmaster support info hello sales-team ann.owner ann.request
prvs=0123456789=damon SRS0=ab=cd=origin.example=norman bob+noreply-fan
""".split()  # noqa: SIM905  # a table of words


def from_(local: str) -> Message:
    """A mail from this mailbox elsewhere."""
    return mail(("Subject", "Hello"), sender=f"{local}@sender.example")


def speaking_against(local: str, *answer: str) -> list[Reason]:
    """The reasons not to answer this mailbox elsewhere."""
    given = mail(("Subject", "Hello"), sender=f"{local}@sender.example")
    return reasons(given, context(answer=answer))


def test_mail_systems_are_never_answered() -> None:
    """No rule can allow an answer to a machine that answers."""
    found = {local: speaking_against(local, *ANSWER_CLASSES) for local in DAEMONS}
    assert found == {local: [Reason.DAEMON_SENDER] for local in DAEMONS}


def test_senders_nobody_reads_are_automatic() -> None:
    """No-reply in its spellings, postmaster and root are answered only if a rule says so."""
    found = {local: speaking_against(local) for local in AUTOMATIC}
    assert found == {local: [Reason.AUTOMATIC] for local in AUTOMATIC}
    assert not any(speaking_against(local, "automatic") for local in AUTOMATIC)


def test_list_machinery_is_a_list() -> None:
    """Owners, requests, bounce addresses and list robots are answered only if a rule says so."""
    found = {local: speaking_against(local) for local in LISTS}
    assert found == {local: [Reason.LISTS] for local in LISTS}
    assert not any(speaking_against(local, "lists") for local in LISTS)


def test_people_are_not_taken_for_machines() -> None:
    """An address that only resembles a machine's is answered."""
    found = {local: speaking_against(local) for local in PEOPLE}
    assert found == {local: [] for local in PEOPLE}


def test_mail_system_in_from_is_never_answered() -> None:
    """Some mail systems bounce with a sender in the envelope and their own name in From only."""
    disguised = mail(("From", "Mail System <MAILER-DAEMON@sender.example>"))
    assert withheld(disguised, context(answer=ANSWER_CLASSES)) is Reason.DAEMON_SENDER
    assert withheld(mail(("From", "Mailer Daemon <bob@sender.example>")), context()) is None
    assert withheld(mail(("From", "noreply@sender.example")), context()) is None


def test_local_parts_are_judged_in_any_case() -> None:
    """Upper and lower case make no difference in the name of a machine."""
    for local in (*DAEMONS, *AUTOMATIC, *LISTS):
        assert speaking_against(local.upper()) == speaking_against(local)


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


def test_cut_headers_are_not_answered() -> None:
    """The headers that SES cut off may forbid an answer."""
    everything = context(answer=ANSWER_CLASSES)
    assert withheld(mail(cut=True), everything) is Reason.HEADERS_TRUNCATED


@pytest.mark.parametrize("spam", ["pass", "gray", "processing_failed", "disabled", "absent"])
def test_only_sure_spam_is_not_answered(spam: str) -> None:
    """Spam is answered only if a rule says so; mail without a spam verdict counts as clean."""
    assert withheld(mail(spam=spam), context()) is None
    assert withheld(mail(spam="fail"), context()) is Reason.SPAM
    assert withheld(mail(spam="fail"), context(answer=["spam"])) is None


NOT_PASSED = ["fail", "gray", "processing_failed", "disabled", "absent", "softfail", "none"]


@pytest.mark.parametrize("spf", NOT_PASSED)
def test_unproven_sender_is_not_answered(spf: str) -> None:
    """Without SPF pass the sender may be anybody; DKIM alone does not name the envelope sender."""
    unproven = mail(spf=spf, dmarc="gray")
    assert withheld(unproven, context()) is Reason.UNAUTHENTICATED
    assert withheld(unproven, context(answer=["unauthenticated"])) is None


@pytest.mark.parametrize("dmarc", NOT_PASSED)
def test_spf_pass_is_enough(dmarc: str) -> None:
    """The envelope sender is proven by SPF, whatever DMARC says of From."""
    assert withheld(mail(spf="pass", dmarc=dmarc), context()) is None


@pytest.mark.parametrize(
    ("sender", "author"),
    [
        ("bob@sender.example", "Bob <bob@sender.example>"),
        ("bob@sender.example", "bob@SENDER.example."),
        ("bob@bounces.sender.example", "Bob <bob@sender.example>"),
        ("bob@mail.sender.example", '"Bob" <bob@sender.example> (at work)'),
        ("bob@sender.example", "bob@sender.example <bob@sender.example>"),
        ("bob@sender.example", "'bob@sender.example' <Bob@sender.example>"),
        ("bob@sender.example", "=?utf-8?q?bob=40sender.example?= <bob@sender.example>"),
        ("bob@sender.example", '"Bob <bob@sender.example>'),
    ],
)
def test_dmarc_pass_proves_an_aligned_sender(sender: str, author: str) -> None:
    """When DMARC passed for From, a sender in its domain, above or below it, is proven as well."""
    aligned = mail(("From", author), sender=sender, spf="fail")
    assert withheld(aligned, context()) is None


@pytest.mark.parametrize(
    "authors",
    [
        (),
        ("",),
        ("Bob",),
        ("Eve <eve@evil.example>",),
        ("eve@notsender.example",),
        ("bob@sender.example, eve@evil.example",),
        ("bob@sender.example", "bob@sender.example"),
        ("eve@evil.example", "bob@sender.example"),
        ("bob@sender.example <eve@evil.example>",),
        ("bob@sender.example<eve@evil.example>",),
        ("<bob@sender.example> eve@evil.example",),
        ("eve@evil.example (bob@sender.example)",),
        ("bob@sender.example (eve@evil.example)",),
        ('"eve@evil.example" <bob@sender.example>',),
        ("<@evil.example:bob@sender.example>",),
        ("=?utf-8?q?eve=40evil.example?= <bob@sender.example>",),
        ("=?utf-8?b?ZXZlQGV2aWwuZXhhbXBsZQ==?= <bob@sender.example>",),
        ("eve@evil.example: bob@sender.example;",),
        ("=?utf-8?q?x=40evil.example,?= bob@sender.example",),
        ("bob@sender.example, Bob <bobby@sender.example>",),
        ("bob@sender.example\x00@evil.example",),
    ],
)
def test_dmarc_pass_for_another_domain_proves_nothing(authors: tuple[str, ...]) -> None:
    """A From that could be read as somebody else's does not vouch for the envelope sender."""
    headers = tuple(("From", author) for author in authors) or (("Subject", "Hello"),)
    assert withheld(mail(*headers, spf="fail"), context()) is Reason.UNAUTHENTICATED


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
        ("Feedback-ID", "campaign7:customer3:mail:sender"),
        ("Feedback-ID", ""),
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
        ("Listing", "12 Main Street"),
        ("X-List", "shopping"),
        ("Subject", "List-Id: bulk"),
    ],
)
def test_mail_that_was_only_sent_by_ses_is_no_list(header: tuple[str, str]) -> None:
    """SES puts its Feedback-ID on everything it sends, mail of people included."""
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
    given = context(bounce_senders=[dreadful.sender])
    assert reasons(dreadful, given) == [
        reason for reason in GUARD_REASONS if reason is not Reason.DAEMON_SENDER
    ]
    assert withheld(dreadful, given) is Reason.NULL_SENDER


@pytest.mark.parametrize("waived", ANSWER_CLASSES)
def test_a_waiver_allows_its_own_class_only(waived: str) -> None:
    """Allowing one class leaves the others as they are."""
    marked = mail(("List-Id", "<x>"), ("Auto-Submitted", "yes"), spam="fail", spf="fail")
    assert len(reasons(marked, context())) == len(ANSWER_CLASSES)
    left = reasons(marked, context(answer=[waived]))
    assert sorted(left) == sorted(set(ANSWER_CLASSES) - {waived})


def test_all_waivers_leave_what_is_never_answered() -> None:
    """No rule can allow an answer to the first eight reasons."""
    never = [reason for reason in GUARD_REASONS if reason not in ANSWER_CLASSES]
    assert [str(reason) for reason in never] == [
        "null_sender",
        "invalid_sender",
        "report",
        "own_sender",
        "daemon_sender",
        "virus",
        "suppressed",
        "headers_truncated",
    ]
    assert withheld(mail(sender=""), context(answer=ANSWER_CLASSES)) is Reason.NULL_SENDER


@pytest.mark.parametrize("recipient", ["mailer-daemon@example.com", "Bounces+x@example.com"])
def test_mail_to_a_bounce_sender_is_never_answered(recipient: str) -> None:
    """It may answer a bounce, and machines that answer everything would never come to an end."""
    senders = ["mailer-daemon@example.com", "Mail <bounces@example.com>"]
    given = Context(recipient=recipient, bounce_senders=senders, own_domains=(), answer=())
    assert withheld(mail(), given) is Reason.OWN_SENDER


@pytest.mark.parametrize(
    ("sender", "author"),
    [("victim@eu.org", "a@attacker.eu.org"), ("a@sender.example", "a@mail.sender.example")],
)
def test_a_domain_does_not_speak_for_those_above_it(sender: str, author: str) -> None:
    """DMARC of a child proves nothing about its parent."""
    forged = mail(("From", author), sender=sender, spf="fail", dmarc="pass")
    assert withheld(forged, context()) is Reason.UNAUTHENTICATED


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
