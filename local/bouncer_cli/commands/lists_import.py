"""`bouncer lists import`: makes a list of a file that another program exported."""

import argparse
import sys
from pathlib import Path

from bouncer.rules.entry_file import LONGEST_FILE
from bouncer.rules.list_kind import ListKind
from bouncer.rules.list_reader import ListFile
from bouncer_cli.commands.terminal import put_folded, say_lines
from bouncer_cli.commands.usage import Commands, UsageError
from bouncer_cli.list_files import entries_of, list_file
from bouncer_cli.list_import import ListImport, list_import, name_of

_STDIN = "-"


def add(verbs: Commands) -> None:
    """Declare the verb and its options."""
    command = verbs.add_parser(
        "import",
        help="make a list of a CSV or text file",
        description="Make a list of a CSV or text file as another program exports it. The column "
        "with the entries, their kind and the names of the other columns are found out. An "
        "address in brackets is taken out of them.",
        epilog="example: bouncer lists import staff-who-left.csv --name departed",
    )
    command.add_argument("file", metavar="FILE", help="the file, or - for standard input")
    command.add_argument(
        "--name", metavar="NAME", help="the name of the list (default: that of the file)"
    )
    command.add_argument(
        "--kind",
        type=ListKind,
        choices=tuple(ListKind),
        help="the kind of its entries (default: found out; words are not)",
    )
    command.add_argument(
        "--subdomains", action="store_true", help="the subdomains of its domains are meant, too"
    )
    command.add_argument(
        "--description", default="", metavar="TEXT", help="a sentence for whoever reads the list"
    )
    command.add_argument(
        "--lists",
        type=Path,
        default=Path("lists"),
        metavar="DIR",
        help="the folder to write to (default: lists)",
    )
    command.add_argument(
        "--replace",
        action="store_true",
        help="write over the list of this name, its description and subdomains as well",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    made = list_import(
        _file(options.file, options.name),
        name=options.name or name_of(options.file),
        kind=options.kind,
        subdomains=options.subdomains,
        description=options.description,
    )
    written = made.write(options.lists, replace=options.replace)
    put_folded(_summary(made, written))
    say_lines(f"note: {remark}" for remark in made.remarks)
    say_lines(f"warning: {warning}" for warning in made.found.warnings)
    return 0


def _file(named: str, name: str | None) -> ListFile:
    if named == _STDIN:
        if name is None:
            raise UsageError("--name: found none, expected one, as - has no name")
        return ListFile("standard input", sys.stdin.buffer.read(LONGEST_FILE + 1))
    return list_file(Path(named))


def _summary(made: ListImport, written: list[Path]) -> str:
    about = made.found.about
    taken = f" from {made.column}" if made.column else ""
    others = f", with {' and '.join(about.columns)}" if about.columns else ""
    paths = " and ".join(map(str, written))
    return f"{made.name}: {entries_of(about.entries, about.kind)}{taken}{others}, in {paths}"
