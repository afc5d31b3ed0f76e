"""Fuzzes the targets for some seconds in all, and prints one table; exit status 1 for a finding.

Each target has two processes, one after the other: one draws inputs with Hypothesis, the other
mutates them with atheris. As many targets run at once as the machine has cores.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tests.fuzz.all_targets import NAMES
from tests.fuzz.execution import MOST_MEMORY_MB
from tests.fuzz.workshop import CORPORA, REGRESSIONS, Workshop

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "fuzz"
ROWS = "rows.jsonl"
LONGEST = 8192  # bytes of an input: as many as a document may have

_ATHERIS = ROOT / ".venv-fuzz"
_SHARE_DRAWN = 0.15  # of the time, if atheris has the rest
_LEAST_S = 2
_HANG_S = 60  # of real time, on a machine that may be busy; execution.py measures the CPU's
_PULSE = re.compile(r"^#(\d+)\s.* cov: (\d+) ft: (\d+) corp: (\d+)/", re.MULTILINE)
_HEAD = ("TARGET", "DRAWN", "MUTATED", "A SECOND", "EDGES", "FEATURES", "CORPUS", "FINDINGS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The figures of one target: inputs drawn and mutated, code reached, inputs kept, findings."""

    name: str
    drawn: int
    mutated: int
    cpu_s: float
    edges: int
    features: int
    corpus: int
    findings: int

    def cells(self) -> tuple[str, ...]:
        """Return the texts of its line in the table."""
        rate = (self.drawn + self.mutated) / max(self.cpu_s, 1e-3)
        numbers = (self.drawn, self.mutated, round(rate), self.edges, self.features, self.corpus)
        return (self.name, *(f"{number:,}" for number in numbers), str(self.findings))


def fuzz(name: str, *, seconds: float, folder: Path, mutating: bool) -> Row:
    """Fuzz one target for some seconds, and return its figures; earlier findings are forgotten."""
    shutil.rmtree(folder / name / "findings", ignore_errors=True)
    workshop = Workshop(folder, name)
    drawing_s = max(seconds * _SHARE_DRAWN, _LEAST_S) if mutating else seconds
    cpu_s = _drawn(workshop, name, drawing_s)
    log = ""
    if mutating:
        mutating_s = max(round(seconds - drawing_s), _LEAST_S)
        log, spent_s = _mutated(workshop, name, mutating_s)
        cpu_s += spent_s
    pulses = _PULSE.findall(log) or [(0, 0, 0, len(list(workshop.corpus.iterdir())))]
    mutated, edges, features, corpus = map(int, pulses[-1])
    return Row(
        name=name,
        drawn=int(workshop.drawn.read_text(encoding="ascii")),
        mutated=mutated,
        cpu_s=cpu_s,
        edges=edges,
        features=features,
        corpus=corpus,
        findings=len(workshop.found()),
    )


def _drawn(workshop: Workshop, name: str, seconds: float) -> float:
    """Run the process that draws; return the seconds of CPU time that it took."""
    workshop.drawn.write_text("0", encoding="ascii")
    words = ("tests.fuzz.drawing_process", name, str(workshop.folder.parent), str(seconds))
    return _process(words, workshop, "drawing.log")[1]


def _mutated(workshop: Workshop, name: str, seconds: int) -> tuple[str, float]:
    """Run the process that mutates; return its log and the seconds of CPU time."""
    flags = (
        f"-max_total_time={seconds}",
        f"-seed={int('CI' in os.environ)}",  # 0 is another one each time
        f"-max_len={LONGEST}",
        f"-rss_limit_mb={MOST_MEMORY_MB}",
        f"-timeout={_HANG_S}",
        f"-report_slow_units={_HANG_S}",
        f"-dict={workshop.words}",
        f"-artifact_prefix={workshop.findings}/",
    )
    kept = [str(path / name) for path in (CORPORA, REGRESSIONS) if (path / name).is_dir()]
    folders = (str(workshop.corpus), *kept)
    words = ("tests.fuzz.atheris_process", name, str(workshop.folder.parent), *flags, *folders)
    return _process(words, workshop, "mutating.log")


def _process(words: Iterable[str], workshop: Workshop, log_name: str) -> tuple[str, float]:
    """Run a module; return what it wrote and its CPU time. A process that died is a finding."""
    log = workshop.folder / log_name
    with log.open("wb") as output:
        started = subprocess.Popen(  # noqa: S603  # this Python
            [sys.executable, "-m", *words],
            stdout=output,
            stderr=output,
            cwd=ROOT,
            env=surroundings(),
        )
        _, ended, usage = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(ended)
    text = log.read_text(encoding="utf-8", errors="replace")
    if started.returncode and not workshop.found():
        (workshop.findings / f"died-{log_name}").write_text(text[-4000:], encoding="utf-8")
    return text, usage.ru_utime + usage.ru_stime


def surroundings() -> dict[str, str]:
    """Return the environment in which a process finds atheris."""
    return {**os.environ, "PYTHONPATH": str(_ATHERIS)}


def note(rows: list[Row], folder: Path) -> None:
    """Keep the figures of a run, for fuzz_keep.py to add up."""
    with (folder / ROWS).open("a", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(asdict(row))}\n" for row in rows)


def table(rows: list[Row]) -> str:
    """Return the figures of all targets as lines of text."""
    lines = [_HEAD, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    first, *rest = cells
    numbers = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
    return "  ".join((first.ljust(widths[0]), *numbers))


def has_atheris() -> bool:
    """Tell whether atheris is installed for this Python."""
    return (_ATHERIS / "atheris").is_dir()


def main() -> int:
    """Fuzz what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="for all targets together")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for corpora and findings")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all of them")
    options = parser.parse_args()
    names, mutating = options.targets or NAMES, has_atheris()
    if not mutating:
        sys.stderr.write(
            f"atheris has no wheel for this machine ({platform.machine()}, Python"
            f" {platform.python_version()}): inputs are drawn by Hypothesis only, not mutated.\n"
        )
    at_once = min(os.cpu_count() or 1, len(names))
    each_s = options.seconds * at_once / len(names)
    work = partial(fuzz, seconds=each_s, folder=options.folder, mutating=mutating)
    with ThreadPoolExecutor(at_once) as pool:
        rows = list(pool.map(work, names))
    note(rows, options.folder)
    sys.stdout.write(f"{table(rows)}\n")
    return _told(rows, options.folder)


def _told(rows: list[Row], folder: Path) -> int:
    for path in (path for row in rows for path in Workshop(folder, row.name).found()):
        text = path.with_name(f"{path.name}.txt")
        why = text.read_text(encoding="utf-8") if text.exists() else path.name
        sys.stdout.write(f"\n{path}\n{why}")
    return 1 if any(row.findings for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
