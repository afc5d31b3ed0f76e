"""Bytes are decoded by the superset that their label means, the same on every Python."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.mail import charset
from bouncer.mail.charset import decode, guess
from bouncer.mail.mime import decode_words

LABELS = [label for labels in charset._LABELS.values() for label in labels.split()]  # noqa: SLF001


@pytest.mark.parametrize(
    ("label", "data", "text"),
    [
        ("gb2312", "朱镕基".encode("gbk"), "朱镕基"),
        ("GB_2312-80", "㐀".encode("gb18030"), "㐀"),
        ("x-gbk", b"5 \x80 \xc4\xe3\xba\xc3", "5 € 你好"),
        ("ks_c_5601-1987", "똠방각하".encode("cp949"), "똠방각하"),
        ("euc-kr", "펲시".encode("cp949"), "펲시"),
        ("shift_jis", "㈱髙島屋".encode("cp932"), "㈱髙島屋"),
        ("x-sjis", "①".encode("cp932"), "①"),
        ("euc-jp", b"\xad\xa1\xc6\xfc\x8e\xb1 \xa1\xc1 \x8f\xb0\xa1", "①日ｱ \uff5e 丂"),
        ("iso-2022-jp", b"\x1b$B-!F|\x1b(B x \x1b(I1\x1b(B", "①日 x ｱ"),
        ("iso-2022-jp", b"\x1b$(D0!\x1b(J yen", "丂 yen"),
        ("big5", "碁銹".encode("cp950"), "碁銹"),
        ("big5", "嘅喺".encode("big5hkscs"), "嘅喺"),
        ("iso-8859-1", b"\x93Sale\x94 \x80 5 \x96 now", "“Sale” € 5 \u2013 now"),
        ("iso8859-1", b"caf\xe9", "café"),
        ("ISO_8859-1:1987", b"\x85", "…"),
        ("latin1", b"\xe9", "é"),
        ("iso-8859-9", b"\x93\xfe\x94", "“ş”"),
        ("windows-874", "สวัสดี".encode("cp874"), "สวัสดี"),
        ("iso-8859-11", b"\x80", "€"),
        ("iso-8859-8-i", "שלום".encode("iso8859-8"), "שלום"),
        ("logical", "שלום".encode("iso8859-8"), "שלום"),
        ("x-mac-roman", b"caf\x8e", "café"),
        ("koi8-ru", b"\xa6", "\u0456"),
        ("utf-7", b"+AOk-", "é"),
        ("cp850", b"\x82", "é"),
        (" utf8 ", "é".encode(), "é"),
        ('"iso-8859-15"', b"\xa4", "€"),
        ("utf-8", b"caf\xe9", "caf\ufffd"),
        ("us-ascii", "你好".encode(), "你好"),
        ("us-ascii", b"K\xe4se", "Käse"),
        ("unknown-8bit", "你好".encode(), "你好"),
        ("x-nobody-knows", b"\x93K\xe4se\x94", "“Käse”"),
        ("", b"plain", "plain"),
        ("zlib", b"plain", "plain"),
        ("rot13", b"plain", "plain"),
    ],
)
def test_labels_mean_their_superset(label: str, data: bytes, text: str) -> None:
    """A label is read as its writers mean it; without a known one the bytes are guessed."""
    assert decode(data, label) == text


@pytest.mark.parametrize("codec", charset._LABELS)  # noqa: SLF001
def test_every_codec_exists(codec: str) -> None:
    """Each row of the table names a codec of this Python."""
    assert codecs.lookup(codec)


@given(st.binary(max_size=60), st.sampled_from(LABELS) | st.text(max_size=12))
def test_any_bytes_are_decoded(data: bytes, label: str) -> None:
    """Any bytes in any charset yield a text."""
    assert isinstance(decode(data, label), str)


@given(st.lists(st.sampled_from([b"\x1b", b"$B", b"(B", b"\x8f", b"\xa1", b"\xfe", b"\x80", b"!"])))
def test_broken_shifts_are_decoded(parts: list[bytes]) -> None:
    """Half characters and shifts that lead nowhere are replaced."""
    for label in ("iso-2022-jp", "euc-jp", "gbk", "big5", "shift_jis"):
        assert isinstance(decode(b"".join(parts), label), str)


@pytest.mark.parametrize("codec", ["euc_jp", "iso2022_jp"])
def test_japanese_is_read_as_python_reads_it(codec: str) -> None:
    """All of JIS X 0208 is read as by Python's codec, but for six signs that Windows changed."""
    rows = range(0xA1, 0xF5)
    texts = [bytes((row, cell)).decode("euc_jp", "ignore") for row in rows for cell in rows]
    changed = {
        text: decode(text.encode(codec), codec.replace("_", "-").replace("iso", "iso-"))
        for text in filter(None, texts)
    }
    assert {text: read for text, read in changed.items() if read != text} == dict(
        zip("\u301c\u2016\u2212\xa2\xa3\xac", "\uff5e\u2225\uff0d\uffe0\uffe1\uffe2", strict=True)
    )


def test_raw_bytes_are_guessed() -> None:
    """Bytes without a label are UTF-8 if they can be, else Windows-1252."""
    assert guess("你好".encode()) == "你好"
    assert guess(b"\x93K\xe4se\x94") == "“Käse”"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?gb2312?B?1uzpRrv5?=", "朱镕基"),
        ("=?x-sjis?Q?=87=40?=", "①"),
        ("=?us-ascii?Q?K=C3=A4se?=", "Käse"),
        ("=?iso-8859-1*en?Q?=93a=94?=", "“a”"),
        ("=?iso-2022-jp?B?GyRCLSE=?= =?iso-2022-jp?B?RnwbKEI=?=", "①日"),
    ],
)
def test_encoded_words_are_read_by_their_label(value: str, text: str) -> None:
    """Encoded words in a header are decoded by the same table."""
    assert decode_words(value) == text
