"""Senders that are machines or lists are told from people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.guard import never_answered, withheld
from bouncer.reasons import ANSWER_CLASSES, Reason
from tests.unit.guard_mails import context, mail, reasons

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
bob+SRS=44ldt=IX=origin.example=noreply SRS1=ef=hub.example==ab=cd=origin.example=no-reply
""".split()  # noqa: SIM905  # a table of words


LISTS = """
owner-cats Owner-Cats cats-owner cats-request cats-bounces cats-bounces+ann=example.com
cats-bounces-ann=example.com bounce bounces bounce-1234_HTML-5678-90 bounces+12-ab-ann=example.com
bounces-7 bounce.news.7 bounce_7 news-bounce news.bounces msprvs1=17000=bounces-1-2
listserv LISTSERV listproc majordomo mailman cats-subscribe cats-unsubscribe
cats-confirm+1a2b3c4d5e6f Cats-Confirm+0123456789abcdef0123456789abcdef01234567
SRS0=ab=cd=origin.example=cats-bounces joe+SRS=ab=cd=origin.example=owner-cats
""".split()  # noqa: SIM905  # a table of words


PEOPLE = """
norman damon matt.damon mdamon m.damon matt-damon rootsman root66 groot bouncer bouncer7 bouncehouse
bouncy.castle nobodys-fool nobody.knows nullman annul demon lee.demon pandemonium daemonette
an-noreply-fan norepa noreen noah.reply nora.responder casino-reply piano-answer reply replyto
returns respond answers requests request prayerrequest notary notes.reply note-reply nora.return
dontrell donna.reply volcano.return homeowner home.owner owner owners ownership co.owner.bob
automat automation autoparts auto-parts auto.smith automatic-doors mailman.pat mailerson mailers
postmaster-general postmasters post.master subscribe confirm unconfirmed listings list lists
majordomos ship-confirm order-confirm cats-confirm pay.confirm+eu bounces+SRS=44ldt=IX
joe+SRS=44ldt=IX=origin.example=bob bounces+SRS=a+b/c=7Q=lists.example=damon
noreply+SRS=x=y=o.example=bob SRS0=ab=cd=news.bounces.example=bob SRS0+ab=cd=a.bounce.example=bob
SRS1=ef=hub.example==ab=cd=o.example=bob
admin office-admin sys-admin relay relays errors trial.and.errors newsroom news
abuse hostmaster webmaster support info hello sales-team ann.owner ann.request
prvs=0123456789=damon SRS0=ab=cd=origin.example=norman bob+noreply-fan
""".split()  # noqa: SIM905  # a table of words


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


@pytest.mark.parametrize(
    "local",
    ["noreply", "no-reply", "accounts-noreply", "NoReply", "do_not_reply", "nobody", "null"],
)
def test_a_mailbox_nobody_reads_in_from_alone_is_automatic(local: str) -> None:
    """Its mail has a sender that takes bounces, so a rule may answer it."""
    disguised = mail(("From", f"Shop <{local}@sender.example>"))
    assert reasons(disguised, context()) == [Reason.AUTOMATIC]
    assert withheld(disguised, context(answer=["automatic"])) is None


@pytest.mark.parametrize("local", ["postmaster", "root", "owner-cats", "bounces", "noreen"])
def test_other_names_in_from_alone_are_answered(local: str) -> None:
    """Only the envelope sender gets the bounce; a list's or postmaster's From says little."""
    assert withheld(mail(("From", f"{local}@sender.example")), context()) is None


def test_local_parts_are_judged_in_any_case() -> None:
    """Upper and lower case make no difference in the name of a machine."""
    for local in (*DAEMONS, *AUTOMATIC, *LISTS):
        assert speaking_against(local.upper()) == speaking_against(local)


ODD_SENDERS = st.one_of(
    st.emails(),
    st.text(max_size=20),
    st.builds(
        "{}@{}".format,
        st.sampled_from(["mailer-daemon", "Ann", "ann+x", "bob", "postmaster", ".a", "nobody+1"]),
        st.sampled_from(["example.com", "sender.example", "EXAMPLE.com.", "x", "é.example"]),
    ),
)


@given(sender=ODD_SENDERS)
def test_what_is_never_answered_is_a_finding_of_the_guard(sender: str) -> None:
    """The worker asks by the address alone, so it never withholds what the guard let by."""
    reason = never_answered(sender, context())
    if reason:
        assert reason in reasons(mail(sender=sender), context())
