"""The text of HTML is what a reader sees, and no HTML takes long."""

import time

import pytest

from bouncer.mail.html_text import html_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Kind re<b>gards</b><br>Eve</p>", " Kind regards Eve "),
        ("<div>a</div>b", " a b"),
        ("v<x-y>ia</x-y>gr<o:p></o:p>a", "viagra"),
        ("<style>p { a > b }</style>a<script>1</script>b<title>c</title>d", "  a  b  d"),
        ("<styles>a</styles>b", "ab"),
        ("<textarea><!--</textarea>a<!-- b -->", " <!--  a"),
        ("<svg><style></svg>a</style><!-- b -->", " a "),
        ("<svg><title></svg>a", " a"),
        ("&lt;b&gt; &amp;lt; &copy", "<b> &lt; ©"),
        ("<?xml version='1.0'?><!DOCTYPE html>a</>b</3>c", "abc"),
    ],
)
def test_readers_see_no_markup(html: str, text: str) -> None:
    """Blocks part words, other tags do not; the end of an element ends what it hides."""
    assert html_text(html) == text


@pytest.mark.threat
@pytest.mark.parametrize(
    "html",
    [
        *("<!-->a", "<!--->a", "<!-- b -->a", "<!-- b --!>a", "<!--[if mso]>a<![endif]-->"),
        *('<p title="b>b">a', "<p title='b>b' c=\">\">a", '<i b">a<i b">', '<i =">a<i =">'),
        *('<i b=c">a<i b=c">', "<![CDATA[a]]>"),
    ],
)
def test_no_markup_hides_text(html: str) -> None:
    """Comments and tags end where browsers see it so."""
    assert html_text(html).strip(" ]>") == "a"


@pytest.mark.parametrize("html", ["a < 100 and > 5", "<", "</", "a<b", "x <!-- a", "<3 <\u00e9>"])
def test_what_is_not_markup_is_text(html: str) -> None:
    """So is what is never closed."""
    assert html_text(html) == html


def test_long_numbers_are_characters() -> None:
    """Python refuses to read a number of more than 4300 digits; zeros before one do not count."""
    assert html_text("&#" + "1" * 5_000 + ";a") == "\ufffda"
    assert html_text("&#x" + "f" * 5_000 + " a") == "\ufffd a"
    assert html_text("&#" + "0" * 5_000 + "97; &#X00061;") == "a a"


UNITS = (
    *("<", "<a", "</", "<!", "<?", "<!--", "<!--[if", "<style", "<style>", "</style", "<title>"),
    *('<a b="', "<a b='", "<a =", "<a b", "=", '"', "'", "/", "-", "--", "!", ">", " ", "a"),
    *("&", "&#", "&#1", "&#0", "&#x", "&#x0", "&a", "&notin", "<svg>", "<b>", "<p>"),
)


@pytest.mark.threat
@pytest.mark.parametrize("before", ["", "<", "<a ", "<a b=", "<!--", "<style>", "&#", "&#x", "&"])
def test_no_html_takes_long(before: str) -> None:
    """Repetitions of each piece of markup; time that grows with their square would be seconds."""
    for unit in UNITS:
        html = before + unit * (50_000 // len(unit))
        started = time.process_time()
        html_text(html)
        assert time.process_time() - started < 0.5, unit
