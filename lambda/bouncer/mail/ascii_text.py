"""Puts text into ASCII as its readers would: `Größe` is `Groesse`, `café` is `cafe`.

The umlauts ä, ö and ü follow German in every language; docs/decisions/0015 has the reasons.
"""

import re
import unicodedata

# Letters that do not decompose, or not into their ASCII form.
_LETTERS = "ä=ae ö=oe ü=ue ß=ss æ=ae œ=oe þ=th ŋ=ng ø=o ł=l đ=d ð=d ħ=h ŧ=t ı=i ĸ=k"  # noqa: RUF001  # the dotless i
_CAPITALS = "Ä=Ae Ö=Oe Ü=Ue ẞ=SS Æ=AE Œ=OE Þ=Th Ŋ=Ng Ø=O Ł=L Đ=D Ð=D Ħ=H Ŧ=T"
_SIGNS = "¡=! ¿=? ·=. ×=x ÷=/ ±=+/- µ=u €=EUR £=GBP ©=(c) ®=(R)"  # noqa: RUF001  # the times sign
_MARKS = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2039\u203a\u2032\u02bc", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u2e3a\u2e3b", "-"),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),  # a soft hyphen, no width
    **dict.fromkeys("\u2022\u2023\u25aa\u25cf\u25e6", "*"),
    **dict.fromkeys("\u2028\u2029", " "),
    "°": " deg",
    "\u2044": "/",  # within a fraction such as ½, once that is decomposed
}
_FORMS = dict(pair.split("=", 1) for pair in f"{_LETTERS} {_CAPITALS} {_SIGNS}".split())
_TABLE = str.maketrans(_FORMS | _MARKS)
# Compiled when they are first needed: most mails have no bounce.
_CASED = "[ÄÖÜÞŊß]"  # their forms have two letters, in the case of the word
_WORD = r"[^\W\d_]{2,}"
_AFTER_A_DIGIT = "(?<=[0-9])(?=[¼½¾⅐-⅞↉])"


def ascii_text(text: str) -> str:
    """Return the text in ASCII: without accents, with `?` for what has no ASCII form."""
    if text.isascii():
        return text
    composed = re.sub(_WORD, _with_capitals, unicodedata.normalize("NFC", text))
    apart = re.sub(_AFTER_A_DIGIT, " ", composed)  # 2½ is 2 1/2, not 21/2
    plain = unicodedata.normalize("NFKD", apart.translate(_TABLE)).translate(_TABLE)
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return bare.encode("ascii", "replace").decode("ascii")


def _with_capitals(word: re.Match[str]) -> str:
    """Return a word in capitals with its umlauts in capitals: `AERZTE`, but `Aerzte`."""
    text = word[0]
    if not text.replace("ß", "").isupper():
        return text
    return re.sub(_CASED, lambda letter: letter[0].translate(_TABLE).upper(), text)
