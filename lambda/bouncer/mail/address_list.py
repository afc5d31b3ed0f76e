"""Finds the addresses in header values (RFC 5322 section 3.4), however badly they are written.

An address is found only where one is written: in angle brackets, or as a word of its own. Display
names, comments and names of groups are not addresses, whatever they repeat or claim. Time is linear
in the length of a value.
"""

import re
from collections.abc import Iterator

# Most values are one mailbox without anything odd; the rest is read token by token.
_PLAIN = re.compile(r"([A-Za-z0-9 .'_-]*<)?([A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)(?(1)>)")
_ENCODED_WORD = r"=\?[^?\s]++\?[bqBQ]\?[^?]*+\?="
# Groups are repeated within (?>...): Python before 3.11.5 is wrong about groups with *+ and ++ that
# fail behind their first character (gh-106052).
_QUOTED = r'"(?>(?:[^"\\]++|\\.)*)"'
_TOKEN = (
    rf"(?P<blank>\s++|{_ENCODED_WORD})"
    r'|(?P<text>(?>(?:[^\s"()<>,:;\[\]\\=]++|=(?!\?)|\[[^\]\[\\"<>(),;\s]*+\])+))'
    r'|<(?P<bracket>(?>(?:[^"<>]++|"(?>(?:[^"\\<>]++|\\[^<>])*)")*))>'
    r"|(?P<comment>\()|(?P<group>:)|(?P<end>[,;])"
)
_TOKENS = re.compile(rf"(?P<quoted>{_QUOTED})|{_TOKEN}|(?P<other>.)", re.DOTALL)
_TOKENS_WITHOUT_QUOTES = re.compile(rf"{_TOKEN}|(?P<other>.)", re.DOTALL)
_PARENTHESIS = re.compile(r"\\.|[()]", re.DOTALL)
_COMMENT = re.compile(r"\([^()]*+\)")
_AROUND_AT = re.compile(r"(?<!\s)\s*+@\s*+")
_AROUND_DOT = re.compile(r"(?<!\s)\s++\.\s*+")
_LOCAL = rf'(?!=\?)(?:{_QUOTED}|[^\s"()<>,:;@\[\]\\\x00-\x1f\x7f-\x9f]++)'
_DOMAIN = r"(?:[A-Za-z0-9._-]|[^\s\x00-\x9f])++"
_ADDRESS = re.compile(rf"{_LOCAL}@(?:\[[A-Za-z0-9:.]++\]|{_DOMAIN})", re.DOTALL)


def addresses(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses in header values, as they are written; each once, whatever its case."""
    found: dict[str, str] = {}
    for value in values:
        for address in _in_value(value):
            found.setdefault(address.lower(), address)
    return tuple(found.values())


def _in_value(value: str) -> Iterator[str]:
    if plain := _PLAIN.fullmatch(value):
        yield plain[2]
    elif "@" in value:
        yield from _AddressList(value).addresses()


class _AddressList:
    """One header value, read from left to right, a mailbox at a time.

    A quote or parenthesis that nobody closes is a blank, and so are all others behind it: looking
    for the end of each would take quadratic time.
    """

    def __init__(self, value: str) -> None:
        self._value = value
        self._tokens = _TOKENS
        self._comments_end = True
        self._begin()

    def _begin(self) -> None:
        self._text: list[str] = []  # outside of brackets, without comments
        self._quoted: list[str] = []
        self._bracketed: list[str] = []

    def addresses(self) -> Iterator[str]:
        """Yield the addresses in their order."""
        place = 0
        while token := self._tokens.match(self._value, place):
            place = token.end()
            match token.lastgroup:
                case "end":
                    yield from self._mailbox()
                    self._begin()
                case "group":
                    self._begin()
                case "comment":
                    place = self._behind_comment(place)
                    self._text.append(" ")
                case _:
                    self._keep(token)
        yield from self._mailbox()

    def _keep(self, token: re.Match[str]) -> None:
        """Keep a piece of a mailbox; what can't be a part of an address is kept as a blank."""
        text = token[0]
        match token.lastgroup:
            case "bracket":
                self._bracketed.append(token["bracket"])
            case "text":
                self._text.append(text)
            case "quoted" if self._value.startswith("@", token.end()):
                self._text.append(text)
            case "quoted":
                self._quoted.append(text[1:-1])
                self._text.append(" ")
            case _:
                self._text.append("=" if text == "=" else " ")
                if text == '"':
                    self._tokens = _TOKENS_WITHOUT_QUOTES

    def _behind_comment(self, place: int) -> int:
        """Return the place behind a comment, or of its first character if it has no end."""
        depth = 1
        for found in _PARENTHESIS.finditer(self._value, place) if self._comments_end else ():
            depth += {"(": 1, ")": -1}.get(found[0], 0)
            if not depth:
                return found.end()
        self._comments_end = False
        return place

    def _mailbox(self) -> Iterator[str]:
        """Yield the address of a mailbox; several if the commas between them were forgotten."""
        if self._bracketed:
            for inside in self._bracketed:
                yield from _words(_without_route(_COMMENT.sub(" ", inside).strip()))
            return
        found = [*_words("".join(self._text))]
        yield from found or (word for text in self._quoted for word in _words(text))


def _without_route(text: str) -> str:
    """Return the text in angle brackets without the obsolete route, or the scheme of a URL."""
    if text.startswith("@") or text[:7].lower() == "mailto:":
        return text.partition(":")[2]
    return text


def _words(text: str) -> Iterator[str]:
    """Yield the words of a text that are addresses."""
    if "@" not in text:
        return
    local, at, host = _AROUND_AT.sub("@", text.strip()).rpartition("@")
    whole = f"{local}{at}{_AROUND_DOT.sub('.', host)}"  # blanks: RFC 5322 section 4.4
    for word in (whole,) if _ADDRESS.fullmatch(whole) else text.split():
        bare = word.strip("'") if word.endswith("'") else word
        if _ADDRESS.fullmatch(bare):
            yield bare
