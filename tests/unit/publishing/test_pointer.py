"""The pointer: everything in it is read again, and anything else is refused with a sentence."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.caps import NO_CAPS
from bouncer.held import Held
from bouncer.operator_settings import Settings
from bouncer.rules.bounce_limit import BounceLimit
from bouncer.rules.rule import Mode
from bouncer.settings_reader import overlaid
from bouncer.sources.pointer import Pointer, PointerError, pointer_text, read_pointer

ALL_SET = overlaid(
    Settings(),
    """
mode: shadow
sending: paused
rate: 0.5
bounce_sender: bounces@example.com
reporting_mta: mx.example.com
answer: [lists, spam]
own_domains: [example.com, .example.org]
expiry_margin: 60
cache: 5
ascii_only: false
journal: {addresses: hashed, key: 0123456789abcdef}
suppression: 7d
breaker: {double_bounces: 7%}
store: false
caps:
  sender: {10m: 5, 24h: 50}
  domain_share: off
  domain_replies: 7
  allow: [partner.example, ann@home.example]
""",
)
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
FULL = Pointer(
    revision="a" * 64,
    settings=ALL_SET,
    causes=(
        Held(since=NOW, by="ann", why='a "quote" and é', document="/p/held"),
        Held(since=None, by="the settings", why="sending: paused", document="settings"),
    ),
    problems={"rules/a": ("one", "two"), "settings": ("three",)},
    braked=("900-unknown",),
    sources={"departed": "b" * 64},
    serial=7,
    defaults="c" * 64,
    limits={"900-unknown": BounceLimit(100, 3600)},
)


@pytest.mark.parametrize(
    "pointer",
    [FULL, Pointer("", Settings()), Pointer("b", Settings(caps=NO_CAPS, mode=Mode.OFF))],
)
def test_a_pointer_is_read_as_it_was_written(pointer: Pointer) -> None:
    """Settings, causes, problems, braked rules and limits survive."""
    assert read_pointer(pointer_text(pointer).encode()) == pointer


def test_every_member_differs_in_the_test_above() -> None:
    """A member that is added has to be added to the test as well."""
    built_in = Pointer("", Settings())
    assert not [n for n in Pointer._fields if getattr(built_in, n) == getattr(FULL, n)]


def test_every_setting_differs_in_the_test_above() -> None:
    """A setting that is added has to be added to the test as well."""
    built_in = Settings()
    same = [n for n in Settings.__slots__ if getattr(built_in, n) == getattr(ALL_SET, n)]
    assert same == ["senders", "reply_senders"]


def test_the_pointer_does_not_name_senders() -> None:
    """A function has them from its deployment, and no object in a bucket can change them."""
    senders = frozenset({"bounces@example.com"})
    text = pointer_text(Pointer("", Settings(senders=senders, reply_senders=senders)))
    assert "bounces@example.com" not in text
    assert read_pointer(text.encode()).settings == Settings()


def test_members_of_a_neighbouring_version_do_no_harm() -> None:
    """A setting that is not known yet is passed over; one that is missing has its default."""
    members = json.loads(pointer_text(FULL))
    members["settings"]["moon"] = "full"
    members["settings"]["caps"]["moon"] = 1
    members["moon"] = []
    del members["settings"]["rate"]
    found = read_pointer(json.dumps(members).encode())
    assert found.settings.rate == Settings().rate
    assert found.settings.caps == ALL_SET.caps


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "found no pointer in it, expected one"),
        ("[]", "found no pointer in it, expected one"),
        ("{}", "found no pointer in it, expected one"),
        ("\udcff", "found no pointer in it, expected one"),
        ("[" * 100_000, "found no pointer in it, expected one"),
        ('{"format": 2}', "found a pointer of format 2, expected 1; deploy the functions again"),
        ('{"format": 1}', "found members that can't be read (KeyError('revision'))"),
        (pointer_text(FULL).replace('"shadow"', '"moon"'), "'moon' is not a valid Mode"),
        (pointer_text(FULL).replace('"held": [', '"held": [3,'), "can't be read (TypeError"),
    ],
)
def test_any_other_object_is_refused(text: str, says: str) -> None:
    """One sentence says what the pointer is instead."""
    with pytest.raises(PointerError) as raised:
        read_pointer(text.encode("utf-8", "surrogateescape"))
    assert str(raised.value).startswith("current-v1: found ")
    assert says in str(raised.value)


@given(st.binary(max_size=200) | st.text().map(lambda text: json.dumps(text).encode()))
def test_no_bytes_raise_anything_else(text: bytes) -> None:
    """A reader gets the error that it expects for anything in the bucket."""
    with pytest.raises(PointerError):
        read_pointer(text)
