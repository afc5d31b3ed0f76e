"""Rules, lists and settings in SSM parameters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from bouncer.rules.list_about import ReadList
from bouncer.rules.list_reader import READING, Fetch, UploadError, read_list
from bouncer.sources.source import (
    HELD,
    LISTS,
    PUSHING,
    RULES,
    SETTINGS,
    Document,
    Documents,
    SourceError,
)


class ParametersClient(Protocol):
    """A client of SSM that can read all parameters below a path."""

    @property
    def get_parameters_by_path(self) -> Callable[..., Mapping[str, Any]]:
        """Return one page of the parameters below a path."""


class NamedParametersClient(Protocol):
    """A client of SSM that can read parameters by their names."""

    @property
    def get_parameters(self) -> Callable[..., Mapping[str, Any]]:
        """Return those of at most ten parameters that exist."""


def no_bucket(_: str) -> bytes:
    """Fetch no upload: whoever reads these parameters knows no bucket."""
    raise UploadError("an upload, in a bucket that is not known here")


@dataclass(frozen=True, slots=True)
class ParameterList:
    """A list in a parameter, or in the uploaded object that it names with its checksum."""

    document: Document
    fetch: Fetch

    @property
    def label(self) -> str:
        """The name of the parameter."""
        return self.document.label

    @property
    def digest(self) -> str:
        """The digest of the text, and of the way in which this version reads it."""
        return sha256(f"{READING}\n{self.document.text}".encode()).hexdigest()

    def read(self) -> ReadList:
        """Return the list; raises `DocumentError`, and `SourceError` if asking again may help."""
        return read_list(self.document.plain_text, document=self.label, fetch=self.fetch)


class ParameterSource:
    """Documents in SSM parameters below `prefix`; `fetch` returns the objects that lists name."""

    def __init__(self, client: ParametersClient, prefix: str, fetch: Fetch = no_bucket) -> None:
        self._client = client
        self._fetch = fetch
        self._prefix = prefix.rstrip("/")

    def read(self) -> Documents:
        """Return all documents as they are now."""
        ask = self._client.get_parameters_by_path
        try:
            pages = _pages(ask, Path=self._prefix, Recursive=True)
            found = {
                parameter["Name"].removeprefix(f"{self._prefix}/"): _document(parameter)
                for page in pages
                for parameter in page["Parameters"]
            }
        except (ClientError, BotoCoreError) as error:
            raise SourceError(f"{self._prefix}: can't be read ({_brief(error)})") from error
        lists = {
            name: ParameterList(document, self._fetch)
            for name, document in _below(LISTS, found).items()
        }
        return Documents(
            _below(RULES, found),
            found.get(SETTINGS),
            found.get(HELD),
            found.get(PUSHING),
            lists,
        )


class SettingsSource:
    """The parameters `settings`, `held` and `pushing` alone, in one call of SSM."""

    def __init__(self, client: NamedParametersClient, prefix: str) -> None:
        self._client = client
        self._prefix = prefix.rstrip("/")

    def read(self) -> Documents:
        """Return these documents as they are now; one without a parameter is left out."""
        labels = [f"{self._prefix}/{name}" for name in (SETTINGS, HELD, PUSHING)]
        try:
            answer = self._client.get_parameters(Names=labels)
        except (ClientError, BotoCoreError) as error:
            raise SourceError(f"{labels[0]}: can't be read ({_brief(error)})") from error
        found = {each["Name"]: _document(each) for each in answer["Parameters"]}
        settings, held, pushing = (found.get(label) for label in labels)
        return Documents({}, settings, held, pushing)


def _below(folder: str, found: Mapping[str, Document]) -> dict[str, Document]:
    return {
        name.removeprefix(folder): document
        for name, document in found.items()
        if name.startswith(folder)
    }


def _document(parameter: Mapping[str, Any], label: str = "") -> Document:
    """Return a parameter's document; SSM encrypts a SecureString's value unless asked not to."""
    return Document(
        label or parameter["Name"],
        parameter["Value"],
        str(parameter["Version"]),
        secret=parameter.get("Type") == "SecureString",
        modified=_time(parameter.get("LastModifiedDate")),
    )


def _time(modified: object) -> datetime | None:
    """Return the time of a change, which the small client leaves as seconds, as SSM wrote it."""
    if isinstance(modified, int | float):
        return datetime.fromtimestamp(modified, UTC)
    return modified if isinstance(modified, datetime) else None


def _pages(
    ask: Callable[..., Mapping[str, Any]], **arguments: object
) -> Iterator[Mapping[str, Any]]:
    """Yield SSM's answers one after the other; the small client has no paginators."""
    page = ask(**arguments)
    yield page
    while page.get("NextToken"):
        page = ask(**arguments, NextToken=page["NextToken"])
        yield page


def _brief(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "refused"))
    return type(error).__name__
