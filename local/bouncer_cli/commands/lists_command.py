"""`bouncer lists`: checks, makes and pushes lists, which rules ask for by name."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bouncer.errors import BouncerError, DocumentError
from bouncer.rules.list_kind import ListKind
from bouncer_cli.commands import lists_import, lists_push
from bouncer_cli.commands.terminal import put, put_folded, say_lines
from bouncer_cli.commands.usage import Commands, UsageError, add_format
from bouncer_cli.entry_point import WRONG_USAGE
from bouncer_cli.list_files import FileList, ListFolder, entries_of


def add(commands: Commands) -> None:
    """Declare the command with its verb."""
    command = commands.add_parser(
        "lists",
        help="check, make and push lists that rules name",
        description="Check, make and push lists of addresses, domains, networks or words.",
        epilog="example: bouncer lists check lists/departed.csv",
    )
    verbs = command.add_subparsers(required=True, metavar="VERB", title="verbs")
    check = verbs.add_parser(
        "check",
        help="report garbage, duplicates and overlaps by line",
        description="Read lists as rules do. A line that is not an entry is refused; an entry that "
        "stands twice, or that another one includes, is reported.",
        epilog="example: bouncer lists check lists/departed.csv",
    )
    check.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="a list: a document, CSV or text; or a folder of lists",
    )
    add_format(check)
    check.set_defaults(run=run)
    lists_import.add(verbs)
    lists_push.add(verbs)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status: 1 if a list is refused, 2 if one is missing."""
    found = [_checked(each) for path in options.files for each in _lists(path)]
    for each in found:
        if options.format == "json":
            put(json.dumps(each))
        elif not each["problems"]:
            put_folded(_summary(each))
        if options.format != "json":
            say_lines((*each["problems"], *(f"warning: {text}" for text in each["warnings"])))
    if not all(path.exists() for path in options.files):
        return WRONG_USAGE
    return 1 if any(each["problems"] for each in found) else 0


def _lists(path: Path) -> Sequence[FileList]:
    """Return the list in a file, or all of a folder; raises `UsageError` if it has none."""
    if not path.is_dir():
        return [FileList(path)]
    lists = list(ListFolder(path).values())
    if not lists:
        raise UsageError(f"{path}: found no list, expected at least one")
    return lists


def _checked(written: FileList) -> dict[str, Any]:
    """Return what is known about one list, in the form that `--format json` promises."""
    answer: dict[str, Any] = {"file": written.label, "kind": None, "entries": 0, "columns": []}
    try:
        read = written.read()
    except DocumentError as error:
        return answer | {"problems": list(map(str, error.problems)), "warnings": []}
    except BouncerError as error:
        return answer | {"problems": [str(error)], "warnings": []}
    return answer | {
        "kind": str(read.about.kind),
        "entries": read.about.entries,
        "columns": list(read.about.columns),
        "problems": [],
        "warnings": list(map(str, read.warnings)),
    }


def _summary(found: dict[str, Any]) -> str:
    columns = f" with {', '.join(found['columns'])}" if found["columns"] else ""
    return f"{found['file']}: {entries_of(found['entries'], ListKind(found['kind']))}{columns}"
