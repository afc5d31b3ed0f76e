"""The `bouncer` command: a thin skin over replay, the demo, the fake SES and the doctor.

Errors are one readable sentence each, never a traceback; exit status 0 when every input was read, 1
when some was not or the doctor found a problem, 2 for wrong usage or invalid rules.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path

from botocore.exceptions import BotoCoreError, NoRegionError
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bouncer.condition import POLICY_WORDS, VERDICT_FIELDS, VERDICT_WORDS
from bouncer.errors import BouncerError
from bouncer.parameters import FileSource, Loaded, Loader, ParameterSource, Source
from bouncer.rule import Mode
from bouncer.settings import Settings
from bouncer_local import __path__ as package_path
from bouncer_local.clock import Clock, SimulatedClock, SystemClock, now
from bouncer_local.explain import explain
from bouncer_local.mailfile import Item, read_items
from bouncer_local.rawmail import Envelope
from bouncer_local.replay import Result, replay
from bouncer_local.report import JsonReport, Report, Summary, TableReport

_PACKAGE = Path(package_path[0])
SAMPLES = _PACKAGE / "samples"
SHIPPED_RULES = _PACKAGE.parents[1] / "rules"

_SSM = "ssm:"
_WRONG_USAGE = 2


class UsageError(BouncerError):
    """The command line asks for something that can't be; the text says what instead."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except BouncerError as error:
        print(_terminal_safe(str(error)), file=sys.stderr)  # noqa: T201  # errors go to people
        return _WRONG_USAGE
    except BrokenPipeError:  # `bouncer replay ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, BotoCoreError) as error:  # a full disk, no AWS region, ...
        print(_terminal_safe(str(error)), file=sys.stderr)  # noqa: T201  # errors go to people
        return _WRONG_USAGE
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)  # noqa: T201
        return 130


def _terminal_safe(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bouncer", description="Try mail rules on real mail before you trust them with yours."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_replay(commands)
    _add_demo(commands)
    _add_ses(commands)
    _add_doctor(commands)
    return parser


def _add_replay(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "replay",
        help="show what would happen to mails and events",
        description="Show what would happen to mails and SES events. Nothing leaves this machine.",
        epilog="example: bouncer replay --rules rules --verdict spf=pass inbox.mbox",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="mail, mbox, Maildir, SES event, folder of these, or -",
    )
    command.add_argument(
        "--rules",
        default="rules",
        metavar="DIR|ssm:PREFIX",
        help="where the rules are (default: rules)",
    )
    command.add_argument("--settings", type=Path, metavar="FILE", help="a settings document")
    command.add_argument("--sender", metavar="ADDR", help="the envelope sender of raw mails")
    command.add_argument(
        "--recipient",
        action="append",
        default=[],
        metavar="ADDR",
        help="an envelope recipient; repeat",
    )
    command.add_argument(
        "--verdict",
        action="append",
        default=[],
        metavar="NAME=WORD",
        help="a verdict for raw mails, such as spf=pass; repeat",
    )
    command.add_argument("--format", choices=("table", "json"), default="table")
    command.add_argument(
        "--explain", action="store_true", help="tell for one mail why, condition by condition"
    )
    command.add_argument(
        "--send", action="store_true", help="drive queue, worker and a fake SES as well"
    )
    command.add_argument("--out", type=Path, metavar="DIR", help="where --send writes each bounce")
    command.add_argument(
        "--real-time", action="store_true", help="bounce at the real pace, one a second"
    )
    command.add_argument(
        "--verified",
        action="append",
        default=[],
        metavar="ADDR_OR_DOMAIN",
        help="a sender SES has verified, beside the domains that receive the mails; repeat",
    )
    command.set_defaults(run=_replay)


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "demo",
        help="judge, queue, pace and bounce the shipped sample mails",
        description="Replay the shipped mails over the shipped rules and send what they bounce "
        "to a fake SES.",
        epilog="example: bouncer demo --out demo-out",
    )
    command.add_argument("--out", type=Path, default=Path("demo-out"), metavar="DIR")
    command.add_argument(
        "--real-time", action="store_true", help="bounce at the real pace, one a second"
    )
    command.set_defaults(run=_demo)


