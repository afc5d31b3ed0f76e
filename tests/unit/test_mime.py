"""Header text as strangers write it: decoded where it can be, harmless where it can't."""

import encodings
import time
import unicodedata
from email.charset import Charset
from email.header import Header, decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.mail.address import domain, local_part, without_tag
from bouncer.mail.address_list import addresses
from bouncer.mail.mime import decode_words, unfold
from bouncer.mail.text import printable, well_formed

ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates included
WORDY_TEXT = st.lists(
    st.sampled_from(["=?", "?=", "utf-8", "?q?", "?b?", "=C3=A9", "w6k=", "x", " ", "é", "\ud800"])
).map("".join)
ADDRESSY_TEXT = st.lists(
    st.sampled_from([*'<>()[]"\\,;:@. \t', "a", "b.example", "=?utf-8?q?x?=", "\x00", "é"])
).map("".join)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?caf=C3=A9?=", "café"),
        ("=?UTF-8?B?Y2Fmw6k=?=", "café"),
        ("=?utf-8?b?Y2Fmw6k?=", "café"),
        ("=?utf-8*fr?q?caf=c3=a9?=", "café"),
        ("=?iso-8859-1?q?caf=E9_noir?=", "café noir"),
        ("=?windows-1252?q?=80_5?=", "€ 5"),
        ("=?koi8-r?b?8NLJ18XU?=", "Привет"),
        ("=?koi8-u?q?=A6?=", "\u0456"),
        ("=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"),
        ("=?shift_jis?b?k/qWew==?=", "日本"),
        ("=?gb2312?b?xOO6ww==?=", "你好"),
        ("Re: =?utf-8?q?a?= b", "Re: a b"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?==?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a_?= =?iso-8859-1?q?=E9?=", "a é"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é"),
        ("=?utf-8?b?5pel?= =?utf-8?b?5pys?=", "日本"),
        ("日本 =?utf-8?q?x?= 語", "日本 x 語"),
        (r"\u0041 =?utf-8?q?x?=", r"\u0041 x"),
        ("=?utf-8?q?two words?=", "two words"),
        ("=?utf-8?q??=", ""),
        ('"=?utf-8?q?quoted?="', '"quoted"'),
    ],
)
def test_encoded_words_are_decoded(value: str, expected: str) -> None:
    """RFC 2047, and what mail programs make of it."""
    assert decode_words(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        ("=?utf-8?q?abc", "=?utf-8?q?abc"),
        ("=?utf-8?b?A?= and =?utf-8?q?fine?=", "=?utf-8?b?A?= and fine"),
        ("=?utf-8?q?=ZZ=C3?=", "=ZZ\ufffd"),
        ("=?utf-8?q?=FF=FE?=", "\ufffd\ufffd"),
        ("=?no-such-charset?q?caf=E9?=", "café"),
        ("=?zlib?q?abc?=", "abc"),
        ("=?unicode_escape?q?=5Cx41?=", r"\x41"),
        ("=?idna?q?xn--e1afmkfd?=", "xn--e1afmkfd"),
        ("=?a\x00b?q?abc?=", "abc"),
        ("=??q?abc?=", "abc"),
        ("=?é?q?abc?=", "abc"),
        ("=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=", "=?utf-8?q?x?="),
        ("=?=?=", "=?=?="),
        ("=?iso-8859-1?q?Fr\xf6sche?=", "Frösche"),
    ],
)
def test_broken_encoded_words_cost_nothing_else(value: str, expected: str) -> None:
    """Undecodable words stay; nothing is decoded twice, and no codec but a charset is used."""
    assert decode_words(value) == expected


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-15", "koi8-r", "iso-2022-jp", "big5"])
@pytest.mark.parametrize("encoding", ["q", "b"])
def test_what_python_encodes_is_decoded(charset: str, encoding: str) -> None:
    """Long texts, folded into many words by the standard library, come back."""
    text = {"koi8-r": "Привет мир", "iso-2022-jp": "日本語", "big5": "繁體字"}.get(charset, "Käse")
    form = Charset(charset)
    form.header_encoding = {"q": 1, "b": 2}[encoding]
    words = Header(" ".join([text] * 20), form, maxlinelen=60).encode()
    value = unfold(words)
    assert decode_words(value) == str(make_header(decode_header(value)))
    assert decode_words(value).split() == " ".join([text] * 20).split()


@given(ANY_TEXT | WORDY_TEXT)
def test_decoding_never_fails(value: str) -> None:
    """Any text yields a text."""
    assert isinstance(decode_words(value), str)


