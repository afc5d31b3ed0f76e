"""Where rules and settings come from, and how long they are believed.

A `Source` yields documents, from SSM parameters or from files; the `Loader` compiles them, keeps
them for a short time, and stays with the last good ones when the source fails or a rule is broken.
A rule that does not parse is replaced by its newest valid earlier version, or left out alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from bouncer.errors import BouncerError, DocumentError
from bouncer.operator_settings import Settings
from bouncer.rules.rule import Rule
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_RULES = "rules/"
_SETTINGS = "settings"
_SUFFIXES = (".yaml", ".yml", ".json")
_STALE_AFTER_FAILURE_S = 15  # how soon a failed source is asked again
_MOST_EARLIER = 10  # versions looked at before a broken rule is left out


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


class FileSource:
    """Rules in a folder, one file each, and perhaps a settings file. There is no history."""

    def __init__(self, rules: Path, settings: Path | None = None) -> None:
        self._rules = rules
        self._settings = settings

    def read(self) -> Documents:
        """All documents as they are now."""
        if not self._rules.is_dir():
            raise SourceError(f"{self._rules}: found no folder, expected one with rules")
        rules: dict[str, Document] = {}
        for path in sorted(self._rules.iterdir()):
            if path.suffix in _SUFFIXES and path.is_file():
                if path.stem in rules:
                    raise SourceError(f"{path}: found a second rule of this name, expected one")
                rules[path.stem] = _file(path)
        return Documents(rules, _file(self._settings) if self._settings else None)

    def earlier(self, name: str) -> Iterable[Document]:  # noqa: ARG002  # files keep no history
        """Nothing: files keep no history."""
        return ()


def _file(path: Path) -> Document:
    try:
        return Document(str(path), path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise SourceError(f"{path}: found bytes that are no UTF-8, expected text") from None
    except OSError as error:
        raise SourceError(f"{path}: can't be read ({error.strerror})") from error


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
                    if name == _SETTINGS:
                        settings = document
                    elif name.startswith(_RULES):
                        rules[name.removeprefix(_RULES)] = document
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
        self._label = f"{prefix.rstrip('/')}/{_SETTINGS}"

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


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is in force: `problems` are sentences about documents that were refused."""

    ruleset: Ruleset
    settings: Settings
    problems: tuple[str, ...] = ()
    stale: bool = False


@dataclass(slots=True)
class _Memory:
    """What a loader knows: the last good result, each rule's last document and valid form."""

    loaded: Loaded | None = None
    fresh_until: float = 0.0
    documents: Documents | None = None
    rules: dict[str, tuple[Document, Rule | None, str]] = field(default_factory=dict)


class Loader:
    """Reads, compiles and caches; `now` is a clock in seconds."""

    def __init__(self, source: Source, defaults: Settings, *, now: Callable[[], float]) -> None:
        self._source = source
        self._defaults = defaults
        self._now = now
        self._memory = _Memory()

    def load(self) -> Loaded:
        """What is in force now; raises `SourceError` when nothing was ever read."""
        memory = self._memory
        if memory.loaded is not None and self._now() < memory.fresh_until:
            return memory.loaded
        try:
            documents = self._source.read()
            if memory.loaded is None or memory.loaded.stale or documents != memory.documents:
                memory.loaded = self._compile(documents)
                memory.documents = documents
        except SourceError as error:
            return self._stay(error)
        memory.fresh_until = self._now() + memory.loaded.settings.cache_s
        return memory.loaded

    def _stay(self, error: SourceError) -> Loaded:
        """The last good set remains in force when the source fails."""
        memory = self._memory
        if memory.loaded is None:
            raise error
        memory.fresh_until = self._now() + _STALE_AFTER_FAILURE_S
        memory.loaded = Loaded(
            memory.loaded.ruleset, memory.loaded.settings, (str(error),), stale=True
        )
        return memory.loaded

    def _compile(self, documents: Documents) -> Loaded:
        problems: list[str] = []
        self._memory.rules = {
            name: self._rule(name, document) for name, document in documents.rules.items()
        }
        rules = [rule for _, rule, _ in self._memory.rules.values() if rule]
        problems.extend(problem for _, _, problem in self._memory.rules.values() if problem)
        settings = self._settings(documents.settings, problems)
        return Loaded(Ruleset(rules), settings, tuple(problems))

    def _rule(self, name: str, document: Document) -> tuple[Document, Rule | None, str]:
        known = self._memory.rules.get(name)
        if known and known[0] == document:
            return known
        try:
            return document, read_rule(name, document.text, document=document.label), ""
        except DocumentError as error:
            before = known[1] if known else None
            return document, before or self._earlier_rule(name), str(error)

    def _earlier_rule(self, name: str) -> Rule | None:
        for document in self._earlier(f"{_RULES}{name}"):
            with suppress(DocumentError):
                return read_rule(name, document.text, document=document.label)
        return None

    def _earlier(self, name: str) -> Iterable[Document]:
        """The newest versions; raises `SourceError`, as nobody knows then what was in force."""
        return list(self._source.earlier(name))[:_MOST_EARLIER]

    def _settings(self, document: Document | None, problems: list[str]) -> Settings:
        if document is None:
            return self._defaults
        try:
            return self._defaults.overlaid(document.text, document=document.label)
        except DocumentError as error:
            problem = str(error)
        problems.append(problem)
        if self._memory.loaded is not None:
            return self._memory.loaded.settings
        for earlier in self._earlier(_SETTINGS):
            with suppress(DocumentError):
                return self._defaults.overlaid(earlier.text, document=earlier.label)
        raise SourceError(problem)
