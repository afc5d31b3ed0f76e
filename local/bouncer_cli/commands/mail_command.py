"""`bouncer mail`: lists stopped mail, prints one, or releases it to where it can be read."""

import argparse
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bouncer_cli.commands.operation import (
    NOT_DONE,
    add_consent,
    add_deployment,
    agreed,
    as_sentences,
    not_agreed,
)
from bouncer_cli.commands.terminal import open_console, put, put_bytes, say
from bouncer_cli.commands.usage import Commands, UsageError, add_format
from bouncer_sim.clock import SystemClock, now

if TYPE_CHECKING:  # boto3 takes a second, for which --help does not wait
    from bouncer_cli.operations.stopped_mails import StoppedMails, StoredObject

_KEY = "the reference of a bounce, or the beginning (8 characters or more) of a message id"
_SINCE = re.compile(r"(?P<count>[1-9][0-9]{0,4})(?P<unit>[hd])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_MANY = 2_000  # mails for which a person waits some seconds
_LAST = datetime(9999, 1, 1, tzinfo=UTC)


def add(commands: Commands) -> None:
    """Declare the command with its verbs and their options."""
    command = commands.add_parser(
        "mail",
        help="list stopped mail, print one, or release it",
        description="List the mail that a deployment has stopped, print one of them as SES "
        "received it, or release it into an mbox, a folder, a Maildir or a bucket.",
        epilog="example: bouncer mail list --since 2d",
    )
    verbs = command.add_subparsers(required=True, metavar="VERB", title="verbs")
    _add_list(verbs)
    _add_get(verbs)
    _add_release(verbs)


def _add_list(verbs: Commands) -> None:
    command = verbs.add_parser(
        "list",
        help="list stopped mail, the oldest first",
        description="List stopped mail: when it was received, the reference of its bounce or the "
        "beginning of its message id, the rule, and the envelope. It changes nothing.",
        epilog="example: bouncer mail list --rule 200-departed --since 2026-11-26 --format json",
    )
    command.add_argument("keys", nargs="*", metavar="REFERENCE", help=_KEY)
    _add_choice(command)
    add_deployment(command)
    add_format(command)
    command.set_defaults(run=as_sentences(list_mails))


def _add_get(verbs: Commands) -> None:
    command = verbs.add_parser(
        "get",
        help="print one stopped mail as SES received it",
        description="Print one stopped mail as SES received it, byte for byte, into a file or a "
        "pipe. It changes nothing.",
        epilog="example: bouncer mail get bnc-abcdefghij234567 > mail.eml",
    )
    command.add_argument("key", metavar="REFERENCE", help=_KEY)
    add_deployment(command)
    command.set_defaults(run=as_sentences(get))


def _add_release(verbs: Commands) -> None:
    command = verbs.add_parser(
        "release",
        help="write stopped mail to where it can be read or delivered",
        description="Write stopped mail into an mbox (a name that ends in .mbox), a folder of "
        ".eml files, a Maildir (a folder with cur and new) or a bucket. What is there already is "
        "not written again, so run it again if it was interrupted. The mail is kept as well. "
        "A Maildir is made first: mkdir -p Maildir/cur Maildir/new Maildir/tmp",
        epilog="example: bouncer mail release --rule 200-departed --since 2d --to back.mbox "
        "--dry-run",
    )
    command.add_argument("keys", nargs="*", metavar="REFERENCE", help=_KEY)
    command.add_argument(
        "--to",
        required=True,
        metavar="PLACE",
        help="FILE.mbox, a folder, a Maildir, or s3://bucket/prefix",
    )
    _add_choice(command)
    add_deployment(command)
    add_consent(command)
    command.set_defaults(run=as_sentences(release))


def _add_choice(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rule", metavar="RULE", help="mail that this rule stopped")
    command.add_argument(
        "--since",
        metavar="TIME",
        help="mail received since then: 12h, 2d, or 2026-11-26T08:00 in UTC (default: all)",
    )
    command.add_argument("--until", metavar="TIME", help="mail received before then")


def list_mails(options: argparse.Namespace) -> int:
    """Run `bouncer mail list` and return its exit status."""
    from bouncer_cli.operations.stopped_report import json_lines, table  # noqa: PLC0415  # rich

    found = list(_chosen(options, _stopped_mails(options)))
    if options.format == "json":
        json_lines(open_console(), found)
    elif found:
        table(open_console(), found)
    else:
        say("found no stopped mail")
    return 0


def get(options: argparse.Namespace) -> int:
    """Run `bouncer mail get` and return its exit status."""
    from bouncer_cli.operations.stopped_mails import called  # noqa: PLC0415  # boto3

    if sys.stdout.isatty():
        raise UsageError("found a terminal, expected a file or a pipe for the mail: add > mail.eml")
    mails = _stopped_mails(options)
    found = called(mails.between(_EVER, _LAST), [options.key])
    put_bytes(mails.read(found[0]))
    return 0


def release(options: argparse.Namespace) -> int:
    """Run `bouncer mail release` and return its exit status."""
    from bouncer_cli.operations.release_target import Form, form_of  # noqa: PLC0415  # boto3
    from bouncer_cli.operations.stopped_mails import each_once  # noqa: PLC0415  # boto3
    from bouncer_cli.operations.stopped_report import table  # noqa: PLC0415  # rich

    if bool(options.keys) == bool(options.rule or options.since or options.until):
        found = "both" if options.keys else "nothing that chooses mail"
        raise UsageError(f"found {found}, expected REFERENCE, or any of --rule, --since, --until")
    form = form_of(options.to)
    mails = _stopped_mails(options)
    chosen = each_once(_chosen(options, mails))
    if not chosen:
        say("found no stopped mail")
        return 0
    table(open_console(), chosen)
    question = f"Copy {_counted(chosen)} to {options.to}?"
    if (options.dry_run or form is Form.BUCKET) and not agreed(options, question):
        return not_agreed(options)
    return _release(options.to, form, mails, chosen)


def _release(place: str, form: str, mails: "StoppedMails", chosen: "list[StoredObject]") -> int:
    """Write mails, and report each as soon as it is written; return the exit status."""
    from bouncer_cli.doctor.account import NotFoundError, UnavailableError  # noqa: PLC0415
    from bouncer_cli.operations.operated_account import sentence  # noqa: PLC0415
    from bouncer_cli.operations.release_target import open_target  # noqa: PLC0415
    from bouncer_cli.operations.stopped_report import name_of  # noqa: PLC0415

    released = present = 0
    with open_target(place, mails) as target:
        for each in chosen:
            name = name_of(each.stopped)
            try:
                written = target.put(each, lambda found=each: mails.read(found))  # type: ignore[misc]  # bound now
            except (NotFoundError, UnavailableError) as error:
                say(f"{name}: not released: {sentence(error)}")
                continue
            released, present = released + written, present + (not written)
            put(f"{name}: {'released' if written else 'is there already'}")
    left = len(chosen) - released - present
    more = f", {left} not released" if left else ""
    say(f"{released} released into {place} ({form}), {present} were there already{more}")
    return NOT_DONE if left else 0


def _stopped_mails(options: argparse.Namespace) -> "StoppedMails":
    from bouncer_cli.operations.operated_deployment import find_deployment  # noqa: PLC0415  # boto3
    from bouncer_cli.operations.stopped_mails import StoppedMails  # noqa: PLC0415

    return StoppedMails(find_deployment(options.settings, options.region, name=options.deployment))


def _chosen(options: argparse.Namespace, mails: "StoppedMails") -> "Iterator[StoredObject]":
    """Yield the stopped mails that the options name, described."""
    from bouncer_cli.operations.stopped_mails import called  # noqa: PLC0415  # boto3

    moment = now(SystemClock())
    since = _time("--since", options.since, moment) or _EVER
    until = _time("--until", options.until, moment) or _LAST
    found = mails.between(since, until)
    if options.keys:
        found = called(found, options.keys)
    if len(found) > _MANY:
        say(f"looking at {len(found)} stopped mails, some 200 a second; --since makes it fewer")
    for each in mails.described(found):
        if not options.rule or options.rule in each.stopped.rules:
            yield each


def _time(option: str, text: str | None, moment: datetime) -> datetime | None:
    """Return the time in an option, as a time ago or a time in UTC; None without one."""
    if text is None:
        return None
    if ago := _SINCE.fullmatch(text):
        return moment - int(ago["count"]) * _UNITS[ago["unit"]]
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option}: found {text}, expected a time such as 12h, 2d or 2026-11-26T08:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _counted(found: "list[StoredObject]") -> str:
    return "1 mail" if len(found) == 1 else f"{len(found)} mails"
