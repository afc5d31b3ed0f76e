"""Documents of rules and settings, and the interface of everything that can read them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from bouncer.errors import BouncerError, DocumentError, Problem

if TYPE_CHECKING:  # what reads lists takes time to import, and few deployments have one
    from bouncer.rules.named_list import NamedList

RULES = "rules/"
SETTINGS = "settings"
HELD = "held"
PUSHING = "pushing"


class SourceError(BouncerError):
    """The source can't be read; the text names the document or the path."""


@dataclass(frozen=True, slots=True)
class Document:
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


@dataclass(frozen=True, slots=True)
class Documents:
    """All documents of a source: rules by name, and the settings if it has any.

    `held` is the document that holds all sending; it does not exist while bounces may be sent.
    `pushing` exists while somebody replaces many documents. `lists` are read when they are looked
    up; an invalid one then raises `DocumentError`.
    """

    rules: Mapping[str, Document]
    settings: Document | None = None
    held: Document | None = None
    pushing: Document | None = None
    lists: Mapping[str, "NamedList"] = field(default_factory=dict)


class Source(Protocol):
    """A reader of documents; both methods raise `SourceError`."""

    def read(self) -> Documents:
        """Return all documents as they are now."""

    def earlier(self, name: str) -> Iterable[Document]:
        """Return earlier versions of a document (`rules/NAME` or `settings`), the newest first."""
