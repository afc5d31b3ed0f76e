"""`bouncer jobs`: lists dead letters, shows one, puts them back to the queue, or deletes them."""

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from bouncer_cli.commands.operation import (
    NOT_DONE,
    add_consent,
    add_deployment,
    agreed,
    as_sentences,
    not_agreed,
)
from bouncer_cli.commands.terminal import open_console, put, say, say_lines
from bouncer_cli.commands.usage import Commands, UsageError, add_format
from bouncer_sim.clock import SystemClock, now

if TYPE_CHECKING:  # boto3 takes a second, for which --help does not wait
    from bouncer_cli.operations.dead_letter import DeadLetter
    from bouncer_cli.operations.dead_letter_look import DeadLetterLook
    from bouncer_cli.operations.dead_letter_queue import Result
    from bouncer_cli.operations.dead_letter_report import DeadLetterReport

_KEY = "a reference, or the beginning of a queue message's id"


def add(commands: Commands) -> None:
    """Declare the command with its verbs and their options."""
    command = commands.add_parser(
        "jobs",
        help="list, show, retry or drop dead letters",
        description="List the dead letters of a deployment, bounces and replies, show one of them, "
        "put them back to their queue, or delete them.",
        epilog="example: bouncer jobs list --region eu-west-1",
    )
    verbs = command.add_subparsers(required=True, metavar="VERB", title="verbs")
    _add_list(verbs)
    _add_show(verbs)
    _add_retry(verbs)
    _add_drop(verbs)


def _add_list(verbs: Commands) -> None:
    command = verbs.add_parser(
        "list",
        help="list the dead letters with the end of their 24 hours",
        description="List the dead letters: the reference, the age of the mail, the end of its 24 "
        "hours, and the end of the job in the ledger. It changes nothing.",
        epilog="example: bouncer jobs list --format json",
    )
    add_deployment(command)
    add_format(command)
    command.set_defaults(run=as_sentences(list_letters))


def _add_show(verbs: Commands) -> None:
    command = verbs.add_parser(
        "show",
        help="show all of one dead letter",
        description="Show all of one dead letter: its job, its end in the ledger, and what SES "
        "would be asked. It changes nothing.",
        epilog="example: bouncer jobs show bnc-abcdefghij234567",
    )
    command.add_argument("key", metavar="REFERENCE", help=_KEY)
    add_deployment(command)
    add_format(command)
    command.set_defaults(run=as_sentences(show))


def _add_retry(verbs: Commands) -> None:
    command = verbs.add_parser(
        "retry",
        help="put dead letters back to the queue of jobs",
        description="Put dead letters back to the queue of jobs, then delete them. A job keeps the "
        "24 hours of its mail, and no recipient is bounced twice. Remove the cause first.",
        epilog="example: bouncer jobs retry --identity example.com --dry-run",
    )
    command.add_argument("keys", nargs="*", metavar="REFERENCE", help=_KEY)
    command.add_argument(
        "--identity", metavar="X", help="all that are sent from this address or domain"
    )
    command.add_argument("--all", action="store_true", help="all that are jobs and not too old")
    add_deployment(command)
    add_consent(command)
    command.set_defaults(run=as_sentences(retry))


def _add_drop(verbs: Commands) -> None:
    command = verbs.add_parser(
        "drop",
        help="delete dead letters, so that their bounces are never sent",
        description="Delete dead letters: their bounces are never sent.",
        epilog="example: bouncer jobs drop --expired --dry-run",
    )
    command.add_argument("keys", nargs="*", metavar="REFERENCE", help=_KEY)
    command.add_argument("--expired", action="store_true", help="all whose 24 hours are over")
    add_deployment(command)
    add_consent(command)
    command.set_defaults(run=as_sentences(drop))


def _look(options: argparse.Namespace) -> "tuple[DeadLetterLook, DeadLetterReport]":
    from bouncer.environment import deployment_name  # noqa: PLC0415  # boto3
    from bouncer_cli.operations.dead_letter_look import DeadLetterLook  # noqa: PLC0415
    from bouncer_cli.operations.dead_letter_report import DeadLetterReport  # noqa: PLC0415
    from bouncer_cli.operations.operated_deployment import find_deployment  # noqa: PLC0415

    deployment = find_deployment(options.settings, options.region, name=options.deployment)
    look = DeadLetterLook(deployment, now(SystemClock()))
    return look, DeadLetterReport(
        open_console(),
        now=look.now,
        margin=look.margin,
        deployment=deployment_name(deployment.prefix),
    )


def list_letters(options: argparse.Namespace) -> int:
    """Run `bouncer jobs list` and return its exit status."""
    look, report = _look(options)
    if options.format == "json":
        report.json(look.letters)
    elif look.letters:
        report.table(look.letters)
    else:
        say("found no dead letter")
    say_lines(look.remarks)
    return 0


def show(options: argparse.Namespace) -> int:
    """Run `bouncer jobs show` and return its exit status."""
    look, report = _look(options)
    letters = look.called([options.key])
    if options.format == "json":
        report.json(letters, whole=True)
        return 0
    for letter in letters:
        for line in report.whole(letter):
            put(line)
    return 0


def retry(options: argparse.Namespace) -> int:
    """Run `bouncer jobs retry` and return its exit status."""
    _one_choice("REFERENCE, --identity X or --all", options.keys, options.identity, options.all)
    look, report = _look(options)
    letters = look.called(options.keys) if options.keys else look.letters
    if options.identity:
        letters = look.of_identity(options.identity)
    refused = {each.id: why for each in letters if (why := look.refusal(each))}
    say_lines(f"{each.name}: {refused[each.id]}" for each in letters if each.id in refused)
    ready = [each for each in letters if each.id not in refused]
    question = f"Put {_counted(ready)} back to the queue of jobs?"
    act = look.queue.put_back
    status = _act(options, look, report, ready, question=question, act=act, verb="put back")
    return status or (NOT_DONE if refused else 0)


def drop(options: argparse.Namespace) -> int:
    """Run `bouncer jobs drop` and return its exit status."""
    _one_choice("REFERENCE or --expired", options.keys, options.expired)
    look, report = _look(options)
    letters = look.expired() if options.expired else look.called(options.keys)
    question = f"Delete {_counted(letters)}? What they hold is never sent."
    act = look.queue.delete
    return _act(options, look, report, letters, question=question, act=act, verb="deleted")


def _one_choice(words: str, *choices: object) -> None:
    given = [choice for choice in choices if choice]
    if len(given) != 1:
        found = "several of them" if given else "nothing"
        raise UsageError(f"found {found}, expected one of {words} to name dead letters")


def _act(
    options: argparse.Namespace,
    look: "DeadLetterLook",
    report: "DeadLetterReport",
    letters: "list[DeadLetter]",
    *,
    question: str,
    act: "Callable[[Iterable[DeadLetter]], Iterable[Result]]",
    verb: str,
) -> int:
    """Show letters, ask, act, and report each as soon as it is done; return the exit status."""
    from bouncer_cli.operations.dead_letter_look import results_in_words  # noqa: PLC0415  # boto3

    if letters:
        report.table(letters)
    say_lines(look.remarks)
    if not letters:
        say(f"found no dead letter that can be {verb}")
        return 0
    if not agreed(options, question):
        return not_agreed(options)
    status = 0
    for done, words in results_in_words(letters, act(letters), verb):
        (put if done else say)(words)
        status = status if done else NOT_DONE
    return status


def _counted(letters: "list[DeadLetter]") -> str:
    return "1 dead letter" if len(letters) == 1 else f"{len(letters)} dead letters"