def _add_ses(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "ses",
        help="run a fake SES that takes SendBounce calls",
        description="Run a fake SES on loopback until a signal; any SDK reaches it by "
        "AWS_ENDPOINT_URL_SES.",
        epilog="example: bouncer ses --verified example.com --out bounces mails/",
    )
    command.add_argument("--port", type=int, default=0, metavar="N", help="default: any free one")
    command.add_argument("--verified", action="append", default=[], metavar="ADDR_OR_DOMAIN")
    command.add_argument("--out", type=Path, metavar="DIR", help="where each bounce is written")
    command.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND@CALL",
        help="such as throttle@2; repeat",
    )
    command.add_argument("mail", nargs="+", metavar="MAIL", help="what SES has received")
    command.set_defaults(run=_ses)


def _add_doctor(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "doctor",
        help="check an account and region before and after deploying",
        description="Look at an account and region, before or after deploying, and say what to do. "
        "Nothing is changed. Exit status 1 if there is a problem.",
        epilog="example: bouncer doctor --settings cdk.json --region eu-west-1",
    )
    command.add_argument(
        "--settings",
        type=Path,
        default=Path("cdk.json"),
        metavar="FILE",
        help="what the deployment is made from (default: cdk.json)",
    )
    command.add_argument(
        "--region", metavar="REGION", help="default: that of the environment or profile"
    )
    command.add_argument("--format", choices=("table", "json"), default="table")
    command.set_defaults(run=_doctor)


def _replay(options: argparse.Namespace) -> int:
    _refuse_contradictions(options)
    envelope = Envelope(
        sender=options.sender,
        recipients=tuple(options.recipient),
        verdicts=_verdicts(options.verdict),
    )
    loaded = _load(_source(options.rules, options.settings))
    items = read_items(options.paths, envelope)
    if options.explain:
        return _explain(items, loaded)
    console = Console(soft_wrap=False, highlight=False)
    report: Report = JsonReport(console) if options.format == "json" else TableReport(console)
    clock: Clock = SystemClock() if options.real_time else SimulatedClock(SystemClock().time())
    summary = _run(items, loaded, report, clock=clock, out=options.out, verified=options.verified)
    if options.format == "table":
        _say(str(summary))
        if loaded.settings.mode is not Mode.ENFORCE:
            _say(f"settings: mode is {loaded.settings.mode}, so nothing is stopped or bounced")
        if options.send:
            _say(f"bounces are in {options.out}")
    return 1 if summary.errors else 0


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
    if options.explain and options.format == "json":
        raise UsageError("--explain: found --format json beside it, expected --explain alone")


def _verdicts(texts: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, word in map(_verdict, texts):
        if found.setdefault(name, word) != word:
            raise UsageError(f"--verdict {name}: found {found[name]} and {word}, expected one")
    return found


def _verdict(text: str) -> tuple[str, str]:
    name, equals, word = text.lower().partition("=")
    known = {**dict.fromkeys(VERDICT_FIELDS, VERDICT_WORDS), "dmarc_policy": POLICY_WORDS}
    if not equals or name not in known:
        raise UsageError(f"--verdict: found {text!r}, expected NAME=WORD with {', '.join(known)}")
    if word not in known[name]:
        raise UsageError(
            f"--verdict {name}: found {word!r}, expected one of {', '.join(known[name])}"
        )
    return name, word


def _source(rules: str, settings: Path | None) -> Source:
    if not rules.startswith(_SSM):
        return FileSource(Path(rules), settings)
    if settings is not None:
        raise UsageError(
            "--settings: found it beside ssm: rules, expected the settings parameter to serve"
        )
    import boto3  # noqa: PLC0415  # a second that nobody else has to wait for

    from bouncer_local.doctor.account import CONFIG  # noqa: PLC0415

    prefix = rules.removeprefix(_SSM)
    if not prefix.startswith("/"):
        raise UsageError(
            f"--rules: found {rules!r}, expected ssm:/PREFIX such as ssm:/ses-auto-bouncer/main"
        )
    try:
        client = boto3.client("ssm", config=CONFIG)
    except NoRegionError:
        raise UsageError(
            "--rules: found no region, expected AWS_DEFAULT_REGION to name one"
        ) from None
    return ParameterSource(client, prefix)


def _load(source: Source) -> Loaded:
    """What is in force; any invalid document is an error here, where somebody can mend it."""
    loaded = Loader(source, Settings(), now=SystemClock().time).load()
    if loaded.problems:
        raise UsageError("\n".join(loaded.problems))
    if not loaded.ruleset.rules:
        raise UsageError("--rules: found no rule in force, expected at least one")
    return loaded


def _explain(items: Iterable[Item], loaded: Loaded) -> int:
    results = list(islice(replay(items, loaded, now=partial(now, SystemClock())), 2))
    if len(results) > 1:
        raise UsageError("--explain: found several mails, expected one")
    for result in results:
        if result.judgement is None:
            _say(f"{result.source}: {result.error}")
            return 1
        for line in explain(result.judgement, loaded.ruleset, loaded.settings):
            print(line)  # noqa: T201  # the explanation is the output
    return 0


def _run(
    items: Iterable[Item],
    loaded: Loaded,
    report: Report,
    *,
    clock: Clock,
    out: Path | None,
    verified: Sequence[str] = (),
) -> Summary:
    summary = Summary()
    with ExitStack() as stack:
        sending = None
        if out is not None:
            from bouncer_local import sending as machinery  # noqa: PLC0415  # moto takes a second

            _make_folder(out)
            sending = stack.enter_context(
                machinery.sending(out=out, clock=clock, settings=loaded.settings, verified=verified)
            )
        results = replay(items, loaded, now=partial(now, clock), sending=sending)
        for result in stack.enter_context(_progress(results)):
            report.add(result)
            summary.add(result)
        report.close()
    return summary


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--out: {out} can't be made ({error.strerror}), expected a folder"
        ) from error


