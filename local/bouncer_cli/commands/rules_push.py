"""`bouncer rules push`: writes the rules of a folder into SSM, and waits for their revision."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from bouncer.errors import BouncerError
from bouncer.sources.source import PUSHING, RULES, Document, Documents
from bouncer_cli.commands.operation import (
    NOT_DONE,
    add_consent,
    add_deployment,
    agreed,
    as_sentences,
    not_agreed,
)
from bouncer_cli.commands.terminal import put, put_folded, say, say_lines
from bouncer_cli.commands.usage import Commands, UsageError
from bouncer_cli.documents_check import DocumentsCheck, check_documents, counted
from bouncer_cli.entry_point import INTERRUPTED, WRONG_USAGE
from bouncer_cli.rule_files import FileSource
from bouncer_sim.clock import SystemClock, now

if TYPE_CHECKING:  # boto3 takes a second
    from bouncer_cli.operations.parameter_calls import ParameterCalls
    from bouncer_cli.operations.push_plan import PushPlan
    from bouncer_cli.operations.push_target import PushTarget
    from bouncer_cli.operations.pushing_claim import PushingClaim


_WRITTEN = (
    "the documents are written; they are in force as soon as the publisher has read them, which "
    "runs by itself every 15 minutes"
)


def add(verbs: Commands) -> None:
    """Declare the verb and its options."""
    push = verbs.add_parser(
        "push",
        help="write the rules of a folder into SSM, and wait until they are in force",
        description="Show how the rules of a folder differ from those in SSM, write what differs, "
        "and wait until they are in force. Until all are written, the rules in force stay as they "
        "are. If it is interrupted, run it again. It never writes settings.",
        epilog="example: bouncer rules push rules --dry-run",
    )
    push.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("rules"),
        metavar="DIR",
        help="a folder with one file for each rule (default: rules)",
    )
    push.add_argument(
        "--prune", action="store_true", help="remove rules in SSM that have no file in the folder"
    )
    push.add_argument(
        "--prefix",
        metavar="PREFIX",
        help="the path of rules and settings in SSM (default: that of the cdk.json)",
    )
    add_deployment(push)
    add_consent(push)
    push.set_defaults(run=as_sentences(run))


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from bouncer.sources.parameters import ParameterSource  # noqa: PLC0415  # boto3
    from bouncer_cli.operations.parameter_calls import ParameterCalls  # noqa: PLC0415
    from bouncer_cli.operations.pushing_claim import PushingClaim  # noqa: PLC0415

    files = _files(options.folder)
    if _refused(check_documents(files, now(SystemClock())).problems):
        return WRONG_USAGE
    target = _target(options)
    calls = ParameterCalls(target.account, SystemClock())
    stored = ParameterSource(calls, target.prefix).read()
    put_folded(target.shown)
    check = check_documents(_merged(files, stored, options.prune), now(SystemClock()))
    plan = _plan(files, stored, check, options.prune)
    if plan is None:
        return WRONG_USAGE
    claim = PushingClaim(
        calls,
        f"{target.prefix}/{PUSHING}",
        name=check.revision.id[:12],
        by=target.caller(),
        clock=SystemClock(),
    )
    _show((*claim.expect_free(stored.pushing), *plan.lines()), check)
    remarks: list[str] = []
    if plan.changes or stored.pushing:
        if not agreed(options, f"Write {counted(len(plan.changes), 'change')}?"):
            return not_agreed(options)
        status, remarks = _written(plan, stored.pushing, calls, claim, target.prefix)
        if status:
            return status
    elif options.dry_run:
        return not_agreed(options)
    return _in_force(target, check) or (NOT_DONE if remarks else 0)


def _files(folder: Path) -> Documents:
    files = FileSource(folder, named="DIR").read()
    if not files.rules:
        raise UsageError(
            f"{folder}: found no rule, expected at least one; to remove the last rule see "
            "docs/operations.md#delete-or-rename-a-rule"
        )
    return files


def _refused(problems: Mapping[str, Iterable[str]]) -> bool:
    """Print what keeps the documents from being pushed, and tell whether there is anything."""
    for said in problems.values():
        for problem in said:
            put_folded(f"problem: {problem}")
    if problems:
        say(f"{counted(len(problems), 'document')} refused: nothing was changed")
    return bool(problems)


def _target(options: argparse.Namespace) -> "PushTarget":
    from bouncer_cli.operations.push_target import (  # noqa: PLC0415  # boto3
        deployed_target,
        target_below,
    )

    if options.prefix is None:
        return deployed_target(options.settings, options.region)
    return target_below(options.prefix, options.region)


def _merged(files: Documents, stored: Documents, prune: bool) -> Documents:
    """Return all documents as they will be."""
    kept = {} if prune else stored.rules
    return Documents({**kept, **files.rules}, stored.settings, stored.held)


def _plan(
    files: Documents, stored: Documents, check: DocumentsCheck, prune: bool
) -> "PushPlan | None":
    """Return the plan, or print why there is none."""
    from bouncer_cli.operations.push_plan import obstacles, push_plan  # noqa: PLC0415

    wanted, there = _named(files.rules), _named(stored.rules)
    ours = {name: said for name, said in check.problems.items() if name in wanted}
    if _refused(obstacles(wanted, there, prune=prune) or ours):
        return None
    return push_plan(wanted, there, prune=prune)


def _named(rules: Mapping[str, Document]) -> dict[str, Document]:
    return {f"{RULES}{name}": document for name, document in rules.items()}


def _show(lines: Iterable[str], check: DocumentsCheck) -> None:
    """Print the plan, and what the publisher will say of the documents."""
    for line in lines:
        (put if line.startswith(" ") else put_folded)(line)
    for said in check.problems.values():
        for problem in said:
            put_folded(f"problem: {problem}")
    for warning in check.warnings:
        put_folded(f"warning: {warning}")


def _written(
    plan: "PushPlan",
    pushing: Document | None,
    calls: "ParameterCalls",
    claim: "PushingClaim",
    prefix: str,
) -> tuple[int, list[str]]:
    """Make the changes; return the exit status, and remarks, which are printed as well."""
    from bouncer_cli.operations.operated_account import sentence  # noqa: PLC0415  # boto3
    from bouncer_cli.operations.push import Push  # noqa: PLC0415

    status = 0
    with _progress(len(plan.changes)) as progress:
        push = Push(calls, claim, prefix=prefix, progress=progress)
        try:
            push.run(plan.changes, pushing)
        except KeyboardInterrupt:
            status = INTERRUPTED
        except BouncerError as error:
            say_lines(sentence(error).splitlines())
            status = NOT_DONE
    if status:
        say_lines(push.stopped(len(plan.changes)))
    say_lines(push.remarks)
    return status, push.remarks


def _in_force(target: "PushTarget", check: DocumentsCheck) -> int:
    """Have the documents published, and print what is in force then; return the exit status."""
    from bouncer_cli.operations.operated_account import sentence  # noqa: PLC0415  # boto3
    from bouncer_cli.operations.publish_now import published  # noqa: PLC0415

    try:
        found = published(target.account, target.publisher)
    except BouncerError as error:
        say_lines((*sentence(error).splitlines(), _WRITTEN))
        return NOT_DONE
    for said in found.problems.values():
        for problem in said:
            put_folded(f"problem: {problem}")
    put_folded(f"in force:  revision {found.revision}")
    if found.revision != check.revision.id and not check.problems:
        say_lines(
            [f"expected revision {check.revision.id}: somebody else changes rules; push again"]
        )
        return NOT_DONE
    return NOT_DONE if found.problems else 0


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], object]]:
    """Show on a terminal how many changes are made, and about how long the others take."""
    with Progress(
        TextColumn("{task.completed} of {task.total} changes"),
        BarColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)
