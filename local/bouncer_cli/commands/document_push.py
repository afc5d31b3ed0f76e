"""Pushes documents into SSM and waits for their revision: `bouncer rules push`, `lists push`."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from bouncer.errors import BouncerError
from bouncer.rules.list_warnings import named_lists
from bouncer.sources.source import LISTS, PUSHING, RULES, SETTINGS, Document, Documents, WrittenList
from bouncer_cli.commands.operation import (
    NOT_DONE,
    add_consent,
    add_deployment,
    agreed,
    not_agreed,
)
from bouncer_cli.commands.terminal import put, put_folded, say, say_lines
from bouncer_cli.documents_check import DocumentsCheck, check_documents, counted
from bouncer_cli.entry_point import INTERRUPTED, WRONG_USAGE
from bouncer_sim.clock import SystemClock, now

if TYPE_CHECKING:  # boto3 takes a second
    from bouncer_cli.operations.list_parameter import ListParameter
    from bouncer_cli.operations.publish_now import Published
    from bouncer_cli.operations.push import Push
    from bouncer_cli.operations.push_plan import PushPlan
    from bouncer_cli.operations.push_target import PushTarget

_REFUSED = {SETTINGS: "the settings are"}
_SECOND_LOOKS = 3  # SSM may not show the end of a push at once
_SECOND_LOOK_S = 2.0
_WRITTEN = (
    "the documents are written; they are in force as soon as the publisher has read them, which "
    "runs by itself every 15 minutes"
)


class Wanted(NamedTuple):
    """The rules and lists that a command pushes by name, and of lists the parameters.

    `below` is `rules/` or `lists/`: what has no file below it is pruned.
    """

    below: str
    rules: Mapping[str, Document]
    lists: Mapping[str, WrittenList]
    parameters: Mapping[str, "ListParameter"]

    @property
    def documents(self) -> dict[str, Document]:
        """All documents by their names below the prefix."""
        rules = {f"{RULES}{name}": document for name, document in self.rules.items()}
        lists = {
            f"{LISTS}{name}": Document(self.lists[name].label, found.text)
            for name, found in self.parameters.items()
        }
        return {**lists, **rules}


def add_push(command: argparse.ArgumentParser, noun: str) -> None:
    """Declare the options of a command that pushes."""
    command.add_argument(
        "--prune", action="store_true", help=f"remove {noun} in SSM that have no file here"
    )
    command.add_argument(
        "--prefix",
        metavar="PREFIX",
        help="the path of rules and settings in SSM (default: that of the cdk.json)",
    )
    add_deployment(command)
    add_consent(command)


def push(options: argparse.Namespace, wanted: Wanted) -> int:
    """Show what a push will change, ask, do it, and return the exit status."""
    from bouncer.sources.parameters import ParameterSource  # noqa: PLC0415  # boto3
    from bouncer.sources.uploads import Uploads  # noqa: PLC0415
    from bouncer_cli.operations.list_upload import missing_uploads, upload  # noqa: PLC0415
    from bouncer_cli.operations.parameter_calls import ParameterCalls  # noqa: PLC0415
    from bouncer_cli.operations.push import Push  # noqa: PLC0415
    from bouncer_cli.operations.pushing_claim import ClaimError, PushingClaim  # noqa: PLC0415

    target = _target(options)
    calls = ParameterCalls(target.account, SystemClock())
    fetch = Uploads(target.account.client("s3"), target.bucket).fetch
    stored = ParameterSource(calls, target.prefix, fetch).read()
    put_folded(target.shown)
    check = check_documents(_merged(wanted, stored, options.prune), now(SystemClock()))
    plan = _plan(wanted, stored, check, options.prune)
    if plan is None:
        return WRONG_USAGE
    claim = PushingClaim(
        calls,
        f"{target.prefix}/{PUSHING}",
        name=check.revision.id[:12],
        by=target.caller(),
        clock=SystemClock(),
    )
    missing = missing_uploads(target, wanted.parameters.values())
    uploads = [f"upload:    {each.key} ({len(each.data):,} bytes)" for each in missing]
    try:
        goes_on = tuple(claim.expect_free(stored.pushing))
    except ClaimError as error:
        say_lines([str(error)])
        return NOT_DONE
    _show((*goes_on, *uploads, *plan.lines()), check)
    remarks: list[str] = []
    if plan.changes or missing or stored.pushing:
        if not agreed(options, f"Write {counted(len(plan.changes), 'change')}?"):
            return not_agreed(options)
        with _progress(len(plan.changes)) as progress:
            work = Push(calls, claim, prefix=target.prefix, progress=progress)
            status = _done(work, lambda: upload(target, missing), plan, stored.pushing)
        remarks = work.remarks
        if status:
            return status
    elif options.dry_run:
        return not_agreed(options)
    return _in_force(target, check) or (NOT_DONE if remarks else 0)


def refused(problems: Mapping[str, Iterable[str]]) -> bool:
    """Print what keeps documents from being pushed, and tell whether there is anything."""
    _put_problems(problems)
    if problems:
        say(f"{counted(len(problems), 'document')} refused: nothing was changed")
    return bool(problems)


def _target(options: argparse.Namespace) -> "PushTarget":
    from bouncer_cli.operations.push_target import (  # noqa: PLC0415  # boto3
        deployed_target,
        target_below,
    )

    if options.prefix is None:
        return deployed_target(options.settings, options.region, name=options.deployment)
    return target_below(options.prefix, options.region)


def _merged(wanted: Wanted, stored: Documents, prune: bool) -> Documents:
    """Return all documents as they will be."""
    pruned = wanted.below if prune else ""
    rules = {} if pruned == RULES else stored.rules
    lists = {} if pruned == LISTS else stored.lists
    return Documents(
        {**rules, **wanted.rules},
        stored.settings,
        stored.held,
        lists={**lists, **wanted.lists},
    )


def _plan(
    wanted: Wanted, stored: Documents, check: DocumentsCheck, prune: bool
) -> "PushPlan | None":
    """Return the plan; None after printing what stands in its way."""
    from bouncer_cli.operations.push_plan import obstacles, push_plan  # noqa: PLC0415

    ours = wanted.documents
    there = {
        name: document
        for name, document in _stored(stored).items()
        if name in ours or name.startswith(wanted.below)
    }
    wrong = {name: said for name, said in check.problems.items() if name in ours}
    named = _named_still(there.keys() - ours.keys(), check) if prune else {}
    if refused(obstacles(ours, there, prune=prune) or wrong or named):
        return None
    return push_plan(ours, there, prune=prune)


def _named_still(removed: Iterable[str], check: DocumentsCheck) -> dict[str, list[str]]:
    """Return a sentence for each list to remove that a rule names."""
    by_list = {
        f"{LISTS}{name}": rule.name
        for rule in reversed(check.revision.rules)
        for name in named_lists([rule])
    }
    step = "push rules without it first"
    return {
        name: [f"{name}: found in rule {by_list[name]}, expected no rule that names it: {step}"]
        for name in sorted(removed)
        if name in by_list
    }


def _stored(documents: Documents) -> dict[str, Document]:
    from bouncer.sources.parameters import ParameterList  # noqa: PLC0415  # boto3

    lists = {
        f"{LISTS}{name}": found.document
        for name, found in documents.lists.items()
        if isinstance(found, ParameterList)
    }
    return {**lists, **{f"{RULES}{name}": rule for name, rule in documents.rules.items()}}


def _show(lines: Iterable[str], check: DocumentsCheck) -> None:
    """Print the plan, and what the publisher will say of the documents."""
    for line in lines:
        (put if line.startswith(" ") else put_folded)(line)
    _put_problems(check.problems)
    for warning in check.warnings:
        put_folded(f"warning: {warning}")


def _done(
    work: "Push", first: Callable[[], None], plan: "PushPlan", pushing: Document | None
) -> int:
    """Make the changes after what comes `first`; print what went wrong, return the exit status."""
    from bouncer_cli.operations.operated_account import sentence  # noqa: PLC0415  # boto3

    status = 0
    try:
        first()
        work.run(plan.changes, pushing)
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BouncerError as error:
        say_lines(sentence(error).splitlines())
        status = NOT_DONE
    if status:
        say_lines(work.stopped(len(plan.changes)))
    say_lines(work.remarks)
    return status


def _in_force(target: "PushTarget", check: DocumentsCheck) -> int:
    """Have the documents published, and print what is in force then; return the exit status."""
    from bouncer_cli.operations.operated_account import sentence  # noqa: PLC0415  # boto3

    foretold = None if check.problems else check.revision.id
    try:
        found = _published(target, foretold)
    except KeyboardInterrupt:
        say_lines([_WRITTEN])
        return INTERRUPTED
    except BouncerError as error:
        say_lines((*sentence(error).splitlines(), _WRITTEN))
        return NOT_DONE
    _put_problems(_unsaid(found.problems, check.problems))
    put_folded(f"in force:  revision {found.revision}")
    if foretold not in (None, found.revision):
        say_lines([f"expected revision {foretold}: somebody else changes rules; push again"])
        return NOT_DONE
    say_lines(
        f"{_REFUSED.get(name, f'{name} is')} refused (not by this push): correct "
        f"{target.prefix}/{name}"
        for name in found.problems
        if name in check.problems
    )
    return NOT_DONE if found.problems else 0


def _unsaid(
    found: Mapping[str, Iterable[str]], said: Mapping[str, Iterable[str]]
) -> dict[str, list[str]]:
    """Return the publisher's problems that were not foretold in the same words."""
    return {
        name: [problem for problem in problems if problem not in said.get(name, ())]
        for name, problems in found.items()
    }


def _published(target: "PushTarget", foretold: str | None) -> "Published":
    """Return the publisher's answer; ask again if it has not seen the last change yet."""
    from bouncer_cli.operations.publish_now import published  # noqa: PLC0415  # boto3

    found = published(target.account, target.publisher)
    for _ in range(_SECOND_LOOKS):
        if foretold in (None, found.revision):
            break
        SystemClock().sleep(_SECOND_LOOK_S)
        found = published(target.account, target.publisher)
    return found


def _put_problems(problems: Mapping[str, Iterable[str]]) -> None:
    for said in problems.values():
        for problem in said:
            put_folded(f"problem: {problem}")


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
