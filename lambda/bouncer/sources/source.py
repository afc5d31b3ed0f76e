"""Documents of rules and settings, and the interface of everything that can read them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bouncer.errors import BouncerError

RULES = "rules/"
SETTINGS = "settings"


class SourceError(BouncerError):
    """The source can't be read; the text names the document or the path."""


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one rule, or of the settings; `label` is its file or parameter, for errors."""

    label: str
    text: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Documents:
    """All documents of a source: rules by name, and the settings if it has any."""

    rules: Mapping[str, Document]
    settings: Document | None = None


class Source(Protocol):
    """A reader of documents; both methods raise `SourceError`."""

    def read(self) -> Documents:
        """Return all documents as they are now."""

    def earlier(self, name: str) -> Iterable[Document]:
        """Return earlier versions of a document (`rules/NAME` or `settings`), the newest first."""
