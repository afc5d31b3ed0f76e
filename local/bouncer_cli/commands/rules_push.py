"""`bouncer rules push`: writes the rules of a folder into SSM, and the lists that they name."""

import argparse
from pathlib import Path

from bouncer.rules.list_warnings import named_lists
from bouncer.sources.source import RULES
from bouncer_cli.commands.document_push import Wanted, add_push, push, refused
from bouncer_cli.commands.operation import as_sentences
from bouncer_cli.commands.usage import Commands, UsageError
from bouncer_cli.documents_check import check_documents
from bouncer_cli.entry_point import WRONG_USAGE
from bouncer_cli.list_files import ListFolder
from bouncer_cli.rule_files import FileSource
from bouncer_sim.clock import SystemClock, now


def add(verbs: Commands) -> None:
    """Declare the verb and its options."""
    command = verbs.add_parser(
        "push",
        help="write the rules of a folder into SSM, and wait until they are in force",
        description="Show how the rules of a folder, and the lists that they name, differ from "
        "those in SSM, write what differs, and wait until it is in force. Until all is written, "
        "the rules in force stay as they are. If it is interrupted, run it again. It never writes "
        "settings.",
        epilog="example: bouncer rules push rules --dry-run",
    )
    command.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("rules"),
        metavar="DIR",
        help="a folder with one file for each rule (default: rules)",
    )
    command.add_argument(
        "--lists",
        type=Path,
        metavar="DIR",
        help="the folder of the lists (default: lists beside that of the rules)",
    )
    add_push(command, "rules")
    command.set_defaults(run=as_sentences(run))


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from bouncer_cli.operations.list_parameter import list_parameters  # noqa: PLC0415  # boto3

    if options.lists and not options.lists.is_dir():
        raise UsageError(f"--lists: found no folder {options.lists}, expected one with lists")
    lists = ListFolder(options.lists or options.folder.resolve().parent / "lists")
    files = FileSource(options.folder, lists=lists.folder, named="DIR").read()
    if not files.rules:
        raise UsageError(
            f"{options.folder}: found no rule, expected at least one; to remove the last rule see "
            "docs/operations.md#delete-or-rename-a-rule"
        )
    check = check_documents(files, now(SystemClock()))
    if refused(check.problems):
        return WRONG_USAGE
    named = {name: lists[name] for name in named_lists(check.revision.rules) if name in lists}
    return push(options, Wanted(RULES, files.rules, named, list_parameters(named)))
