"""Strangers hide names, attachments and texts: each is found, or the content is not whole."""

import base64
import time
from dataclasses import replace
from typing import Any

import pytest

from bouncer.mail.content import Content
from bouncer.mail.field_values import AtLeast, Values
from bouncer.mail.mime_structure import MOST_PARTS
from tests import oracle
from tests.unit.ruleset_mails import compiled
from tests.unit.ses_events import read
from tests.unit.test_content import multipart, of


def of_part(headers: bytes, body: bytes = b"MZ", *, subtype: bytes = b"mixed") -> Content:
    return Content(multipart(b"%b\r\n\r\n%b" % (headers, body), subtype=subtype))


@pytest.mark.threat
@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Type: a/b; name=evil.exe\r\nContent-Disposition: attachment; filename=a.txt",
        b"Content-Disposition: attachment; filename=a.txt; filename*=utf-8''evil.exe",
        b"Content-Disposition: attachment; filename=evil.exe; filename*=utf-8''a.txt",
        b"Content-Disposition: attachment; filename=a.txt; filename=evil.exe",
        b"Content-Disposition: filename=evil.exe",
        b"Content-Disposition: attachment filename=evil.exe",
        b"Content-Type: text/plain name=evil.exe",
        b"Content-Disposition: inline\r\nContent-Disposition: attachment; filename=evil.exe",
        b"Content-Disposition: attachment; filename*00=evil; filename*01=.exe",
        b"Content-Disposition: attachment; filename*1=.exe; filename*0=evil",
        b'Content-Disposition: attachment; filename*0="=?utf-8?q?evil=2E?="; filename*1=exe',
        b'Content-Disposition: attachment; filename="evil.exe" .txt',
        b"Content-Disposition: attachment; filename=evil.exe .txt",
        b"Content-Disposition: attachment; filename=evil.exe(c)",
        b"Content-Disposition: attachment; filename='evil.exe'",
        b'Content-Disposition: attachment; filename="evil.exe. "',
        b"Content-Disposition: attachment (c); filename=evil.exe",
        b'Content-Disposition: attachment; x="' + b"a" * 8_000 + b'"; filename=evil.exe',
        b"Content-Disposition: attachment;" + b" x=y;" * 2_000 + b" filename=evil.exe",
        b"Content-Type: application/x;" + b" " * 8_000 + b"; name=evil.exe",
        b"Content-Disposition: attachment; filename*0="
        + b"".join(b"evil.exe"[n : n + 1] + b"; filename*%d=" % (n + 1) for n in range(8)),
    ],
)
def test_no_header_hides_a_name(headers: bytes) -> None:
    """Each name that a mail program may show is found, and others beside it do not matter."""
    found = of_part(headers).of("attachment_name")
    assert "evil.exe" in found.values
    assert found.whole


@pytest.mark.threat
@pytest.mark.parametrize(
    "headers",
    [
        b'Content-Disposition: attachment; x="a; filename=evil.exe',
        b'Content-Disposition: attachment; x=\\"; filename=evil.exe; y="',
        b'Content-Disposition: attachment; x="\\\\"; y="; filename=evil.exe"',
        b'Content-Disposition: attachment; filename="evil.exe\0.txt"',
        b"Content-Disposition: attachment; filename*1=evil.exe",
        b"Content-Disposition: attachment; filename*0=evil.exe; filename*2=.txt",
        b"Content-Disposition: attachment; filename*0=evil.exe; filename*0=.txt",
        b"Content-Disposition: attachment; filename*0=a'b'evil; filename*1*=.exe",
        b"Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=c",
        b"Content-Type: multipart/mixed; boundary=c; boundary=d",
        b"Content-Type: \0multipart/mixed; boundary=c",
        b"Content-Type: multipart; boundary=c",
        b"Content-Type: ; boundary=c",
        b"Content-Type: multipart/mixed; boundary=c\r\nContent-Transfer-Encoding: base64",
        b"Content-Type: text/plain\r\nstray\r\nContent-Disposition: attachment; filename=evil.exe",
        b"Content-Type: a/b; x=" + b"y" * 20_000 + b"; name=evil.exe",
    ],
)
def test_a_header_that_programs_read_differently_is_not_whole(headers: bytes) -> None:
    """Then there may be other names, and whatever is known so far satisfies a rule all the same."""
    content = of_part(headers, b"--x\r\nContent-Disposition: attachment\r\n\r\nMZ")
    assert not content.of("attachment_name").whole
    assert content.bounds


@pytest.mark.parametrize(
    "kind",
    [
        *(b"multipart / mixed; boundary=c", b"multipart/mixed (c); boundary=c"),
        *(b"\x01multipart/mixed; boundary=c", b'"multipart/mixed"; boundary=c'),
        *(b"multipart/mixed boundary=c", b"MULTIPART/MIXED; BOUNDARY=c"),
        *(b"multipart/mixed; boundary*=us-ascii''c", b'multipart/mixed; boundary*0="c"'),
    ],
)  # fmt: skip
def test_no_spelling_of_a_type_hides_parts(kind: bytes) -> None:
    """Blanks, comments, controls and quotes do not make another type."""
    inner = b"--c\r\nContent-Disposition: attachment; filename=evil.exe\r\n\r\nMZ\r\n--c--"
    found = of_part(b"Content-Type: " + kind, inner).of("attachment_name")
    assert found == (("evil.exe",), True)


