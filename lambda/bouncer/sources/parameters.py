"""Rules and settings in SSM parameters, with the earlier versions that SSM keeps."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from bouncer.sources.source import RULES, SETTINGS, Document, Documents, SourceError


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


class ParameterClient(HistoryClient, Protocol):
    """A client that can also read a single parameter."""

    @property
    def get_parameter(self) -> Callable[..., Mapping[str, Any]]:
        """Return one parameter."""


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
        return Documents(rules, found.get(SETTINGS))

    def earlier(self, name: str) -> Iterable[Document]:
        """Return earlier versions of a document, the newest first."""
        return _earlier(self._client, f"{self._prefix}/{name}")


class SettingsSource:
    """The settings parameter alone: all the worker may read."""

    def __init__(self, client: ParameterClient, prefix: str) -> None:
        self._client = client
        self._label = f"{prefix.rstrip('/')}/{SETTINGS}"

    def read(self) -> Documents:
        """Return the settings as they are now; there may be no parameter, and then no document."""
        try:
            parameter = self._client.get_parameter(Name=self._label)["Parameter"]
        except (ClientError, BotoCoreError) as error:
            if _brief(error) == "ParameterNotFound":
                return Documents({})
            raise SourceError(f"{self._label}: can't be read ({_brief(error)})") from error
        return Documents({}, _document(parameter))

    def earlier(self, name: str) -> Iterable[Document]:  # noqa: ARG002  # it has one document
        """Return earlier versions of the settings, the newest first."""
        return _earlier(self._client, self._label)


def _document(parameter: Mapping[str, Any], label: str = "") -> Document:
    """Return a parameter's document; SSM encrypts a SecureString's value unless asked not to."""
    return Document(
        label or parameter["Name"],
        parameter["Value"],
        str(parameter["Version"]),
        secret=parameter.get("Type") == "SecureString",
    )


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
