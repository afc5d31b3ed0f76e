"""Rules and settings in SSM parameters, with the earlier versions that SSM keeps."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from bouncer.sources.source import RULES, SETTINGS, Document, Documents, SourceError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class ParameterSource:
    """Documents in SSM parameters below `prefix`."""

    def __init__(self, client: "SSMClient", prefix: str) -> None:
        self._client = client
        self._prefix = prefix.rstrip("/")

    def read(self) -> Documents:
        """All documents as they are now."""
        rules: dict[str, Document] = {}
        settings: Document | None = None
        try:
            for page in _pages(
                self._client.get_parameters_by_path, Path=self._prefix, Recursive=True
            ):
                for parameter in page["Parameters"]:
                    name = parameter["Name"].removeprefix(f"{self._prefix}/")
                    version = str(parameter["Version"])
                    document = Document(parameter["Name"], parameter["Value"], version)
                    if name == SETTINGS:
                        settings = document
                    elif name.startswith(RULES):
                        rules[name.removeprefix(RULES)] = document
        except (ClientError, BotoCoreError) as error:
            raise SourceError(f"{self._prefix}: can't be read ({_brief(error)})") from error
        return Documents(rules, settings)

    def earlier(self, name: str) -> Iterable[Document]:
        """Earlier versions of a document, the newest first."""
        label = f"{self._prefix}/{name}"
        try:
            pages = _pages(self._client.get_parameter_history, Name=label)
            versions = [version for page in pages for version in page["Parameters"]]
        except (ClientError, BotoCoreError) as error:
            raise SourceError(f"{label}: history can't be read ({_brief(error)})") from error
        versions.sort(key=lambda version: version["Version"], reverse=True)
        return [
            Document(f"{label}:{version['Version']}", version["Value"], str(version["Version"]))
            for version in versions[1:]
        ]


class SettingsSource:
    """The settings parameter alone: all the worker may read."""

    def __init__(self, client: "SSMClient", prefix: str) -> None:
        self._client = client
        self._parameters = ParameterSource(client, prefix)
        self._label = f"{prefix.rstrip('/')}/{SETTINGS}"

    def read(self) -> Documents:
        """The settings as they are now; no parameter means none."""
        try:
            parameter = self._client.get_parameter(Name=self._label)["Parameter"]
        except self._client.exceptions.ParameterNotFound:
            return Documents({})
        except (ClientError, BotoCoreError) as error:
            raise SourceError(f"{self._label}: can't be read ({_brief(error)})") from error
        return Documents({}, Document(self._label, parameter["Value"], str(parameter["Version"])))

    def earlier(self, name: str) -> Iterable[Document]:
        """Earlier versions of the settings, the newest first."""
        return self._parameters.earlier(name)


def _pages(ask: Callable[..., Any], **arguments: Any) -> Iterator[Any]:
    """SSM's answers, one after the other; boto3's paginators are more than every client has."""
    page = ask(**arguments)
    yield page
    while page.get("NextToken"):
        page = ask(**arguments, NextToken=page["NextToken"])
        yield page


def _brief(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "refused"))
    return type(error).__name__