def test_unknown_charsets_are_not_remembered() -> None:
    """Python keeps every charset name it is ever asked for; strangers must not fill its memory."""
    before = len(encodings._cache)  # noqa: SLF001  # that memory
    for number in range(100):
        decode_words(f"=?x-charset-{number}?q?a?=")
    assert len(encodings._cache) == before  # noqa: SLF001


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), ()),
        (("",), ()),
        (("ann@example.com",), ("ann@example.com",)),
        (("Ann <ann@example.com>",), ("ann@example.com",)),
        (('"Smith, Ann" <ann@example.com>',), ("ann@example.com",)),
        (("ann@example.com (Ann)",), ("ann@example.com",)),
        (("=?utf-8?q?J=C3=B6rg?= <j@example.com>",), ("j@example.com",)),
        (
            ("a@x.example, b@y.example", "c@z.example"),
            ("a@x.example", "b@y.example", "c@z.example"),
        ),
        (("Team: a@x.example, b@y.example;",), ("a@x.example", "b@y.example")),
        (("undisclosed-recipients:;",), ()),
        (("Ann",), ()),
        (("<>",), ()),
    ],
)
def test_addresses_are_found(values: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Addresses without names, comments and groups, in their order."""
    assert addresses(values) == expected


@given(st.lists(ANY_TEXT | ADDRESSY_TEXT, max_size=5))
def test_finding_addresses_never_fails(values: list[str]) -> None:
    """Any header values yield addresses, if only none."""
    assert all("@" in address for address in addresses(tuple(values)))


@pytest.mark.parametrize(
    "unit", ["(", ")", "<", '"', "[", "\\", "@", ",", "<@", "(\\", "a:", "a@["]
)
def test_hostile_address_lists_are_read_fast(unit: str) -> None:
    """No repetition of a special character takes long or exhausts the stack."""
    start = time.perf_counter()
    addresses((unit * (16_384 // len(unit)),))
    assert time.perf_counter() - start < 0.5


@pytest.mark.threat
@pytest.mark.parametrize("unit", ["=?", "=?a?q?", "=?a?b?", "=?x?q?a?= ", "?=", "=?utf-8?b?/?="])
def test_hostile_encoded_words_are_read_fast(unit: str) -> None:
    """No repetition of a piece of an encoded word takes long."""
    start = time.perf_counter()
    decode_words(unit * (16_384 // len(unit)))
    assert time.perf_counter() - start < 0.5


def test_folded_values_become_one_line() -> None:
    """Line ends and the blanks after them are one space; blanks at the ends go."""
    assert unfold(" a\r\n\t b\n c\r d\re \r\n") == "a b c d e"
    assert unfold("a  b") == "a  b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("two\r\nlines\tand\x0bmore\u2028here", "two lines and more here"),
        ("nul\x00bell\x07escape\x1b[31mred\x7f\x9b", "nulbellescape[31mred"),
        ("\u202eevil\u2066\u2069\u200e", "evil"),
        ("zero\u200bwidth\ufeff\u00adhyphen", "zerowidthhyphen"),
        ("lone \ud800 surrogate \udcff", "lone surrogate"),
        ("private \ue000, tag \U000e0041, unassigned \U000e0fff.", "private , tag , unassigned ."),
        ("wide\u3000space\u00a0here", "wide space here"),
        ("replaced \ufffd", "replaced \ufffd"),
        ("日本 café 👍", "日本 café 👍"),
        ("", ""),
    ],
)
def test_shown_text_is_harmless(text: str, expected: str) -> None:
    """Control, format, bidi and private characters, surrogates and line ends are never shown."""
    assert printable(text, 100) == expected


def test_long_text_is_cut_visibly() -> None:
    """A cut text says so and keeps to the limit."""
    assert printable("a" * 101, 100) == "a" * 97 + "..."
    assert printable("a" * 100, 100) == "a" * 100


@given(ANY_TEXT, st.integers(3, 50))
def test_shown_text_is_always_one_short_line(text: str, limit: int) -> None:
    """Any text becomes one line of visible characters within the limit."""
    shown = printable(text, limit)
    assert len(shown) <= limit
    assert shown == shown.strip()
    assert all(char == " " or unicodedata.category(char)[0] not in "CZ" for char in shown)
    shown.encode("utf-8")


@given(ANY_TEXT)
def test_well_formed_text_can_be_encoded(text: str) -> None:
    """Lone surrogates are replaced, everything else is kept."""
    assert len(well_formed(text).encode("utf-8").decode("utf-8")) == len(text)


def test_parts_of_addresses() -> None:
    """Domain, local part and tag are cut at the last @, the final dot and the first plus."""
    assert domain("Ann@Example.COM.") == "example.com"
    assert domain("a@b@c.example") == "c.example"
    assert domain("ann") == ""
    assert local_part("Ann.X+Tag@example.com") == "ann.x+tag"
    assert without_tag("ann+news+x@example.com") == "ann@example.com"
    assert without_tag("ann@example.com") == "ann@example.com"
    assert without_tag("ann") == "ann"
