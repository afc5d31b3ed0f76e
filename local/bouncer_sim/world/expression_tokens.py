"""DynamoDB's expressions as tokens, and a reader that walks through them.

Source: DynamoDB Developer Guide, "Expressions". Nested paths are refused: no item here has one.
"""

import re

_TOKEN = re.compile(r"\s*([#:][A-Za-z0-9_]+|[A-Za-z_][A-Za-z0-9_]*|<>|<=|>=|[=<>(),+-])")


class ExpressionError(ValueError):
    """An expression that DynamoDB would refuse, or that this world does not know."""


class Tokens:
    """The tokens of an expression, one after the other."""

    def __init__(self, text: str) -> None:
        self._tokens = _split(text)
        self._place = 0

    @property
    def next(self) -> str:
        """The token that comes next, or an empty text at the end."""
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def take(self) -> str:
        """Return the next token and pass it; raises `ExpressionError` at the end."""
        token = self.next
        if not token:
            raise ExpressionError("found the end of the expression, expected more")
        self._place += 1
        return token

    def pass_over(self, *words: str) -> bool:
        """Pass the next token if it is one of these words, whatever their case."""
        found = self.next.upper() in words
        self._place += found
        return found

    def expect(self, token: str) -> None:
        """Pass the next token, which must be this one."""
        if (found := self.take()) != token:
            raise ExpressionError(f"found {found}, expected {token}")


def _split(text: str) -> list[str]:
    tokens: list[str] = []
    place = 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ExpressionError(f"found {text[place : place + 20]!r}, expected an expression")
        tokens.append(match[1])
        place = match.end()
    return tokens
