"""Runs one input through a target, and says what is wrong with it.

Time is that of the CPU, because a shared machine may let a process wait for any length of time.
"""

import gc
import re
import resource
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.fuzz_target import FuzzTarget

MOST_CPU_S = 1.0
MOST_MEMORY_MB = 300

_ROOT = str(Path(__file__).parents[2])
_INSTALLED = "site-packages"


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken property: the place where it showed, by which findings are told apart, and why."""

    place: str
    text: str


def execute(target: FuzzTarget, data: bytes, *, most_cpu_s: float = MOST_CPU_S) -> Finding | None:
    """Return what an input breaks, or None: an error, a second of CPU time, 300 MB of memory."""
    before_kb = _peak_kb()
    try:
        took_s = _timed(target, data)
        if took_s > most_cpu_s:  # the first run may have imported or compiled something
            gc.collect()
            took_s = min(took_s, _timed(target, data))
    except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
        return Finding(_place(error), f"{type(error).__name__}: {error}"[:2000])
    if took_s > most_cpu_s:
        return Finding("time", f"took {took_s:.1f} s of CPU time, expected at most {most_cpu_s} s")
    grown_mb = (_peak_kb() - before_kb) / 1024
    if grown_mb > MOST_MEMORY_MB:
        return Finding("memory", f"took {grown_mb:.0f} MB, expected at most {MOST_MEMORY_MB}")
    return None


def _timed(target: FuzzTarget, data: bytes) -> float:
    began = time.process_time()
    target.check(data)
    return time.process_time() - began


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _place(error: Exception) -> str:
    """Return the kind of an error, the last line of ours that it came through, and its subject."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if f.filename.startswith(_ROOT) and _INSTALLED not in f.filename]
    last = (ours or frames)[-1]
    subject = (
        re.match(r"[A-Za-z.]+(?=[:\[])", str(error)) if type(error) is AssertionError else None
    )
    about = f" ({subject[0]})" if subject else ""  # the laws name the member that breaks them
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}{about}"
