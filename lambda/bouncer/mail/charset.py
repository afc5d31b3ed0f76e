"""Decodes bytes by the charset that a mail names, as mail programs and browsers do.

A label stands for the superset that its writers use: gb2312 is read as GB 18030, iso-8859-1 as
Windows-1252 (WHATWG Encoding Standard, "Names and labels"). The table is our own, so that a
decision does not change with Python's table of aliases. Bytes without a known charset are UTF-8,
else Windows-1252. Every text is decoded; what a charset does not have becomes U+FFFD.
"""

import codecs
import re
from functools import cache

_UTF_8 = ("utf-8", "utf8")
_FALLBACK = "cp1252"
_NOT_IN_LABEL = re.compile(r"[^a-z0-9]+")  # signs do not tell labels apart: iso_8859-1, iso8859-1

_GBK = "gb18030"
_EURO_IN_GBK = "bouncer.gbk"
_EUC_JP = "euc_jp"
_ISO_2022_JP = "iso2022_jp"
_BIG5 = "big5hkscs"
_ASCII = "ascii"

# Python's codec, and the labels that mean it. The upper part is the WHATWG's, the lower one has
# what else is seen in mail.
_LABELS = {
    "utf_8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8 cp65001",
    "cp866": "866 cp866 csibm866 ibm866",
    "iso8859_2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso_8859-2:1987 l2 latin2",
    "iso8859_3": "csisolatin3 iso-8859-3 iso-ir-109 iso_8859-3:1988 l3 latin3",
    "iso8859_4": "csisolatin4 iso-8859-4 iso-ir-110 iso_8859-4:1988 l4 latin4",
    "iso8859_5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso_8859-5:1988",
    "iso8859_6": "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6"
    " iso-8859-6-e iso-8859-6-i iso-ir-127 iso_8859-6:1987",
    "iso8859_7": "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126"
    " iso_8859-7:1987 sun_eu_greek",
    "iso8859_8": "csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138"
    " iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical",
    "iso8859_10": "csisolatin6 iso-8859-10 iso-ir-157 l6 latin6",
    "iso8859_13": "iso-8859-13",
    "iso8859_14": "iso-8859-14",
    "iso8859_15": "csisolatin9 iso-8859-15 l9",
    "iso8859_16": "iso-8859-16",
    "koi8_r": "cskoi8r koi koi8 koi8-r",
    "koi8_u": "koi8-ru koi8-u",
    "mac_roman": "csmacintosh mac macintosh x-mac-roman",
    "cp874": "dos-874 iso-8859-11 tis-620 windows-874 cp874 x-windows-874",
    "cp1250": "cp1250 windows-1250 x-cp1250",
    "cp1251": "cp1251 windows-1251 x-cp1251",
    "cp1252": "cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso_8859-1:1987 l1 latin1"
    " windows-1252 x-cp1252",
    _ASCII: "ansi_x3.4-1968 ascii us-ascii iso-ir-6 iso646-us",
    "cp1253": "cp1253 windows-1253 x-cp1253",
    "cp1254": "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso_8859-9:1989 l5 latin5 windows-1254"
    " x-cp1254",
    "cp1255": "cp1255 windows-1255 x-cp1255",
    "cp1256": "cp1256 windows-1256 x-cp1256",
    "cp1257": "cp1257 windows-1257 x-cp1257",
    "cp1258": "cp1258 windows-1258 x-cp1258",
    "mac_cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    _GBK: "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk gb18030"
    " cp936 ms936 windows-936 euc-cn x-euc-cn eucgb2312-cn",
    _BIG5: "big5 big5-hkscs cn-big5 csbig5 x-x-big5 cp950 ms950 windows-950 x-big5 big5-eten"
    " big5-tw",
    _EUC_JP: "cseucpkdfmtjapanese euc-jp x-euc-jp eucjp-ms cp51932",
    _ISO_2022_JP: "csiso2022jp iso-2022-jp iso-2022-jp-ms cp50220 cp50221 cp50222",
    "cp932": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis cp932"
    " x-ms-cp932 windows-932 cswindows31j",
    "cp949": "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601"
    " ksc_5601 windows-949 cp949 uhc ms949 x-windows-949",
    "utf_16_be": "unicodefffe utf-16be",
    "utf_16": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
    # Not the WHATWG's:
    "utf_7": "utf-7 unicode-1-1-utf-7 x-unicode-2-0-utf-7",
    "iso2022_kr": "csiso2022kr iso-2022-kr",
    "iso2022_jp_2": "csiso2022jp2 iso-2022-jp-1 iso-2022-jp-2",
    "iso2022_jp_2004": "iso-2022-jp-3 iso-2022-jp-2004",
    "shift_jis_2004": "shift_jis-2004 shift_jisx0213",
    "euc_jis_2004": "euc-jis-2004 euc-jisx0213",
    "hz": "hz hz-gb-2312",
    "johab": "johab cp1361 ms1361",
    "cp437": "437 cp437 ibm437 cspc8codepage437",
    "cp737": "cp737",
    "cp775": "cp775 ibm775",
    "cp850": "850 cp850 ibm850 cspc850multilingual",
    "cp852": "852 cp852 ibm852",
    "cp855": "855 cp855 ibm855",
    "cp857": "857 cp857 ibm857",
    "cp858": "858 cp858 ibm858 cp00858 ibm00858",
    "cp862": "862 cp862 ibm862 dos-862",
    "cp864": "cp864 ibm864",
    "cp865": "865 cp865 ibm865",
    "mac_greek": "x-mac-greek macgreek",
    "mac_latin2": "x-mac-ce x-mac-centraleurroman maccentraleurope",
    "mac_turkish": "x-mac-turkish macturkish",
    "ptcp154": "ptcp154 cp154 pt154",
    "koi8_t": "koi8-t",
    "kz1048": "kz-1048 rk1048 strk1048-2002",
    "hp_roman8": "hp-roman8 roman8 r8",
}

