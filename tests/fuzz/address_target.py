"""Addresses and texts of mail: found, compared, counted and shown, whatever they are."""

from hypothesis import strategies as st

from bouncer.mail.a_label import a_labels
from bouncer.mail.address import domain, is_address, is_mailbox, is_recipient, mailbox_address
from bouncer.mail.address_list import addresses
from bouncer.mail.ascii_text import ascii_text
from bouncer.mail.comparable import comparable, folded, letters
from bouncer.mail.mime import unfold
from bouncer.mail.organisation import organisational_domain
from bouncer.mail.rewritten_sender import normal_sender
from bouncer.mail.text import escaped, printable, shown, well_formed
from tests.fuzz.drawn import HOSTILE, encoded
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.repetition import repeated, repetitions
from tests.harmless import assert_harmless

_LINES = set("\r\n")
_SIZE = 16_384  # of a repetition: SES passes on 10 KB of headers


def check(data: bytes) -> None:
    """Each form of a text keeps what it promises, and is its own form."""
    text = repeated(data, _SIZE).decode("utf-8", "replace")
    _check_addresses(text)
    _check_sender(text)
    _check_domain(text)
    _check_forms(text)


def _check_addresses(text: str) -> None:
    value = unfold(text)
    for address in addresses((value,)):
        assert "@" in address
        assert not set(address) & _LINES
        assert address.lower() in map(str.lower, addresses((f"<{address}>",))), ascii(address)
    if is_recipient(text) or is_mailbox(text) or is_address(text):
        assert text.isascii()
        assert text.isprintable(), ascii(text)
    if is_mailbox(text):
        assert is_address(mailbox_address(text))


def _check_sender(text: str) -> None:
    """Nobody can be counted in the domain of another, or under several forms."""
    once = normal_sender(text, ("ann@example.com",))
    assert domain(once) == domain(text), (ascii(once), ascii(text))
    assert normal_sender(once, ("ann@example.com",)) == once, ascii(once)


def _check_domain(text: str) -> None:
    once = organisational_domain(text)
    assert a_labels(text).lower().rstrip(".").endswith(once)
    assert organisational_domain(once) == once, (ascii(text), ascii(once))
    assert domain(f"a@{domain(text)}") == domain(text), ascii(text)


def _check_forms(text: str) -> None:
    assert comparable(comparable(text)) == comparable(text), ascii(text)
    assert folded(folded(text)) == folded(text), ascii(text)
    letters(comparable(text))
    assert ascii_text(text).isascii()
    well_formed(text).encode()
    for form in (escaped(text), shown(text, 40), printable(text, 40)):
        assert_harmless(form)
        assert "\n" not in form
    assert escaped(escaped(text)) == escaped(text)
    assert len(printable(text, 40)) <= 40
    assert printable(printable(text, 40), 40) == printable(text, 40), ascii(text)


_LOCAL = st.sampled_from(
    [
        *("bob", "Bob+tag", "SRS0=HHH=TT=home.example=bob", "SRS1=H=a.example==H=T=h.example=bob"),
        *("bounces+SRS=a=b", "bob+SRS=a=b=c.example=bob", "prvs=0a=bob", "btv1==x==bob"),
        *("list-ann=example.com", '"b o b"', '"a\\"b"', "b.o.b", ".bob.", "=?utf-8?q?bob?="),
    ]
)
_HOST = st.sampled_from(
    ["example.com", "a.b.co.uk", "bücher.example", "ck", "[192.0.2.1]", "x.kawasaki.jp", "İ.com"]
)
_PIECE = st.builds("{}@{}".format, _LOCAL | HOSTILE, _HOST | HOSTILE)
_MAILBOX = st.builds("{} <{}>".format, HOSTILE, _PIECE)
TARGET = FuzzTarget(
    name="address",
    check=check,
    examples=st.lists(_PIECE | _MAILBOX | HOSTILE, max_size=4).map(", ".join).map(encoded)
    | repetitions((HOSTILE | _PIECE).map(encoded)),
    words=(
        "SRS0=",
        "SRS1=",
        "+SRS=",
        "prvs=",
        "btv1==",
        "@",
        "<",
        ">",
        "xn--",
        "=?",
        "ann=example.com",
    ),
)