@pytest.mark.threat
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Type: image/png; name=evil.exe", b"\x89PNG\r\n"),
        (b"Content-Type: image/png; name=a.png; name=evil.exe", b"\x89PNG\r\n"),
        (b"Content-Type: image/png; name=a.png", b"MZ"),
        (b"Content-Type: image/png", b"MZ"),
        (b"Content-Type: image/svg+xml", b"<svg onload=x>"),
    ],
)
def test_a_picture_in_a_text_begins_as_one_and_is_named_so(headers: bytes, body: bytes) -> None:
    """Anything else that is called a picture is an attachment, as is a picture beside a text."""
    content = of_part(headers + b"\r\nContent-ID: <a>", body, subtype=b"related")
    assert content.of("attachments") == ((1,), True)
    headers = b"Content-Type: image/webp\r\nContent-ID: <a>"
    picture = of_part(headers, b"RIFF\1\1\1\1WEBP", subtype=b"related")
    assert picture.of("attachments") == ((0,), True)


def test_a_signature_or_a_report_is_not_a_program() -> None:
    """Such a part is an attachment if it begins as something else, or is named so."""
    signature = b"Content-Type: application/pgp-signature"
    assert of_part(signature, subtype=b"signed").of("attachments") == ((1,), True)
    named = of_part(signature + b"; name=evil.exe", b"-----BEGIN", subtype=b"signed")
    assert named.of("attachment_name") == (("evil.exe",), True)
    report = of_part(b"Content-Type: message/delivery-status; name=evil.exe", subtype=b"report")
    assert report.of("attachment_name") == (("evil.exe",), True)
    assert of_part(b"Content-Type: message/global").of("attachments") == ((1,), True)
    assert of_part(b"Content-Type: message/x").of("attachments") == ((1,), True)


@pytest.mark.parametrize(
    "encoding", [b"base64 (x)", b'"base64"', b"base64.", b"BASE64;x=y", b" base64"]
)
def test_encodings_are_read_in_every_spelling(encoding: bytes) -> None:
    """Comments, quotes and dots do not make another encoding."""
    content = of_part(b"Content-Type: a/b\r\nContent-Transfer-Encoding: " + encoding, b"TVqQ")
    assert content.of("attachment_size") == ((3,), True)
    for plain in (b"8bit", b"7-bit", b"8bits", b"binary", b""):
        text = of_part(b"Content-Transfer-Encoding: " + plain, b"a")
        assert text.of("body") == (("a",), True)


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Transfer-Encoding: x-uuencode",
        b"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit",
    ],
)
def test_what_an_unknown_encoding_hides_is_not_known(headers: bytes) -> None:
    """Neither the size nor the type by content nor the names in it; its own name is."""
    content = of_part(b"Content-Type: a/b; name=a.zip\r\n" + headers)
    assert content.of("attachment_size") == ((), False)
    assert content.of("attachment_type") == (("a/b",), False)
    assert content.of("attachment_name") == (("a.zip",), False)
    assert content.of("attachments") == ((1,), True)
    assert content.bounds == ("encoding",)
    assert not of_part(headers).of("body").whole


@pytest.mark.parametrize(
    ("encoded", "text", "whole"),
    [
        (b"R3LDvMOfZQ==\r\n_____\r\nA footer of a list", "Gr\u00fc\u00dfe", False),
        (b"R3LDvMOfZQ==\r\n--\r\n", "Gr\u00fc\u00dfe", True),
        (b"=R=3LDv=MOfZQ==", "Gr\u00fc\u00dfe", True),
        (b"R3LDvMOfZQ=\r\n=", "Gr\u00fc\u00dfe", True),
        (b"YWJj" * 30_000 + b"YQ==" + b"!" * 100_000 + b"YWJj", "abc" * 30_000 + "a", False),
        (b"=" * 200 + b"YWJj", "", False),
    ],
)  # fmt: skip
def test_base64_ends_at_its_padding(encoded: bytes, text: str, whole: bool) -> None:
    """Some programs decode what is behind it, so there is more than is known."""
    found = of_part(b"Content-Transfer-Encoding: base64", encoded).of("body")
    assert found == ((text,), whole)


def test_base64_of_equals_signs_takes_little_time() -> None:
    """Each of them is looked at once at most."""
    raw = multipart(b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * 4_000_000)
    started = time.process_time()
    Content(raw).of("body")
    assert time.process_time() - started < 1


