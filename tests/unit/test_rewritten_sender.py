"""One sender has one form, and nobody can take the form of a sender in another domain."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bouncer.mail.address import domain
from bouncer.mail.rewritten_sender import normal_sender, verp_recipients

RECIPIENTS = ("ann@example.com", "Bea@Example.com")

FORMS = {
    "Bob@Home.Example": "bob@home.example",
    "bob+news@home.example": "bob@home.example",
    "bob+news+more@home.example": "bob@home.example",
    "SRS0=HHH=TT=home.example=bob@fwd.example": "bob=home.example@fwd.example",
    "SRS0+HHH=TT=home.example=bob@fwd.example": "bob=home.example@fwd.example",
    "srs0-hhh=tt=home.example=bob@fwd.example": "bob=home.example@fwd.example",
    "SRS1=HHH=first.example==GGG=TT=home.example=bob@fwd.example": "bob=home.example@fwd.example",
    "SRS1+HHH=first.example=-GGG=TT=home.example=bob@fwd.example": "bob=home.example@fwd.example",
    "kim+SRS=3Bz4x=FR=home.example=bob@tenant.example": "bob=home.example@tenant.example",
    "bounces+SRS=3Bz4x=FR@tenant.example": "bounces@tenant.example",
    "prvs=0123a4b5c6=bob@home.example": "bob@home.example",
    "PRVS=0123A4B5C6=bob+x@home.example": "bob@home.example",
    "btv1==0123456789a==bob@home.example": "bob@home.example",
    "news-ann=example.com@list.example": "news@list.example",
    "news+ann=example.com@list.example": "news@list.example",
    "news-bea=example.com@list.example": "news@list.example",
    "SRS0=h=t=home.example=prvs=0123456789=bob@fwd.example": "bob=home.example@fwd.example",
}
KEPT = (
    "bob@home.example",
    "bob-news@home.example",
    "+news@home.example",
    "news-eve=partner.example@list.example",  # VERP, but of somebody who is not a recipient
    "ann=example.com@list.example",
    "-ann=example.com@list.example",
    "bounces-4711-0815@mailer.example",
    "msprvs1=17500abc=bounces-12345@mailer.example",
    "srs0=only=two@fwd.example",
    "prvs=no-tag=bob@home.example",
    "srs0@home.example",
    '"bob @ home"@home.example',
)

_word = st.text("abcXYZ019.-_", min_size=1, max_size=6)
_piece = st.one_of(
    _word,
    st.sampled_from(["SRS0=", "srs1=", "+SRS=", "prvs=", "btv1==", "==", "=", "+", "-", "0a1b"]),
    st.sampled_from(["ann=example.com", "bea=example.com", "victim.example=bob"]),
)
LOCAL_PARTS = st.one_of(
    st.lists(_piece, min_size=1, max_size=12).map("".join), st.text(max_size=60)
)
DOMAINS = st.sampled_from(
    ["attacker.example", "Fwd.Example.", "xn--bcher-kva.example", "b\xfccher.example"]
)
ADDRESSES = st.builds("{}@{}".format, LOCAL_PARTS, DOMAINS)


@pytest.mark.threat
@pytest.mark.parametrize("sender", FORMS)
def test_a_rewritten_sender_has_the_form_of_its_sender(sender: str) -> None:
    """SRS, BATV, VERP, plus tags and case are undone; the domain is the one that was written."""
    assert normal_sender(sender, RECIPIENTS) == FORMS[sender]


@pytest.mark.parametrize("sender", KEPT)
def test_an_unknown_form_stays(sender: str) -> None:
    """An address that is not surely in one of the known forms is a sender of its own."""
    assert normal_sender(sender, RECIPIENTS) == sender


@pytest.mark.threat
@given(ADDRESSES)
@example("SRS0=h=t=victim.example=bob@attacker.example")
@example("srs0=a=b=srs0=c=d@attacker.example")
def test_the_domain_never_changes(sender: str) -> None:
    """Nobody outside a domain can be counted as a sender in it."""
    assert domain(normal_sender(sender, RECIPIENTS)) == domain(sender)


@given(st.one_of(ADDRESSES, st.text(max_size=400)))
@example("SRS0=h=t=d.example=a=b=c=d@fwd.example")
@example("srs0=h=t=prvs=1=srs1=a=b==c=d=e=f@fwd.example")
def test_a_normal_form_is_its_own(sender: str) -> None:
    """Once undone, nothing more is undone."""
    once = normal_sender(sender, RECIPIENTS)
    assert normal_sender(once, RECIPIENTS) == once


@given(
    st.from_regex(re.compile(r"[a-z0-9=+.-]{1,60}@[a-z]{1,9}\.example", re.ASCII), fullmatch=True)
)
def test_case_makes_no_difference(sender: str) -> None:
    """Upper and lower case are one sender."""
    assert normal_sender(sender.upper(), RECIPIENTS) == normal_sender(sender, RECIPIENTS)


@pytest.mark.parametrize("sender", ["", "bob", "@", "a@", "srs0=a=b=c=d"])
def test_what_is_not_an_address_stays_a_text(sender: str) -> None:
    """A text without a domain has nothing to undo."""
    assert normal_sender(sender, RECIPIENTS) == sender


def test_an_endless_sender_costs_no_more_than_its_length() -> None:
    """A text that is too long to be an address is not looked into."""
    sender = "srs0=h=t=d=" * 100_000 + "x@attacker.example"
    assert normal_sender(sender) == sender


@pytest.mark.parametrize(
    ("sender", "recipients"),
    [
        ("News-Ann=Example.com@list.example", ["ann@example.com"]),
        ("news+ann=example.com-7@list.example", ["ann@example.com-7"]),
        (
            "my-news-ann-b=example.com@list.example",
            ["news-ann-b@example.com", "ann-b@example.com", "b@example.com"],
        ),
        ("prvs=0123456789=news-ann=example.com@list.example", ["ann@example.com"]),
        ("ann=example.com@list.example", []),
        ("news-ann=example@list.example", []),
        ("bob@home.example", []),
        ("news-ann=example.com" * 100 + "@list.example", []),
    ],
)
def test_verp_may_name_several_recipients(sender: str, recipients: list[str]) -> None:
    """A hyphen may belong to the list or to the mailbox."""
    assert verp_recipients(sender) == recipients


@pytest.mark.parametrize("list_name", ["news", "my-news", "news+more", "prvs=01=news"])
@pytest.mark.parametrize("recipient", ["ann@example.com", "ann-b@example.com", "a+x@example.com"])
def test_verp_is_undone_without_knowing_the_recipient(list_name: str, recipient: str) -> None:
    """One of the recipients that a sender may name leads to the form that the worker counts."""
    sender = f"{list_name}-{recipient.replace('@', '=')}@list.example"
    guessed = [normal_sender(sender, [each]) for each in verp_recipients(sender)]
    assert normal_sender(sender, [recipient]) in guessed
