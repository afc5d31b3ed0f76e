"""Takes the results of a replay one by one and shows them."""

from typing import Protocol

from bouncer.mail import mime
from bouncer_cli.replay import Result


class Report(Protocol):
    """Takes results one by one."""

    def add(self, result: Result) -> None:
        """Show one result, now or with the next ones."""

    def close(self) -> None:
        """Show what is left."""


def clean(text: str) -> str:
    """Return a text from a mail without control and bidi characters, and not too long."""
    return mime.printable(text, 300)
