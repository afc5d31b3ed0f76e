"""Runs mails through the rules to reports, for `replay` and `demo`."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bouncer.operator_settings import Settings
from bouncer.sources.loaded import Loaded
from bouncer_cli.commands.usage import UsageError
from bouncer_cli.mail_item import Item
from bouncer_cli.replay import Result, replay
from bouncer_cli.replay_report import Report
from bouncer_cli.replay_summary import Summary
from bouncer_sim.clock import Clock, now

if TYPE_CHECKING:
    from bouncer_sim.worker_driver import WorkerDriver


def run_mails(
    items: Iterable[Item],
    loaded: Loaded,
    reports: Sequence[Report],
    *,
    clock: Clock,
    out: Path | None,
    verified: Sequence[str] = (),
) -> Summary:
    """Replay mails and report each; with `out`, send what they bounce to a fake SES as well.

    Every report gets every result.
    """
    summary = Summary()
    sending = None if out is None else _driver(loaded, clock, out, verified)
    with _counted(replay(items, loaded, now=partial(now, clock), sending=sending)) as results:
        for result in results:
            summary.add(result)
            for report in reports:
                report.add(result)
    for report in reports:
        report.close()
    return summary


def _driver(loaded: Loaded, clock: Clock, out: Path, verified: Sequence[str]) -> "WorkerDriver":
    from bouncer_sim.worker_driver import WorkerDriver  # noqa: PLC0415  # boto3 takes a while

    _make_folder(out)
    return WorkerDriver(
        out=out,
        clock=clock,
        settings=_in_force(loaded),
        verified=verified,
        limits=loaded.limits,
    )


def _in_force(loaded: Loaded) -> Settings:
    """Return the settings for the worker, by which jobs wait while a document holds sending."""
    return replace(loaded.settings, sending=not loaded.sending_held)


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--out {out}: can't be made ({error.strerror}), expected a folder"
        ) from error


def _to_file() -> bool:
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):  # a stream without a file, such as a test's
        return False


@contextmanager
def _counted(results: Iterator[Result]) -> Iterator[Iterable[Result]]:
    """Show the number of results on stderr while they come, if they go to a file.

    What reads a pipe, such as `less` or `grep`, writes to the same terminal: there the count would
    stand in the middle of the table.
    """
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.completed} mails"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not (_to_file() and sys.stderr.isatty()),
    ) as bar:
        yield bar.track(results)
