"""Rules in the files of a folder: a source like SSM's parameters, for use on this machine.

The folder `lists` beside that of the rules has the lists.
"""

import json
from pathlib import Path

from bouncer.sources.source import Document, Documents, SourceError
from bouncer_cli.list_files import ListFolder

_SUFFIXES = (".yaml", ".yml", ".json")


class FileSource:
    """Rules in a folder, one file each, and perhaps a settings file.

    `lists` is the folder of the lists, by default `lists` beside that of the rules. `named` is the
    argument that names the folder of the rules, for an error.
    """

    def __init__(
        self,
        rules: Path,
        settings: Path | None = None,
        lists: Path | None = None,
        *,
        named: str = "--rules",
    ) -> None:
        self._rules = rules
        self._settings = settings
        self._lists = ListFolder(lists or rules.resolve().parent / "lists")
        self._named = named

    def read(self) -> Documents:
        """Return all documents as they are now."""
        if not self._rules.is_dir():
            raise SourceError(
                f"{self._named}: found no folder {self._rules}, expected one with rules; "
                "a checkout has some in rules/"
            )
        rules: dict[str, Document] = {}
        for path in sorted(self._rules.iterdir()):
            if path.suffix in _SUFFIXES and path.is_file():
                if path.stem in rules:
                    raise SourceError(f"{path}: found a second rule of this name, expected one")
                rules[path.stem] = _file(path)
        settings = _settings_file(self._settings) if self._settings else None
        return Documents(rules, settings, lists=self._lists)


class OneFile:
    """One rule in a file, with the lists beside its folder; its name is that of the file."""

    def __init__(self, rule: Path, settings: Path | None = None) -> None:
        self._rule = rule
        self._settings = settings

    def read(self) -> Documents:
        """Return the rule and the settings as they are now."""
        settings = _settings_file(self._settings) if self._settings else None
        lists = ListFolder(self._rule.resolve().parents[1] / "lists")
        return Documents({self._rule.stem: _file(self._rule)}, settings, lists=lists)


def _settings_file(path: Path) -> Document:
    """Return a settings document; raises `SourceError` for a cdk.json, which is named alike."""
    document = _file(path)
    try:
        found = json.loads(document.text)
    except (ValueError, RecursionError):
        return document
    context = found.get("context") if isinstance(found, dict) else None
    if isinstance(context, dict) and "bouncer" in context:
        raise SourceError(
            f"--settings: found a cdk.json, {path}, expected a settings document (its "
            "context.bouncer.settings alone)"
        )
    return document


def _file(path: Path) -> Document:
    try:
        return Document(str(path), path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise SourceError(f"{path}: found bytes that are not UTF-8, expected text") from None
    except OSError as error:
        raise SourceError(f"{path}: can't be read ({error.strerror})") from error
