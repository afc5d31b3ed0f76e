"""Addresses in headers: each that is written is found once, and none is invented."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.mail.address_list import addresses


def found(*values: str) -> str:
    """Return the addresses in header values as one text."""
    return " ".join(addresses(values))


@pytest.mark.parametrize(
    "value",
    [
        "ann@x.example",
        "<ann@x.example>",
        "Ann <ann@x.example>",
        "ann@x.example <ann@x.example>",
        "Ann@X.example <ann@x.example>",
        "boss@y.example <ann@x.example>",
        '"boss@y.example" <ann@x.example>',
        '"Ann, boss@y.example" <ann@x.example>',
        "=?utf-8?q?ann@x.example?= <ann@x.example>",
        "=?utf-8?b?YW5uQHguZXhhbXBsZQ==?= <ann@x.example>",
        "=?utf-8?q?Smith, boss@y.example?= <ann@x.example>",
        "=?utf-8?q?boss@y.example,?= ann@x.example",
        "'ann@x.example' <ann@x.example>",
        "'ann@x.example'",
        "<'ann@x.example'>",
        '"ann@x.example"',
        "\"'ann@x.example'\" <ann@x.example>",
        '"Ann <ann@x.example>',
        'Ann" <ann@x.example>',
        "Ann (boss@y.example) <ann@x.example>",
        "ann@x.example (boss@y.example)",
        "ann@x.example (Ann (boss@y.example, the boss))",
        "ann(home)@x.example",
        "Ann (at work <ann@x.example>",
        "Team: ann@x.example;",
        "boss@y.example: ann@x.example;",
        "Nobody:; ann@x.example",
        "<@y.example,@z.example:ann@x.example>",
        "<mailto:ann@x.example>",
        "mailto:ann@x.example",
        "<<ann@x.example>>",
        "<ann@x.example",
        "ann@x.example>",
        "< ann @ x.example >",
        "ann @ x.example",
        "ann@x . example",
        "ann @ x . example",
        "Dr. ann@x.example",
        "Ann ann@x.example",
        ",, ann@x.example,,;",
        "ann@x.example, ANN@x.example, <Ann@X.Example>",
        "MAILER-DAEMON <>, ann@x.example",
        "a@b@c.example, ann@x.example",
        "@x.example, ann@, ann@x.example",
        '\\"Ann\\" <ann@x.example>',
    ],
)
def test_one_address_is_one(value: str) -> None:
    """Names, comments and groups are not addresses, whatever they repeat or claim."""
    assert found(value).lower() == "ann@x.example"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@x.example,b@y.example", "a@x.example b@y.example"),
        ("a@x.example; b@y.example", "a@x.example b@y.example"),
        ("A: a@x.example, B <b@y.example>;, c@z.example", "a@x.example b@y.example c@z.example"),
        ("<a@x.example> <b@y.example>", "a@x.example b@y.example"),
        ("a@x.example b@y.example", "a@x.example b@y.example"),
        ('"A <a@x.example>, B <b@y.example>', "a@x.example b@y.example"),
        ("J\u00f6rg <j\u00f6rg@ex\u00e4mple.example>", "j\u00f6rg@ex\u00e4mple.example"),
        ("ann@\u4f8b\u3048.example", "ann@\u4f8b\u3048.example"),
        ('"ann lee"@x.example', '"ann lee"@x.example'),
        ("ann@[192.0.2.1], b@[IPv6:2001:db8::1]", "ann@[192.0.2.1] b@[IPv6:2001:db8::1]"),
        ("o'neil@x.example", "o'neil@x.example"),
        ("a=?b@x.example", "a=?b@x.example"),
        ("SRS0=x=y=z.example=bob@x.example", "SRS0=x=y=z.example=bob@x.example"),
        ("root@localhost", "root@localhost"),
        ("ann@x.example.", "ann@x.example."),
    ],
)
def test_addresses_are_taken_as_they_are_written(value: str, expected: str) -> None:
    """Every address is found, in order and unchanged."""
    assert found(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Ann",
        "<>",
        "undisclosed-recipients:;",
        "ann@x.example: ;",
        "Meet me @ example.com",
        "=?utf-8?q?ann@x.example?=",
        "=?utf-8?q?ann@x.example",
        "ann@x.example\x00",
        "bob@x.example\x00@evil.example",
        "a@b@c.example",
        "(ann@x.example)",
        "ann@x.exam'ple",
    ],
)
def test_nothing_is_invented(value: str) -> None:
    """Text that is not an address is left out."""
    assert found(value) == ""


@given(st.text(), st.emails())
def test_an_address_in_brackets_is_found(name: str, address: str) -> None:
    """An address in angle brackets at the end of a value is found, whatever stands before it."""
    quiet = "".join(char for char in name if char not in '"(<>\\')
    assert found(f"{quiet} <{address}>").endswith(address.rpartition("@")[2])


UNITS = ['<"', '<"\\', '"\\', "=?", "=?a?q?", "a@b ", "<a@b>", "' @", "<(", '<a"b"', '"a"@', "((a)"]


@pytest.mark.parametrize("unit", [*UNITS, "(", "<", '"', "[", "@", ",", "a@b,", " ", "=", ":"])
def test_long_values_take_linear_time(unit: str) -> None:
    """A value of 40 KB costs little, whatever is repeated in it."""
    start = time.process_time()
    addresses(("x@y.example " + unit * (40_960 // len(unit)),))
    assert time.process_time() - start < 0.5
