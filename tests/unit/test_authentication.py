"""The proof of the envelope sender: SPF, or DMARC for a From that is the envelope sender."""

import time

import pytest

from bouncer.authentication import vouched
from bouncer.mail.message import VERDICTS, Message

SENDER = "bob@sender.example"


def mail(*authors: str, sender: str = SENDER, spf: str = "fail", dmarc: str = "pass") -> Message:
    """A mail for which only DMARC passed, unless told otherwise."""
    return Message(
        message_id="m1",
        received_at=None,
        sender=sender,
        recipients=("ann@example.com",),
        headers={"from": authors} if authors else {},
        headers_truncated=False,
        verdicts=dict.fromkeys(VERDICTS, "pass") | {"spf": spf, "dmarc": dmarc},
        dmarc_policy="absent",
    )


@pytest.mark.parametrize("dmarc", ["pass", "fail", "gray", "processing_failed", "absent"])
def test_spf_speaks_of_the_envelope_sender_itself(dmarc: str) -> None:
    """Its pass is enough, whatever DMARC says and whoever stands in From."""
    assert vouched(mail("eve@evil.example", spf="pass", dmarc=dmarc))
    assert vouched(mail(spf="pass", dmarc=dmarc))


@pytest.mark.parametrize("spf", ["fail", "gray", "processing_failed", "disabled", "absent", "none"])
@pytest.mark.parametrize(
    "dmarc", ["fail", "gray", "processing_failed", "disabled", "absent", "none"]
)
def test_nothing_else_vouches(spf: str, dmarc: str) -> None:
    """DKIM, and every other word of SES, leave the sender unproven."""
    assert not vouched(mail(SENDER, spf=spf, dmarc=dmarc))


@pytest.mark.parametrize(
    ("sender", "author"),
    [
        ("bob@sender.example", "bob@sender.example"),
        ("bob@sender.example", "Bob <bob@sender.example>"),
        ("bob@sender.example", '"Smith, Bob" <bob@sender.example>'),
        ("bob@sender.example", '"Bob \\"the hat\\" Smith" < bob@sender.example >'),
        ("bob@sender.example", "=?utf-8?q?Bj=C3=B6rn?= <bob@sender.example>"),
        ("bob@sender.example", '"Bob" <bob@sender.example> (at work)'),
        ("bob@sender.example", "bob@sender.example (Bob Smith)"),
        ("bob@sender.example", "bob@sender.example <bob@sender.example>"),
        ("bob@sender.example", '"bob@sender.example" <bob@sender.example>'),
        ("bob@sender.example", "'bob@sender.example' <bob@sender.example>"),
        ("bob@sender.example", "=?utf-8?q?bob=40sender=2Eexample?= <bob@sender.example>"),
        ("bob@sender.example", "<BOB@Sender.Example>"),
        ("Bob@Sender.Example", "bob@SENDER.example."),
        ("bob+shop@sender.example", "bob@sender.example"),
        ("bob@sender.example", "bob+shop@sender.example"),
        ("o'hara@sender.example", "O'Hara <o'hara@sender.example>"),
        ("prvs=01=bob@sender.example", "prvs=01=bob@sender.example"),
    ],
)
def test_dmarc_vouches_for_a_sender_that_is_the_author(sender: str, author: str) -> None:
    """The one address in From is the envelope sender, tag and case aside."""
    assert vouched(mail(author, sender=sender))


