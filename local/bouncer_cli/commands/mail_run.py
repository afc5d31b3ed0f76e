"""Runs mails through the rules to a report, for `replay` and `demo`."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bouncer.sources.loader import Loaded
from bouncer_cli.commands.usage import UsageError
from bouncer_cli.mail_item import Item
from bouncer_cli.replay import Result, replay
from bouncer_cli.replay_report import Report
from bouncer_cli.replay_summary import Summary
from bouncer_sim.clock import Clock, now


def run_mails(
    items: Iterable[Item],
    loaded: Loaded,
    report: Report,
    *,
    clock: Clock,
    out: Path | None,
    verified: Sequence[str] = (),
) -> Summary:
    """Replay mails and report each; with `out`, send what they bounce to a fake SES as well."""
    summary = Summary()
    with ExitStack() as stack:
        sending = None
        if out is not None:
            from bouncer_sim import worker_driver as machinery  # noqa: PLC0415  # moto takes a second

            _make_folder(out)
            sending = stack.enter_context(
                machinery.sending(out=out, clock=clock, settings=loaded.settings, verified=verified)
            )
        results = replay(items, loaded, now=partial(now, clock), sending=sending)
        for result in stack.enter_context(_counted(results)):
            report.add(result)
            summary.add(result)
        report.close()
    return summary


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--out {out}: can't be made ({error.strerror}), expected a folder"
        ) from error


@contextmanager
def _counted(results: Iterator[Result]) -> Iterator[Iterable[Result]]:
    """Show the number of results on stderr while they come, if only stderr is a terminal."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.completed} mails"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=sys.stdout.isatty() or not sys.stderr.isatty(),
    ) as bar:
        yield bar.track(results)