_JIS_SHIFTS = re.compile(rb"\x1b(\$[@B]|\([BIJ]|\$\(D)")
_EUC_UNITS = re.compile(rb"(\x8f[\xa1-\xfe]{2})|((?:[\xa1-\xfe]{2})+)|(?:\x8e([\xa1-\xdf]))")


def decode(data: bytes, label: str) -> str:
    """Return the text that `data` is in the charset `label`; an unknown one is guessed."""
    if label.lower() in _UTF_8:
        return data.decode("utf-8", "replace")
    codec = _codecs().get(_NOT_IN_LABEL.sub("", label.lower()))
    match codec:
        case None | "ascii":
            return guess(data)
        case "gb18030":
            return data.decode(_GBK, _EURO_IN_GBK)
        case "big5hkscs":
            return _big5(data)
        case "euc_jp":
            return _euc_jp(data)
        case "iso2022_jp":
            return _iso_2022_jp(data)
        case _:
            return data.decode(codec, "replace")


def guess(data: bytes) -> str:
    """Return the text in bytes without a charset: UTF-8 if they are that, else Windows-1252."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(_FALLBACK, "replace")


@cache
def _codecs() -> dict[str, str]:
    """Return the codec for each label without its signs; made when a mail first needs it."""
    codecs.register_error(_EURO_IN_GBK, _euro_in_gbk)
    return {
        _NOT_IN_LABEL.sub("", label): codec
        for codec, labels in _LABELS.items()
        for label in labels.split()
    }


def _euro_in_gbk(error: UnicodeError) -> tuple[str, int]:
    """Read the byte 80, which GB 18030 does not have, as the euro sign that GBK has there."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return ("\u20ac" if error.object[error.start] == 0x80 else "\ufffd"), error.end  # noqa: PLR2004


def _big5(data: bytes) -> str:
    try:
        return data.decode("cp950")
    except UnicodeDecodeError:
        return data.decode(_BIG5, "replace")


def _shifted(pairs: bytes) -> bytes:
    """Return JIS X 0208 pairs (21 to 7E) as Shift_JIS, whose Windows table has all of them."""
    shifted = bytearray()
    for row, cell in zip(pairs[::2], pairs[1::2], strict=False):
        lead = ((row - 0x21) >> 1) + 0x81
        trail = cell + (0x1F + (cell > 0x5F) if row & 1 else 0x7E)  # noqa: PLR2004
        shifted += bytes((lead + 0x40 if lead > 0x9F else lead, trail))  # noqa: PLR2004
    return bytes(shifted)


def _jis(pairs: bytes) -> str:
    """Return the text of JIS X 0208 pairs; a byte outside the table is replaced."""
    if len(pairs) % 2 or pairs.translate(None, bytes(range(0x21, 0x7F))):
        return "".join(
            _shifted(pair).decode("cp932", "replace") if _is_jis(pair) else "\ufffd"
            for pair in (pairs[start : start + 2] for start in range(0, len(pairs), 2))
        )
    return _shifted(pairs).decode("cp932", "replace")


def _is_jis(pair: bytes) -> bool:
    return len(pair) == 2 and all(0x21 <= byte <= 0x7E for byte in pair)  # noqa: PLR2004


def _seven_bits(data: bytes) -> bytes:
    return bytes(byte & 0x7F for byte in data)


def _eight_bits(data: bytes) -> bytes:
    return bytes(byte | 0x80 for byte in data)


def _euc_jp(data: bytes) -> str:
    """Decode EUC-JP with the extensions of Windows, which Python's codec lacks."""
    text, end = [], 0
    for unit in _EUC_UNITS.finditer(data):
        text.append(data[end : unit.start()].decode("ascii", "replace"))
        third, pairs, katakana = unit.groups()
        if third:
            text.append(third.decode(_EUC_JP, "replace"))
        else:
            text.append(_jis(_seven_bits(pairs)) if pairs else katakana.decode("cp932"))
        end = unit.end()
    text.append(data[end:].decode("ascii", "replace"))
    return "".join(text)


def _iso_2022_jp(data: bytes) -> str:
    """Decode ISO-2022-JP with the extensions of Windows, which Python's codec lacks."""
    first, *rest = _JIS_SHIFTS.split(data)
    text = [guess(first)]
    for shift, part in zip(rest[::2], rest[1::2], strict=True):
        match shift:
            case b"$@" | b"$B":
                text.append(_jis(part))
            case b"(I":
                text.append(_eight_bits(part).decode("cp932", "replace"))
            case b"$(D":
                pairs = (part[start : start + 2] for start in range(0, len(part), 2))
                third = b"".join(b"\x8f" + _eight_bits(pair) for pair in pairs)
                text.append(third.decode(_EUC_JP, "replace"))
            case _:
                text.append(part.decode("ascii", "replace"))
    return "".join(text)
