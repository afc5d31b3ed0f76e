"""Documents of rules and settings, and the interface of everything that can read them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bouncer.errors import BouncerError

RULES = "rules/"
SETTINGS = "settings"


class SourceError(BouncerError):
    """Rules and settings can't be read at all."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it stands: `label` is its file or parameter name, for errors."""

    label: str
    text: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Documents:
    """Everything a source holds: rules by name, and the settings document if there is one."""

    rules: Mapping[str, Document]
    settings: Document | None = None


class Source(Protocol):
    """Where documents come from; both methods raise `SourceError`."""

    def read(self) -> Documents:
        """All documents as they are now."""

    def earlier(self, name: str) -> Iterable[Document]:
        """Earlier versions of a document (`rules/NAME` or `settings`), the newest first."""
