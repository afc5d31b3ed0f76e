"""Compare the speed of `bouncer replay` with that of an earlier commit: `make bench-against`.

Both replay the same mails with the same Python and packages, in turns, each time in a new process:
a machine that is busy for a while slows both. Times are CPU time, the least of all turns.
`COMMIT=a33304a make bench-against` names the commit; the default is the last release.
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from raw_mails import write_mails, write_mbox, write_rules
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
TURNS = 4
FEW, MANY = 500, 3_000  # both are replayed, so that the start of the command is not counted
IN_MBOX = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A commit's files, or the present ones, and the function behind their command."""

    name: str
    folder: Path
    command: str

    def replay(self, *arguments: str) -> tuple[float, int]:
        """Return the CPU seconds of one replay, and the peak of its memory in KB."""
        folders = (str(self.folder / name) for name in ("lambda", "local", "infra"))
        done = subprocess.run(  # noqa: S603  # this Python
            [sys.executable, str(ROOT / "bench/replay_once.py"), self.command, *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        seconds, peak_kb = json.loads(done.stdout)
        return seconds, peak_kb


def checkout(name: str, folder: Path) -> Checkout:
    """Return the checkout in a folder, by the command that its pyproject.toml declares."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return Checkout(name=name, folder=folder, command=project["scripts"]["bouncer"])


def unpacked(commit: str, folder: Path) -> Checkout:
    """Unpack a commit into a folder; end with one sentence if git does not know it."""
    archive = subprocess.run(  # noqa: S603  # git
        ["git", "-C", str(ROOT), "archive", "--end-of-options", commit],  # noqa: S607
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        sys.exit(f"bench-against: found COMMIT={commit}, expected a commit that git knows here")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return checkout(commit, folder)


def last_release() -> str:
    """Return the newest tag of a release."""
    tags = ["git", "-C", str(ROOT), "describe", "--tags", "--abbrev=0", "--match", "v*"]
    found = subprocess.run(tags, capture_output=True, text=True, check=False)  # noqa: S603  # git
    if found.returncode:
        sys.exit("bench-against: found no tag of a release, expected COMMIT=... to name a commit")
    return found.stdout.strip()


def a_mail(both: tuple[Checkout, Checkout], options: list[str], paths: list[str]) -> list[float]:
    """Return the microseconds that one mail in a file of its own takes with either checkout."""

    def seconds(count: int) -> list[float]:
        mails = paths * (count // len(paths))
        turns = [[each.replay(*options, *mails)[0] for each in both] for _ in range(TURNS)]
        return [min(each) for each in zip(*turns, strict=True)]

    pairs = zip(seconds(MANY), seconds(FEW), strict=True)
    return [(many - few) / (MANY - FEW) * 1e6 for many, few in pairs]


def rows(both: tuple[Checkout, Checkout], folder: Path) -> Iterable[tuple[str, str, str, str]]:
    """Measure both checkouts, and yield the rows of the table."""
    write_rules(folder / "rules")
    paths = write_mails(folder, 100, 5 * 1024)
    box = folder / "many.mbox"
    write_mbox(box, IN_MBOX, 3 * 1024)
    for form in ("json", "table"):
        options = ["replay", "--rules", str(folder / "rules"), "--format", form]
        yield row(f"mails of 5 KB, {form}: us a mail", [a_mail(both, options, paths)])
    boxes = [[each.replay(*options, str(box)) for each in both] for _ in range(2)]
    per_mail = [[seconds / IN_MBOX * 1e6 for seconds, _ in turn] for turn in boxes]
    yield row(f"mbox of {IN_MBOX:,} mails of 3 KB, {form}: us a mail", per_mail)
    peaks = [[peak / 1024 for _, peak in turn] for turn in boxes]
    yield row("  peak of memory, MB", peaks, worst_counts=True)


def row(
    figure: str, turns: list[list[float]], *, worst_counts: bool = False
) -> tuple[str, str, str, str]:
    """Return the least of all turns for both, and how many times the present one is better."""
    before, now = map(max if worst_counts else min, zip(*turns, strict=True))
    return figure, f"{before:.0f}", f"{now:.0f}", f"{before / now:.2f}"


def main() -> None:
    """Print one table."""
    commit = os.environ.get("COMMIT") or last_release()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        earlier = unpacked(commit, folder / "earlier")
        table = Table("replay", commit, "now", "times better")
        for cells in rows((earlier, checkout("now", ROOT)), folder):
            table.add_row(*cells)
    Console(width=100, highlight=False).print(table)


if __name__ == "__main__":
    main()
