"""`bouncer replay`: shows what would happen to mails and events."""

import argparse
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from bouncer.mail.address import is_domain
from bouncer.mail.message import VERDICTS
from bouncer.mail.text import escaped
from bouncer.rules.fields import POLICY_WORDS, VERDICT_WORDS
from bouncer.rules.rule import Mode
from bouncer.sources.loaded import Loaded
from bouncer_cli.commands.deployment_options import (
    REVISION,
    SSM,
    DeploymentOptions,
    add_deployment_options,
    deployment_options,
)
from bouncer_cli.commands.mail_run import run_mails
from bouncer_cli.commands.prefix_documents import read_parameters
from bouncer_cli.commands.revision_rules import load_revision
from bouncer_cli.commands.rules_in_force import load, load_parameters
from bouncer_cli.commands.terminal import open_console, put_folded, say, say_lines
from bouncer_cli.commands.usage import Commands, UsageError, add_format
from bouncer_cli.explain import explain
from bouncer_cli.mail_by_source import read_named_items
from bouncer_cli.mail_item import Item
from bouncer_cli.passed_over import PassedOver
from bouncer_cli.raw_mail import Envelope
from bouncer_cli.replay import replay
from bouncer_cli.replay_choice import CHOICES, ChosenReport
from bouncer_cli.replay_json import JsonReport
from bouncer_cli.replay_report import Report
from bouncer_cli.replay_table import TableReport
from bouncer_cli.rule_counts import RuleCounts
from bouncer_cli.rule_files import FileSource
from bouncer_sim.clock import Clock, SimulatedClock, SystemClock, now


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "replay",
        help="show what would happen to mails and events",
        description="Show what the rules would do with mails and SES events: the deciding rule for "
        "each, and what becomes of its bounce or reply. No mail leaves this machine.",
        epilog="example: bouncer replay --rules rules --verdict spf=pass inbox.mbox",
    )
    command.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a mail, mbox, Maildir, SES event, archive or folder of these, - for standard input, "
        "or the name that replay printed for one mail, such as box.mbox#3",
    )
    command.add_argument(
        "--rules",
        default="rules",
        metavar="SOURCE",
        help="a folder of rules, their place in SSM such as ssm:/ses-auto-bouncer/main, or what "
        "a deployment has in force: revision:current, or revision:ID (default: rules)",
    )
    command.add_argument(
        "--settings", type=Path, metavar="FILE", help="a settings document for --rules DIR"
    )
    command.add_argument(
        "--lists",
        type=Path,
        metavar="DIR",
        help="a folder of lists for --rules DIR (default: the folder lists beside that of the "
        "rules)",
    )
    add_deployment_options(command)
    command.add_argument(
        "--sender",
        metavar="ADDR",
        help="the envelope sender of raw mails (default: what their servers wrote down, else "
        "assumed to be From's)",
    )
    command.add_argument(
        "--recipient",
        action="append",
        default=[],
        metavar="ADDR",
        help="an envelope recipient of raw mails; may be repeated (default: what their servers "
        "wrote down, else assumed to be To's and Cc's)",
    )
    command.add_argument(
        "--verdict",
        action="append",
        default=[],
        metavar="NAME=WORD",
        help="a verdict of SES for raw mails, such as spf=pass; may be repeated",
    )
    command.add_argument(
        "--trust",
        type=_server,
        metavar="SERVER",
        help="the server whose Authentication-Results are believed in raw mails that SES did not "
        "store, such as mx.google.com",
    )
    add_format(command)
    command.add_argument(
        "--only",
        choices=tuple(CHOICES),
        help="show only these mails; the counts are those of all (shadow: what a rule only "
        "recorded, in mode shadow, outside its share, or braked)",
    )
    command.add_argument(
        "--explain",
        action="store_const",
        const="brief",
        help="for one mail: show the decision, the rule, and the conditions that held",
    )
    command.add_argument(
        "--explain=full",  # an option of its own: with a value, --explain would take the path as it
        dest="explain",
        action="store_const",
        const="full",
        help="for one mail: show every rule, condition and reason",
    )
    command.add_argument(
        "--send",
        action="store_true",
        help="also send the bounces, through queue and worker to a fake SES, and write the replies",
    )
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="the folder to which --send writes each bounce and reply",
    )
    command.add_argument(
        "--real-time",
        action="store_true",
        help="with --send: send at SES's real pace, one bounce a second",
    )
    command.add_argument(
        "--verified",
        action="append",
        default=[],
        metavar="ADDR_OR_DOMAIN",
        help="with --send: a sender that SES has verified, beside the domains that receive the "
        "mails; may be repeated",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    _refuse_contradictions(options)
    envelope = Envelope(
        sender=options.sender,
        recipients=tuple(options.recipient),
        verdicts=_verdicts(options.verdict),
        trusted=options.trust,
    )
    deployment = deployment_options(options, options.rules)
    loaded = _loaded(options.rules, options.settings, options.lists, deployment)
    passed_over = PassedOver()
    items = read_named_items(options.paths, envelope, passed_over)
    if options.explain:
        return _explain(items, loaded, full=options.explain == "full")
    status = _replay(options, items, loaded)
    if passed_over.count:
        say_lines([str(passed_over)])
    return status


def _replay(options: argparse.Namespace, items: Iterable[Item], loaded: Loaded) -> int:
    console = open_console()
    table, counts = TableReport(console), RuleCounts(loaded.ruleset.rules)
    report: Report = table if options.format == "table" else JsonReport(console)
    chosen = ChosenReport(report, options.only) if options.only else None
    reports: list[Report] = [chosen or report]
    if options.format == "table":
        reports.append(counts)
    clock: Clock = SystemClock() if options.real_time else SimulatedClock(SystemClock().time())
    summary = run_mails(
        items, loaded, reports, clock=clock, out=options.out, verified=options.verified
    )
    if options.format == "table":
        say_lines([str(summary), *(counts.lines() if summary.total > 1 else ())])
        say_lines(_remarks(options, loaded, table, chosen))
    if summary.guesses.hint:
        say_lines([summary.guesses.hint])
    return 1 if summary.errors else 0


def _remarks(
    options: argparse.Namespace, loaded: Loaded, table: TableReport, chosen: ChosenReport | None
) -> Iterator[str]:
    """Yield what a reader of the table must know beside it."""
    if chosen:
        yield f"--only {options.only}: {chosen.shown} shown in the table"
    yield from table.remarks()
    settings = loaded.settings
    if settings.mode is not Mode.ENFORCE:
        yield f"settings: mode is {settings.mode}, so nothing is stopped or bounced"
    elif not settings.sending:
        yield "settings: sending is paused, so no bounce is sent until the settings say sending: on"
    if settings.mode is Mode.ENFORCE and loaded.held:
        yield f"{loaded.held.document}: {loaded.held}; {_while_held(loaded)}"
    if options.send:
        yield f"What was sent is in {options.out}."


def _while_held(loaded: Loaded) -> str:
    """Return what becomes of mail now, in the second half of a sentence."""
    goes_on = "mail goes on that would be bounced"
    if loaded.held and loaded.held.since is None:
        return f"{goes_on}, as after 12 hours of it"
    if loaded.goes_on(now(SystemClock())):
        return f"{goes_on}, and the rest is stopped as ever"
    return "mail is stopped as ever, and the jobs of its bounces wait in the queue"


def _refuse_contradictions(options: argparse.Namespace) -> None:
    if options.send and options.out is None:
        raise UsageError("--send: found no --out, expected --out DIR to write the bounces to")
    if options.out is not None and not options.send:
        raise UsageError("--out: found no --send, expected --send --out DIR")
    if options.real_time and not options.send:
        raise UsageError("--real-time: found no --send, expected --send --out DIR --real-time")
    if "" in options.recipient:
        raise UsageError("--recipient: found nothing, expected an address")
    if options.verified and not options.send:
        raise UsageError("--verified: found no --send, expected --send --out DIR")
    if options.explain and options.send:
        raise UsageError("--explain: found --send beside it, expected one of the two")
    if options.explain and options.only:
        raise UsageError("--explain: found --only beside it, expected one of the two")
    if options.explain and options.format == "json":
        raise UsageError("--explain: found --format json beside it, expected --explain alone")


def _server(text: str) -> str:
    """Return the name of a server in lower case, for `--trust`."""
    if not is_domain(text):
        raise argparse.ArgumentTypeError(
            f"found {text!r}, expected the name of one server, such as mx.google.com"
        )
    return text.lower()


def _verdicts(texts: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, word in map(_verdict, texts):
        if found.setdefault(name, word) != word:
            raise UsageError(f"--verdict {name}: found {found[name]} and {word}, expected one")
    return found


def _verdict(text: str) -> tuple[str, str]:
    name, equals, word = text.lower().partition("=")
    known = {**dict.fromkeys(VERDICTS, VERDICT_WORDS), "dmarc_policy": POLICY_WORDS}
    if not equals or name not in known:
        raise UsageError(f"--verdict: found {text!r}, expected NAME=WORD with {', '.join(known)}")
    if word not in known[name]:
        raise UsageError(
            f"--verdict {name}: found {word!r}, expected one of {', '.join(known[name])}"
        )
    return name, word


def _loaded(
    rules: str, settings: Path | None, lists: Path | None, deployment: DeploymentOptions
) -> Loaded:
    """Return what to judge by: files must all be valid, SSM is read as the intake reads it."""
    if rules.startswith(REVISION):
        if settings is not None:
            raise UsageError(
                "--settings: found --rules revision: beside it, expected one of them (the pointer "
                "has its own)"
            )
        loaded, remarks = load_revision(rules, deployment)
        say_lines(remarks)
        return loaded
    if not rules.startswith(SSM):
        if lists and not lists.is_dir():
            raise UsageError(f"--lists: found no folder {lists}, expected one with lists")
        return load(FileSource(Path(rules), settings, lists))
    if lists:
        raise UsageError("--lists: found --rules ssm: beside it, expected --rules DIR")
    prefix = _prefix(rules, settings)
    loaded, remarks = load_parameters(*read_parameters(prefix, "--rules", deployment.region))
    say_lines(remarks)
    return loaded


def _prefix(rules: str, settings: Path | None) -> str:
    if settings is not None:
        raise UsageError(
            "--settings: found --rules ssm: beside it, expected one of them (SSM has its own)"
        )
    prefix = rules.removeprefix(SSM)
    if not prefix.startswith("/"):
        raise UsageError(
            f"--rules: found {rules!r}, expected ssm:/PREFIX such as ssm:/ses-auto-bouncer/main"
        )
    return prefix


def _explain(items: Iterable[Item], loaded: Loaded, *, full: bool) -> int:
    results = list(islice(replay(items, loaded, now=partial(now, SystemClock())), 2))
    if len(results) > 1:
        raise UsageError(
            f"--explain: found several mails, expected one, such as '{results[0].source}'"
        )
    for result in results:
        if result.judgement is None:
            say(escaped(f"{result.source}: {result.error}"))
            return 1
        goes_on = loaded.goes_on(now(SystemClock()))
        for line in explain(
            result.judgement, loaded.ruleset, loaded.settings, full=full, goes_on=goes_on
        ):
            put_folded(line)
    return 0
