# ruff: noqa: RUF001  # characters that look like others are what these tests are about
"""Forms of text: in ASCII for a bounce, and with escapes for what cannot be seen."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.mail.ascii_text import ascii_text
from bouncer.mail.text import escaped

ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates included


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("Crème Brûlée, 日本", "Creme Brulee, ??"),
        ("Jürgen Köhler, Prüfstraße 7, Äpfel", "Juergen Koehler, Pruefstrasse 7, Aepfel"),
        ("ÄRZTEHAUS ÖSTLICH, PRÜFSTRAßE", "AERZTEHAUS OESTLICH, PRUEFSTRASSE"),
        ("U\u0308ber A\u0308PFEL", "Ueber AEPFEL"),  # decomposed, as macOS writes it
        ("Ü und ö", "Ue und oe"),
        ("pingüino, Malmö, hyvää päivää", "pingueino, Malmoe, hyvaeae paeivaeae"),
        ("ılık İstanbul, cœur, Œuvre", "ilik Istanbul, coeur, OEuvre"),
        ("Đorđe, Þór ÞÓRA, ftir það, Ħal Għaxaq", "Dorde, Thor THORA, ftir thad, Hal Ghaxaq"),
        ("Łódź, Øre, Æble, ẞ", "Lodz, Ore, AEble, SS"),
        ("«Bonjour» „Hallo“ “Hi” ‹a› ‚b‘ ‘c’", "\"Bonjour\" \"Hallo\" \"Hi\" 'a' 'b' 'c'"),
        ("¡Hola! ¿Qué?", "!Hola! ?Que?"),
        ("5 €, 20°C, • one", "5 EUR, 20 degC, * one"),
        ("½ and 2½ and ⅓", "1/2 and 2 1/2 and 1/3"),
        ("a‐b‑c‒d–e—f―g−h", "a-b-c-d-e-f-g-h"),
        ("wait… no\u00a0break\u202fhere\u2007now\u00ad", "wait... no break here now"),
        ("x² №5 ™", "x2 No5 TM"),
        ("\ud800", "?"),
    ],
)
def test_text_in_ascii_reads_as_its_readers_write_it(text: str, expected: str) -> None:
    """Umlauts follow German, other accents are dropped, marks have their ASCII form."""
    assert ascii_text(text) == expected


@given(ANY_TEXT)
def test_every_text_has_a_form_in_ascii(text: str) -> None:
    """The form is ASCII; a text that is ASCII already is left alone."""
    form = ascii_text(text)
    assert form.isascii()
    assert ascii_text(form) == form


@given(st.text(st.sampled_from("äöüÄÖÜßéaZ 1-"), max_size=12))
def test_composed_and_decomposed_text_have_one_form(text: str) -> None:
    """It does not matter on which system a text was typed."""
    assert ascii_text(unicodedata.normalize("NFD", text)) == ascii_text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, 日本 café 👍", "plain, 日本 café 👍"),
        ("\x1b[31mred\x07", r"\u001b[31mred\u0007"),
        ("a\tb\r\nc\x00", r"a\tb\r\nc\u0000"),
        ("\x7f\x85\x9b", r"\u007f\u0085\u009b"),
        ("\u202eevil\u2066\u200f", r"\u202eevil\u2066\u200f"),
        ("zero\u200bwidth\ufeff no\u00a0break\u00ad", r"zero\u200bwidth\ufeff no\u00a0break\u00ad"),
        ("\u2028\u2029\u3000", r"\u2028\u2029\u3000"),
        ("lone \ud800", r"lone \ud800"),
        ("private \ue000, tag \U000e0041", r"private \ue000, tag \U000e0041"),
        ("filler \u3164, joiner \u034f, \u2800", r"filler \u3164, joiner \u034f, \u2800"),
        ("heart \u2764\ufe0f", "heart \u2764\\ufe0f"),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_is_an_escape(text: str, expected: str) -> None:
    """Every character that a rule may have compared can be seen."""
    assert escaped(text) == expected


@given(ANY_TEXT)
def test_escaped_text_is_one_visible_line(text: str) -> None:
    """No text controls a terminal, breaks a line or fails to be encoded; escaping ends at once."""
    shown = escaped(text)
    assert shown.isprintable()
    assert escaped(shown) == shown
    shown.encode("utf-8")


@given(st.text(st.characters(max_codepoint=0xFFFF, codec=None)))
def test_escaping_json_keeps_its_meaning(text: str) -> None:
    """A line of JSON may be escaped once more: DEL, which JSON may hold, gets JSON's own escape."""
    assert json.loads(escaped(json.dumps(text))) == text
    assert json.loads(escaped(json.dumps(text, ensure_ascii=False))) == text
