"""The content of mails: as the standard library reads it, bounded, and unknown beyond a bound."""

import io
import time
import zipfile
from email import message_from_bytes
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer.mail.content import MOST_TEXT, Content
from bouncer.mail.mime_structure import DEEPEST, MOST_PARTS, mail_start, read_structure
from bouncer.rules.fields import COPIED

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
HEAD = b"From: a@b.example\r\nMIME-Version: 1.0\r\n"


def of(raw: bytes, field: str) -> tuple[Any, ...]:
    """The values of a field that is known as a whole."""
    found = Content(raw).of(field)
    assert found.whole
    return found.values


def multipart(*parts: bytes, subtype: bytes = b"mixed") -> bytes:
    """A mail with these parts, each with its headers."""
    body = b"".join(b"--b\r\n%b\r\n" % part for part in parts)
    return b"%bContent-Type: multipart/%b; boundary=b\r\n\r\n%b--b--\r\n" % (HEAD, subtype, body)


def archive(*names: str) -> bytes:
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as found:
        for name in names:
            found.writestr(name, "x")
    return packed.getvalue()


def test_a_mail_as_people_send_it() -> None:
    """Text, HTML with a picture, and a zip file whose declared type is wrong."""
    mail = EmailMessage()
    mail.set_content("Hello =3D\n")
    mail.add_alternative("<p>Caf\u00e9 <b>of</b>fer &amp; x</p><style>p {}</style>", subtype="html")
    html = mail.get_payload(1)
    assert isinstance(html, EmailMessage)
    html.add_related(
        b"\x89PNG\r\n", "image", "png", cid="<a>", filename="logo.png", disposition="inline"
    )
    mail.add_attachment(
        archive("docs/a.exe"),
        maintype="application",
        subtype="pdf",
        filename="r\u00e9sum\u00e9.pdf",
    )
    raw = bytes(mail)
    assert [" ".join(text.split()) for text in of(raw, "body")] == [
        "Hello =3D",
        "Caf\u00e9 offer & x",
    ]
    assert of(raw, "attachments") == (1,)
    assert of(raw, "attachment_name") == ("r\u00e9sum\u00e9.pdf", "docs/a.exe")
    assert of(raw, "attachment_type") == ("application/pdf", "application/zip")
    assert of(raw, "attachment_size") == (len(archive("docs/a.exe")),)
    assert of(raw, "size") == (len(raw),)


def test_the_line_of_an_mbox_is_not_part_of_the_mail() -> None:
    """Nor is a byte order mark; a mail without MIME is one text."""
    for before in (b"", b"From a@b.example Mon Nov  2 08:14:21 2026\n", b"\xef\xbb\xbf"):
        raw = before + b"Subject: x\n\nHello"
        assert of(raw, "size") == (17,)
        assert of(raw, "body") == ("Hello",)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (b'filename="a b.exe"', "a b.exe"),
        (b"filename=a.exe", "a.exe"),
        (b'filename="a\\"b;.exe"', 'a"b;.exe'),
        (b'filename="=?utf-8?q?r=C3=A9.exe?="', "r\u00e9.exe"),
        (b"filename*=UTF-8''r%C3%A9.exe", "r\u00e9.exe"),
        (b"filename*0=a; filename*1=.exe", "a.exe"),
        (b"filename*0*=utf-8'en'r%C3; filename*1*=%A9; filename*2=.exe", "r\u00e9.exe"),
        (b"filename = a.exe ; x", "a.exe"),
    ],
)
def test_file_names_are_read_in_every_form(written: bytes, name: str) -> None:
    """RFC 2183, 2231 and 2047, and what programs make of them."""
    raw = multipart(b"Content-Disposition: attachment; " + written + b"\r\n\r\nx")
    assert of(raw, "attachment_name") == (name,)