class _progress:  # noqa: N801  # used as a function
    """The results; counts them on stderr as they come, if that is a terminal and stdout is not."""

    def __init__(self, results: Iterator[Result]) -> None:
        self._results = results
        visible = sys.stderr.isatty() and not sys.stdout.isatty()
        self._bar = (
            Progress(
                SpinnerColumn(),
                TextColumn("{task.completed} mails"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            if visible
            else None
        )

    def __enter__(self) -> Iterator[Result]:
        if self._bar is None:
            return self._results
        self._bar.__enter__()
        return self._bar.track(self._results)  # type: ignore[return-value]  # an iterator indeed

    def __exit__(self, *details: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def _demo(options: argparse.Namespace) -> int:
    loaded = _load(FileSource(SHIPPED_RULES))
    console = Console(soft_wrap=False, highlight=False)
    clock: Clock = SystemClock() if options.real_time else SimulatedClock(SystemClock().time())
    items = (
        Item(
            source=Path(item.source).stem,
            record=item.record,
            headers=item.headers,
            error=item.error,
        )
        for item in read_items(sorted(map(str, SAMPLES.glob("*.eml"))), Envelope())
    )
    summary = _run(items, loaded, TableReport(console), clock=clock, out=options.out)
    _say(f"{summary}\nbounces are in {options.out}, one mail each; any mail program opens them")
    return 1 if summary.errors else 0


def _ses(options: argparse.Namespace) -> int:
    from bouncer_local.ses.command import serve  # noqa: PLC0415  # only this command needs it

    return serve(
        options.mail,
        port=options.port,
        verified=options.verified,
        out=options.out,
        faults=options.fault,
    )


def _doctor(options: argparse.Namespace) -> int:
    from bouncer_local.doctor import report as reports  # noqa: PLC0415  # boto3 takes a second
    from bouncer_local.doctor.deployment import read_deployment  # noqa: PLC0415
    from bouncer_local.doctor.examine import examine  # noqa: PLC0415

    deployment = read_deployment(options.settings)
    console = Console(soft_wrap=False, highlight=False)
    kind = reports.JsonReport if options.format == "json" else reports.TableReport
    report: reports.Report = kind(console)
    summary = reports.Summary()
    for finding in examine(deployment, region=options.region, now=now(SystemClock())):
        report.add(finding)
        summary.add(finding)
    if options.format == "table":
        _say(str(summary))
    return 1 if summary.problems else 0


def _say(text: str) -> None:
    print(_terminal_safe(text), file=sys.stderr)  # noqa: T201  # not part of the output


if __name__ == "__main__":
    sys.exit(main())
