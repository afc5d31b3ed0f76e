"""Takes the results of a replay one by one and shows them."""

from typing import Protocol

from bouncer.mail.text import shown
from bouncer_cli.replay import Result


class Report(Protocol):
    """Takes results one by one and shows them."""

    def add(self, result: Result) -> None:
        """Show a result, at once or together with the next results."""

    def close(self) -> None:
        """Show the results that are not shown yet."""


def clean(text: str) -> str:
    """Return a text from a mail as it may be shown: with escapes, and of a bounded length."""
    return shown(text, 2000)