def test_reports_and_pictures_in_a_text_are_not_attachments() -> None:
    """An attached mail is one, whatever it has in itself."""
    picture = b"Content-Type: image/png; name=a.png\r\nContent-ID: <a>\r\n\r\n\x89PNG\r\n"
    assert of(multipart(picture, subtype=b"related"), "attachments") == (0,)
    assert of(multipart(picture), "attachments") == (1,)
    parts = [
        b"Content-Type: message/%b\r\n\r\nx" % kind for kind in (b"delivery-status", b"rfc822")
    ]
    assert of(multipart(*parts, subtype=b"report"), "attachments") == (0,)
    assert of(multipart(*parts), "attachments") == (2,)
    signature = b"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n-----BEGIN"
    assert of(multipart(signature, subtype=b"signed"), "attachments") == (0,)
    assert of(multipart(signature), "attachments") == (1,)
    mail = b"Content-Type: message/rfc822\r\n\r\n" + multipart(picture).replace(b"--b", b"--c")
    assert of(multipart(mail), "attachments") == (1,)
    assert of(multipart(b"\r\nSubject: x\r\n\r\ny", subtype=b"digest"), "attachments") == (1,)


def test_an_inner_part_ends_with_the_part_around_it() -> None:
    """A multipart that is never closed hides nothing behind it; nor does a line of blanks."""
    inner = b"Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nHello"
    hidden = b"Content-Disposition: attachment; filename=a.exe\r\n\r\nx"
    assert of(multipart(inner, hidden), "attachment_name") == ("a.exe",)
    blank = multipart(hidden, b"\r\nHello").replace(b"boundary=b\r\n\r\n", b"boundary=b\r\n \r\n")
    assert of(blank, "attachment_name") == ("a.exe",)


def test_boundaries_are_whole_lines() -> None:
    """One that begins like another is another; blanks behind it do not count."""
    raw = multipart(b"\r\none\r\n--bb\r\ntwo", b"\r\nthree").replace(
        b"--b\r\n\r\nthree", b"--b \t\r\n\r\nthree"
    )
    assert of(raw, "body") == ("one\r\n--bb\r\ntwo", "three")


BOUNDED = {
    "depth": b"".join(
        b"Content-Type: multipart/mixed; boundary=x%d\r\n\r\n--x%d\r\n" % (n, n)
        for n in range(DEEPEST + 1)
    ),
    "parts": multipart(*[b"\r\nx"] * (MOST_PARTS + 1)),
    "headers": multipart(b"X: " + b"y" * 20_000 + b"\r\n\r\nx"),
    "boundary": HEAD + b"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx",
    "text": HEAD + b"\r\n" + b"x" * (MOST_TEXT + 1),
    "archives": multipart(
        b"Content-Disposition: attachment\r\n\r\n" + archive(*(f"{n}.exe" for n in range(10_001)))
    ),
}


@pytest.mark.threat
@pytest.mark.parametrize("bound", BOUNDED)
def test_what_lies_beyond_a_bound_is_not_known(bound: str) -> None:
    """The content names the bound; the size of the mail is known all the same."""
    content = Content(BOUNDED[bound])
    found = {field: content.of(field) for field in COPIED}
    assert content.bounds == (bound,)
    assert found["size"] == ((len(BOUNDED[bound]),), True)
    unknown = {field for field, values in found.items() if not values.whole}
    all_but_size = COPIED - {"size"}
    assert unknown == {"text": {"body"}, "archives": {"attachment_name"}}.get(bound, all_but_size)


