"""`bouncer lists push`: writes the lists of a folder into SSM, large ones into the bucket."""

import argparse
from pathlib import Path

from bouncer.errors import DocumentError
from bouncer.sources.source import LISTS
from bouncer_cli.commands.document_push import Wanted, add_push, push, refused
from bouncer_cli.commands.operation import as_sentences
from bouncer_cli.commands.usage import Commands, UsageError
from bouncer_cli.entry_point import WRONG_USAGE
from bouncer_cli.list_files import ListFolder


def add(verbs: Commands) -> None:
    """Declare the verb and its options."""
    command = verbs.add_parser(
        "push",
        help="write the lists of a folder into SSM, and wait until they are in force",
        description="Show how the lists of a folder differ from those in SSM, write what differs, "
        "and wait until it is in force. A list of more than 4 KB is uploaded to the bucket. If it "
        "is interrupted, run it again.",
        epilog="example: bouncer lists push lists --dry-run",
    )
    command.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("lists"),
        metavar="DIR",
        help="a folder with lists (default: lists)",
    )
    add_push(command, "lists")
    command.set_defaults(run=as_sentences(run))


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from bouncer_cli.operations.list_parameter import list_parameters  # noqa: PLC0415  # boto3

    _expect_folder(options.folder)
    lists = ListFolder(options.folder)
    if not lists:
        raise UsageError(f"{options.folder}: found no list, expected at least one")
    problems = {}
    for name, written in lists.items():
        try:
            written.read()
        except DocumentError as error:
            problems[f"{LISTS}{name}"] = tuple(map(str, error.problems))
    if refused(problems):
        return WRONG_USAGE
    return push(options, Wanted(LISTS, {}, lists, list_parameters(lists)))


def _expect_folder(path: Path) -> None:
    if path.is_dir():
        return
    if path.exists():
        raise UsageError(f"DIR: found a file, expected the folder of lists: {path.parent}")
    raise UsageError(f"DIR: found no folder {path}, expected one with lists")