def test_a_text_with_a_name_is_read() -> None:
    """It is shown beneath the others, so it is a text and an attachment."""
    named = b"Content-Type: text/html; name=x"
    for headers in (named, named + b"\r\nContent-Disposition: inline"):
        content = Content(headers + b"\r\n\r\nviagra")
        assert content.of("body") == (("viagra",), True)
        assert content.of("attachments") == ((1,), True)
    attached = of_part(b"Content-Type: text/plain\r\nContent-Disposition: attachment", b"viagra")
    assert attached.of("body") == ((), True)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Content-Type: text/plain\r\nviagra now\r\n\r\nrest", "viagra now\r\n\r\nrest"),
        (b"Content-Type: text/plain\r\nviagra\r\nX: y\r\n\r\na", "viagra\r\nX: y\r\n\r\na"),
        (b"Content-Type: text/plain\r\nviagra now", "viagra now"),
        (b"Content-Type: text/plain\r\n x\r\n\r\nrest", "rest"),
        (b"viagra now\r\n\r\nrest", "viagra now\r\n\r\nrest"),
    ],
)  # fmt: skip
def test_text_without_an_empty_line_before_it_is_text(raw: bytes, text: str) -> None:
    """The first line that can't be of a header begins the body, as in the standard library."""
    assert of(multipart(raw), "body") == (text,)


def test_a_line_of_an_mbox_at_the_top_ends_no_headers() -> None:
    """Some programs leave one above the headers, with a sign before it."""
    raw = b">From a@b.example Mon Nov  2 08:14:21 2026\nContent-Type: text/html\n\n<b>a"
    assert of(raw, "body") == ("a",)


def test_parts_beyond_the_bound_leave_a_lower_bound() -> None:
    """The multipart itself does not count as one of them."""
    part = b"Content-Disposition: attachment\r\n\r\nx"
    assert Content(multipart(*[part] * MOST_PARTS)).of("attachments") == ((MOST_PARTS,), True)
    values, whole = Content(multipart(*[part] * (MOST_PARTS + 1))).of("attachments")
    assert (values, whole) == ((MOST_PARTS,), False)
    assert isinstance(values[0], AtLeast)


@pytest.mark.parametrize(
    ("bounds", "answer"),
    [
        ({"over": 20}, True),
        ({"over": 2 * MOST_PARTS}, None),
        ({"under": 2 * MOST_PARTS}, None),
        ({"over": 20, "under": 2 * MOST_PARTS}, None),
        (MOST_PARTS, None),
    ],
)
def test_a_lower_bound_satisfies_over_alone(bounds: Any, answer: bool | None) -> None:
    """Any other question about the number of attachments is unknown; engine and oracle agree."""
    part = b"Content-Disposition: attachment\r\n\r\nx"
    content = Content(multipart(*[part] * (MOST_PARTS + 1)))
    message = replace(read(), content=content)
    documents = {"a": {"when": {"attachments": bounds}, "drop": {}}}
    decision = compiled(documents).decide(message, "ann@example.com")
    decided, _, unknown = oracle.decide(documents, message, "ann@example.com")
    assert bool(decision.rule) == bool(decided) == (answer is True)
    assert [rule.name for rule in decision.unknown] == unknown == (["a"] if answer is None else [])


def test_what_only_some_programs_take_for_a_boundary_is_not_whole() -> None:
    """One behind the last, as that may not be the last, and one behind a lone carriage return."""
    hidden = b"Content-Disposition: attachment; filename=a.exe\r\n\r\nMZ"
    epilogue = multipart(b"\r\na") + b"--b\r\n" + hidden
    double = multipart(b"\r\na").replace(b"--b\r\n", b"--b\r\n--b--\r\n") + hidden
    lone = multipart(b"\r\na\r--b\r" + hidden)
    ended = multipart(b"\r\na\r\n--b\r" + hidden)
    for raw in (epilogue, double, lone, ended):
        assert not Content(raw).of("attachment_name").whole
    assert Content(multipart(b"\r\na") + b"--bb\r\n").bounds == ()


@pytest.mark.parametrize("inner", [b"", b"\r\n \r\n", b"--c--", b"preamble\r\n--c--\r\n"])
def test_an_empty_multipart_has_no_parts(inner: bytes) -> None:
    """It hides nothing; text in it that is not a part does."""
    headers = b"Content-Type: multipart/mixed; boundary=c"
    assert of_part(headers, inner).of("attachments") == ((0,), True)
    assert of_part(headers, b"text").bounds == ()
    assert not of_part(headers, b"text").of("attachments").whole


def test_an_error_of_ours_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops no mail, and the content says that there was one."""
    content = of_part(b"Content-Type: text/html")

    def raising(*_: Any) -> None:
        raise RecursionError

    monkeypatch.setattr("bouncer.mail.content.html_text", raising)
    assert content.of("body") == Values((), whole=False)
    assert content.bounds == ("error",)


def test_base64_in_the_corpus_form() -> None:
    """A whole attachment of several lines, as everybody sends it."""
    data = bytes(range(256)) * 300
    content = of_part(
        b"Content-Type: a/b\r\nContent-Transfer-Encoding: base64", base64.encodebytes(data)
    )
    assert content.of("attachment_size") == ((len(data),), True)
