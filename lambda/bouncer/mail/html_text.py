"""Returns the text in HTML roughly as a reader sees it, without tags, comments and styles.

Tags and comments begin and end where browsers see it so (HTML Living Standard, section 13.2.5).
What is never closed is text, so that nothing behind it is hidden.
"""

import re
from html import unescape

_BLANK = r"\t\n\f\r "
# A quote is one only behind an equals sign.
_ATTRIBUTES = rf"""(?:
    [{_BLANK}/]++
  | [^{_BLANK}/>][^{_BLANK}/>=]*+
    (?:[{_BLANK}]*+=[{_BLANK}]*+(?:"[^"]*+"?+|'[^']*+'?+|[^{_BLANK}>"'][^{_BLANK}>]*+)?+)?+
)*+"""
# Each alternative finds its end or that of the text, so that no text is looked at twice. Outlook
# shows what stands between conditional comments, such as <!--[if mso]>, so these are tags.
_TAG = rf"""
    <!--(?!\[if\b)(?:-?>|.*?(?:--!?>|\Z))
  | <!\[CDATA\[
  | <(?:[!?]|/(?![a-z]))[^>]*+(?:>|\Z)
  | </?(?P<name>[a-z][^{_BLANK}/>]*+){_ATTRIBUTES}(?:>|\Z)
"""
# Elements in which nothing is a tag, but in an SVG or a formula.
_RAW = "style|script|title|textarea|xmp|iframe|noembed|noframes|plaintext"
_ELEMENT = rf"""
    <(?P<raw>{_RAW})(?=[{_BLANK}/>]){_ATTRIBUTES}>
    (?P<inside>.*?)(?:(?=(?P<end></)(?P=raw)[{_BLANK}/>])|\Z)
"""
_FLAGS = re.VERBOSE | re.DOTALL | re.IGNORECASE
_TAGS = re.compile(f"{_TAG} | (?P<raw>(?P<inside>(?P<end>(?!))))", _FLAGS)
_MARKUP = re.compile(f"{_ELEMENT} | {_TAG}", _FLAGS)
_FOREIGN = re.compile(r"<(?:svg|math)\b", re.IGNORECASE)
_HIDDEN = {"style", "script", "title"}
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "br", "caption", "center", "col", "dd"),
    *("dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "legend", "li", "main"),
    *("menu", "nav", "ol", "optgroup", "option", "p", "pre", "section", "select", "style"),
    *("script", "summary", "table", "tbody", "td", "textarea", "tfoot", "th", "thead", "title"),
    *("tr", "ul", "xmp"),
}
# Python turns no number of thousands of digits into a character (CVE-2020-10735).
_LEADING_ZEROS = re.compile(r"(&#)0+(?=[0-9])|(&#x)0+(?=[0-9a-f])", re.IGNORECASE)
_BEYOND_UNICODE = re.compile(r"&#(?:[0-9]{8,}|x[0-9a-f]{8,});?", re.IGNORECASE)


def html_text(html: str) -> str:
    """Return the text of HTML; words that a tag parts are one, unless it is that of a block."""
    markup = _TAGS if _FOREIGN.search(html) else _MARKUP
    return _unescaped(markup.sub(_text, html))


def _text(markup: re.Match[str]) -> str:
    """Return what a reader sees of a tag, a comment or a raw element."""
    name = (markup["raw"] or markup["name"] or "").lower()
    blank = " " if name in _BLOCKS else ""
    if markup["raw"]:
        return blank if markup["end"] and name in _HIDDEN else f"{blank}{markup['inside']}{blank}"
    return blank if markup[0].endswith((">", "<![CDATA[")) else markup[0]


def _unescaped(text: str) -> str:
    """Return a text with the characters that its references, such as `&amp;`, stand for."""
    if "&#" in text:
        text = _BEYOND_UNICODE.sub("\ufffd", _LEADING_ZEROS.sub(r"\1\2", text))
    return unescape(text)
