"""The rules and settings that a command judges by."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from bouncer.errors import DocumentError
from bouncer.operator_settings import Settings
from bouncer.rules.rule_reader import read_rule
from bouncer.settings_reader import overlaid
from bouncer.sources.loaded import Loaded
from bouncer.sources.loader import MOST_EARLIER, Loader
from bouncer.sources.source import RULES, SETTINGS, Document, Documents, Source, SourceError
from bouncer_cli.commands.terminal import say_lines
from bouncer_cli.commands.usage import UsageError
from bouncer_cli.deployed_settings import DeployedSettings
from bouncer_sim.clock import SystemClock, now


def load(source: Source) -> Loaded:
    """Return the rules and settings in force; raises `UsageError` for any invalid document.

    The functions keep an earlier version in its place; here somebody can correct it at once. Doubts
    about valid rules are printed on stderr.
    """
    loaded = Loader(source, Settings(), now=SystemClock().time).load()
    if loaded.problems:
        raise UsageError("\n".join(loaded.problems))
    if not loaded.ruleset.rules:
        raise UsageError("--rules: found no rule in force, expected at least one")
    _warn(loaded)
    return loaded


def _warn(loaded: Loaded) -> None:
    say_lines(f"warning: {warning}" for warning in loaded.warnings(now(SystemClock())))


def load_as_intake(source: Source, deployed: DeployedSettings) -> tuple[Loaded, tuple[str, ...]]:
    """Return what parameters say, and remarks on documents that are not taken as written.

    `deployed` holds where the parameter `settings` says nothing. This takes the newest valid
    version in place of an invalid document, and leaves a rule out that has none. The publisher
    keeps the form that was in force before, which parameters do not tell. Raises `UsageError`
    without any rules or settings to judge by.
    """
    kept = _KeptSource(source)
    try:
        loaded = Loader(kept, deployed.settings, now=SystemClock().time).load()
    except SourceError as error:
        settings = kept.documents.settings if kept.documents else None
        if settings is None:
            raise
        raise UsageError(
            f"{error}\n{settings.label}: found no valid version, expected one; until there is one, "
            "a new environment of the intake lets all mail go on"
        ) from error
    _warn(loaded)
    remarks = (*loaded.problems, *kept.replacements(), _settings_remark(kept.read(), deployed))
    if not loaded.ruleset.rules:
        raise UsageError(
            "\n".join((*remarks, "--rules: found no rule in force, expected at least one"))
        )
    return loaded, remarks


def _settings_remark(documents: Documents, deployed: DeployedSettings) -> str:
    """Return the sentence that says which settings this replay has."""
    written = documents.settings
    if deployed.source:
        over = f", with those of {written.label} over them" if written else ""
        return f"settings: those that the function {deployed.source} was deployed with{over}"
    unknown = f"not known here ({deployed.problem})"
    if written is None:
        return (
            "settings: found no parameter, so the intake has those that it was deployed with. They "
            f"are {unknown}: this replay takes mode enforce and no bounce_sender"
        )
    return (
        f"settings: those that the intake was deployed with are {unknown}: where {written.label} "
        "says nothing, this replay takes mode enforce and no bounce_sender"
    )


class _KeptSource:
    """A source that is asked once for each document, so that remarks fit what was loaded."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._versions: dict[str, tuple[Document, ...]] = {}
        self.documents: Documents | None = None

    def read(self) -> Documents:
        if self.documents is None:
            self.documents = self._source.read()
        return self.documents

    def earlier(self, name: str) -> Iterable[Document]:
        if name not in self._versions:
            self._versions[name] = tuple(self._source.earlier(name))[:MOST_EARLIER]
        return self._versions[name]

    def replacements(self) -> Iterator[str]:
        """Yield what is taken instead of each document whose earlier versions were asked for."""
        documents = self.read()
        for name, versions in self._versions.items():
            written = documents.settings if name == SETTINGS else _rule(documents.rules, name)
            if written is None:
                continue
            valid = next((each for each in versions if _is_valid(name, each)), None)
            if valid is None:
                yield f"{written.label}: no version is valid, so this rule is left out"
            else:
                taken = f"version {valid.version}, the newest valid one, is taken instead"
                yield f"{written.label}: {taken}"


def _rule(rules: Mapping[str, Document], name: str) -> Document | None:
    return rules.get(name.removeprefix(RULES))


def _is_valid(name: str, document: Document) -> bool:
    with suppress(DocumentError):
        if name == SETTINGS:
            overlaid(Settings(), document.text, document=document.label)
        else:
            read_rule(name.removeprefix(RULES), document.text, document=document.label)
        return True
    return False