@pytest.mark.threat
@pytest.mark.parametrize(
    ("sender", "author"),
    [
        ("victim@sender.example", "attacker@sender.example"),
        ("victim@sender.example", "Victim <attacker@sender.example>"),
        ("victim@eu.org", "a@attacker.eu.org"),
        ("bob@bounces.sender.example", "bob@sender.example"),
        ("bob@sender.example", "bob@mail.sender.example"),
        # Somebody's bounce address stands for many: DMARC does not say for whom.
        ("prvs=0123456789=bob@sender.example", "bob@sender.example"),
        ("news-bounces+ann=example.com@sender.example", "news@sender.example"),
        # A rewritten sender leads on to the address in it. Forwarders that rewrite pass SPF.
        ("bob+SRS=abcde=IX=sender.example=attacker@victim.example", "attacker@sender.example"),
        ("bob+SRS=abcde=IX=victim.example=victim@sender.example", "bob@sender.example"),
        ("bounces+SRS=abcde=IX@sender.example", "bob@origin.example"),
        ("bounces+SRS=abcde=IX@sender.example", "bounces@sender.example"),
        ("SRS0=hh=tt=sender.example=bob@forwarder.example", "bob@sender.example"),
        ("SRS0=hh=tt=victim.example=victim@sender.example", "bob@sender.example"),
        ("vikram@sender.example", "vi\u212aram@sender.example"),
        ("bob@sender.example", "bob\uff20sender.example"),
    ],
)
def test_dmarc_does_not_vouch_for_somebody_else_of_the_domain(sender: str, author: str) -> None:
    """Anybody with an account there can sign one mail, and send it again with any sender."""
    assert not vouched(mail(author, sender=sender))


HOSTILE = [
    (),
    ("",),
    ("Bob",),
    ("@",),
    ("<>",),
    ("eve@evil.example",),
    ("bob@sender.example, eve@evil.example",),
    ("bob@sender.example, bob@sender.example",),
    ("bob@sender.example", "bob@sender.example"),
    ("eve@evil.example", "bob@sender.example"),
    ("bob@sender.example eve@evil.example",),
    ("bob@sender.example <eve@evil.example>",),
    ("bob@sender.example<eve@evil.example>",),
    ("<bob@sender.example> eve@evil.example",),
    ("<bob@sender.example> <eve@evil.example>",),
    ("eve@evil.example (bob@sender.example)",),
    ("bob@sender.example (eve@evil.example)",),
    ("bob@sender.example (a (nested) comment)",),
    ("bob(x)@sender.example",),
    ("bob@(sender.example)evil.example",),
    ("bob@sender.example(.evil.example)", "x"),
    ("bob@sender.example (",),
    ('"eve@evil.example" <bob@sender.example>',),
    ('"eve" @ evil.example <bob@sender.example>',),
    ('"bob"@sender.example',),
    ('"bob@sender.example"@evil.example',),
    ('"bob@sender.example',),
    ("<@evil.example:bob@sender.example>",),
    ("Friends: bob@sender.example;",),
    ("Friends: eve@evil.example; <bob@sender.example>",),
    ("undisclosed:; bob@sender.example",),
    ("eve\\@evil.example <bob@sender.example>",),
    ("=?utf-8?q?eve=40evil.example?= <bob@sender.example>",),
    ("=?utf-8?q?eve?=@sender.example",),
    ("=?utf-8?b?ZXZlQGV2aWwuZXhhbXBsZSwg?= <bob@sender.example>",),
    ("bob@sender.example\x00@evil.example",),
    ("bob@sender.example\x00",),
    ("bob @sender.example",),
    ("bob@[192.0.2.1]",),
    ("bob%sender.example@evil.example",),
]


@pytest.mark.threat
@pytest.mark.parametrize("authors", HOSTILE)
def test_a_from_that_could_be_read_as_somebody_elses_never_vouches(
    authors: tuple[str, ...],
) -> None:
    """Parsers differ, and DMARC may have passed for another part than the one read here."""
    assert not vouched(mail(*authors))


@pytest.mark.parametrize("sender", ["", "@", "'", "bob", "@sender.example"])
def test_a_sender_that_is_not_an_address_is_not_vouched_for(sender: str) -> None:
    """The null sender is nobody's, and never stops the guard from looking on."""
    assert not vouched(mail("bob@sender.example", sender=sender))


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "@",
        "a@b ",
        " ",
        "\t",
        "'",
        '"',
        '"a" ',
        "<",
        ">",
        "(",
        "()",
        "( ",
        "\\",
        '"\\',
        "=?",
        "é",
    ],
)
@pytest.mark.parametrize("end", ["", "@", "<bob@sender.example", "<bob@sender.example>x"])
def test_a_long_from_costs_no_time(unit: str, end: str) -> None:
    """Each pattern is linear in the length of the value."""
    begun = time.process_time()
    vouched(mail(unit * (16_000 // len(unit)) + end))
    assert time.process_time() - begun < 0.2
