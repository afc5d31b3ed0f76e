"""Documents of rules and settings, and the interface of everything that can read them."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bouncer.errors import BouncerError, DocumentError, Problem

if TYPE_CHECKING:  # what reads lists takes time to import, and few deployments have one
    from bouncer.rules.list_about import ReadList

RULES = "rules/"
LISTS = "lists/"
SETTINGS = "settings"
HELD = "held"
PUSHING = "pushing"


class SourceError(BouncerError):
    """The source can't be read; the text names the document or the path."""


class Document(NamedTuple):
    """The text of a rule or another document; `label` is its file or parameter, for errors.

    `secret` is true of a SecureString: its text is what SSM returns in place of the plain one.
    `modified` is the time when it was written last, where the source knows it.
    """

    label: str
    text: str
    version: str = ""
    secret: bool = False
    modified: datetime | None = None

    @property
    def plain_text(self) -> str:
        """The text to read; raises `DocumentError` for a SecureString, which nobody here may."""
        if not self.secret:
            return self.text
        expected = "String: delete this parameter and put it again with --type String"
        raise DocumentError(
            (
                Problem(
                    document=self.label,
                    place="",
                    line=None,
                    found="a SecureString",
                    expected=expected,
                ),
            )
        )


class WrittenList(Protocol):
    """A list as somebody wrote it, which is read only if a rule names it.

    `label` is its file or parameter, for errors. `digest` is the same as long as reading it again
    can give nothing else, and "" where only reading tells.
    """

    @property
    def label(self) -> str:
        """The file or the parameter."""

    @property
    def digest(self) -> str:
        """The digest of all that the list is made of."""

    def read(self) -> "ReadList":
        """Return the list; raises `DocumentError`, and `SourceError` if asking again may help."""


class Documents(NamedTuple):
    """All documents of a source: rules and lists by name, and the settings if it has any.

    `held` is the document that holds all sending; it does not exist while bounces may be sent.
    `pushing` exists while somebody replaces many documents.
    """

    rules: Mapping[str, Document]
    settings: Document | None = None
    held: Document | None = None
    pushing: Document | None = None
    lists: Mapping[str, WrittenList] = {}

    def label(self, name: str) -> str:
        """Return the label of a rule or a list, by a name such as `rules/NAME`."""
        if name.startswith(LISTS):
            return self.lists[name.removeprefix(LISTS)].label
        return self.rules[name.removeprefix(RULES)].label


class Source(Protocol):
    """A reader of documents."""

    def read(self) -> Documents:
        """Return all documents as they are now; raises `SourceError`."""