@pytest.mark.threat
@pytest.mark.parametrize(
    "raw",
    [
        multipart(*[b"\r\nx"] * 10_000),
        HEAD + b"\r\n" + b"a" * 4_000_000,
        multipart(b"Content-Type: text/html\r\n\r\n" + b"<" * 1_000_000),
        multipart(b"Content-Type: text/html\r\n\r\n" + b"<!--" * 250_000),
        multipart(b"Content-Type: text/html\r\n\r\n" + b"<style" * 150_000),
        multipart(b"Content-Type: text/html\r\n\r\n<" + b"a" * 1_000_000),
        multipart(b"Content-Type: text/html\r\n\r\n" + b"&#" + b"1" * 1_000_000),
        multipart(*[b'Content-Type: a/b; name="' + b'\\"' * 4_000 + b"\r\n\r\n"] * 900),
        multipart(*[b"Content-Type: a/b" + b';x="' * 3_000 + b"\r\n\r\n"] * 900),
        HEAD + b"Content-Type: multipart/mixed; boundary=-\r\n\r\n" + b"---x\n" * 1_000_000,
        multipart(b"Content-Disposition: attachment\r\n\r\nPK\x03\x04" + b"PK\x05\x06" * 500_000),
    ],
    ids=[
        "parts",
        "line",
        "tags",
        "comments",
        "styles",
        "tag",
        "number",
        "escapes",
        "quotes",
        "lines",
        "zip",
    ],
)
def test_hostile_mail_takes_little_time(raw: bytes) -> None:
    """`make bench` has the same with 40 MB."""
    started = time.process_time()
    content = Content(raw)
    for field in COPIED:
        content.of(field)
    assert time.process_time() - started < 1


@settings(max_examples=80)
@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    b"--b\r\n",
                    b"--b--\r\n",
                    b"--c\n",
                    b"\r\n",
                    b"\n",
                    b" \r\n",
                    b"x",
                    b"=",
                    b"=3",
                    b"\0",
                ),
                *(b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: text/html\n"),
                *(b"Content-Disposition: attachment; filename=", b'"', b"a.zip", b"PK\x03\x04"),
                *(b"PK\x05\x06", b"Content-Transfer-Encoding: base64\r\n", b"QUJD", b"<style>"),
            ]
        )
    ).map(b"".join)
    | st.binary(max_size=300)
)
def test_no_bytes_make_reading_fail(raw: bytes) -> None:
    """Each field has an answer, for any input."""
    content = Content(raw)
    assert all(isinstance(content.of(field).whole, bool) for field in COPIED)
    assert isinstance(content.bounds, tuple)


encodings = st.sampled_from(["base64", "quoted-printable", "8bit"])


@settings(max_examples=60)
@given(st.lists(st.tuples(st.binary(max_size=2_000), encodings), max_size=4))
def test_parts_are_those_of_the_standard_library(files: list[tuple[bytes, str]]) -> None:
    """Sizes and names of attachments in mails that it wrote itself."""
    mail = EmailMessage()
    mail.set_content("Hello")
    for number, (data, encoding) in enumerate(files):
        if encoding == "base64":
            plain = b"x" + data  # not the beginning of a zip file
            mail.add_attachment(plain, "application", "x-a", filename=f"{number}.bin", cte=encoding)
        else:
            text = "x" + data.decode("latin-1").replace("\r", "").replace("\0", "")
            mail.add_attachment(text, filename=f"{number}.txt", cte=encoding)
    raw = bytes(mail)
    attached = [part for part in message_from_bytes(raw).walk() if part.get_filename()]
    assert of(raw, "attachment_name") == tuple(part.get_filename() for part in attached)
    assert of(raw, "attachment_size") == tuple(map(size, attached))


def size(part: Message) -> int:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return len(payload)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real mails is not here")
def test_structures_of_real_mails_are_those_of_the_standard_library() -> None:
    """The types of all parts of hundreds of mails; six differ, and are as clients show them."""
    seen, other = 0, []
    for path in sorted(CORPUS.rglob("*.eml")):
        raw = path.read_bytes()
        structure = read_structure(raw)
        if not structure.bounds:
            seen += 1
            types = [part.header.media_type for part in structure.parts]
            if types != list(leaf_types(message_from_bytes(raw[mail_start(raw) :]))):
                other.append(path.name)
    assert seen > 400
    assert len(other) <= 6, other


def leaf_types(part: Message) -> Any:
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for each in part.get_payload():
            assert isinstance(each, Message)
            yield from leaf_types(each)
    else:
        yield part.get_content_type()
