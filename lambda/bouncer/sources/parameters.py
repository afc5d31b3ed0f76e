"""Rules and settings in SSM parameters, with the earlier versions that SSM keeps."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from bouncer.sources.source import HELD, PUSHING, RULES, SETTINGS, Document, Documents, SourceError


class HistoryClient(Protocol):
    """A client of SSM that can read a parameter's versions: boto3's, or the intake's small one."""

    @property
    def get_parameter_history(self) -> Callable[..., Mapping[str, Any]]:
        """Return one page of a parameter's versions."""


class ParametersClient(HistoryClient, Protocol):
    """A client that can also read all parameters below a path."""

    @property
    def get_parameters_by_path(self) -> Callable[..., Mapping[str, Any]]:
        """Return one page of the parameters below a path."""


class NamedParametersClient(HistoryClient, Protocol):
    """A client that can also read parameters by their names."""

    @property
    def get_parameters(self) -> Callable[..., Mapping[str, Any]]:
        """Return those of at most ten parameters that exist."""


class ParameterSource:
    """Documents in SSM parameters below `prefix`."""

    def __init__(self, client: ParametersClient, prefix: str) -> None:
        self._client = client
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
        rules = {
            name.removeprefix(RULES): document
            for name, document in found.items()
            if name.startswith(RULES)
        }
        return Documents(rules, found.get(SETTINGS), found.get(HELD), found.get(PUSHING))

    def earlier(self, name: str) -> Iterable[Document]:
        """Return earlier versions of a document, the newest first."""
        return _earlier(self._client, f"{self._prefix}/{name}")


class SettingsSource:
    """The parameters `settings` and `held` alone: all the worker may read."""

    def __init__(self, client: NamedParametersClient, prefix: str) -> None:
        self._client = client
        self._prefix = prefix.rstrip("/")

    def read(self) -> Documents:
        """Return both documents as they are now; one without a parameter is left out."""
        labels = [f"{self._prefix}/{name}" for name in (SETTINGS, HELD)]
        try:
            answer = self._client.get_parameters(Names=labels)
        except (ClientError, BotoCoreError) as error:
            raise SourceError(f"{labels[0]}: can't be read ({_brief(error)})") from error
        found = {each["Name"]: _document(each) for each in answer["Parameters"]}
        settings, held = (found.get(label) for label in labels)
        return Documents({}, settings, held)

    def earlier(self, name: str) -> Iterable[Document]:
        """Return earlier versions of the settings, the newest first."""
        return _earlier(self._client, f"{self._prefix}/{name}")


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


def _earlier(client: HistoryClient, label: str) -> list[Document]:
    """Return all versions of a parameter but the newest, the newest of them first."""
    try:
        pages = _pages(client.get_parameter_history, Name=label)
        versions = [version for page in pages for version in page["Parameters"]]
    except (ClientError, BotoCoreError) as error:
        raise SourceError(f"{label}: history can't be read ({_brief(error)})") from error
    versions.sort(key=lambda version: int(version["Version"]), reverse=True)
    return [_document(version, f"{label}:{version['Version']}") for version in versions[1:]]


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
