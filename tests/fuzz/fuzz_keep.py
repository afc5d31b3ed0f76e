"""Keeps in the repository what `make fuzz` did: the smallest corpora that reach all, and counts.

libFuzzer merges: of all inputs of a target it keeps those that together reach the same lines of
code, the smaller ones first.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.fuzz.all_targets import NAMES
from tests.fuzz.fuzz_run import FOLDER, LONGEST, ROOT, ROWS, surroundings
from tests.fuzz.workshop import CORPORA

COUNTS = Path(__file__).with_name("counts.json")


def merge(name: str, folder: Path) -> int:
    """Write the smallest corpus of a target that reaches all; return the number of its inputs."""
    merged = folder / name / "merged"
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir(parents=True)
    sources = [path for path in (CORPORA / name, folder / name / "corpus") if path.is_dir()]
    flags = ("-set_cover_merge=1", "-use_counters=0", f"-max_len={LONGEST}")
    subprocess.run(  # noqa: S603  # this Python
        [
            *(sys.executable, "-m", "tests.fuzz.atheris_process", name, str(folder), *flags),
            *map(str, (merged, *sources)),
        ],
        cwd=ROOT,
        env=surroundings(),
        check=True,
        capture_output=True,
    )
    shutil.rmtree(CORPORA / name, ignore_errors=True)
    for path in merged.iterdir():
        (CORPORA / name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, CORPORA / name / path.name[:20])
    return len(list(merged.iterdir()))


def count(folder: Path) -> None:
    """Add the executions of all runs in a folder to the counts, and forget these runs."""
    counts: dict[str, Any] = {"executions": {}, "cpu_hours": 0.0}
    if COUNTS.exists():
        counts = json.loads(COUNTS.read_text(encoding="utf-8"))
    rows = folder / ROWS
    lines = rows.read_text(encoding="utf-8").splitlines() if rows.exists() else []
    executions, spent_s = Counter(counts["executions"]), 0.0
    for row in map(json.loads, lines):
        executions[row["name"]] += row["drawn"] + row["mutated"]
        spent_s += row["cpu_s"]
    counts = {
        "until": f"{datetime.now(UTC):%Y-%m-%d}",
        "cpu_hours": round(counts["cpu_hours"] + spent_s / 3600, 2),
        "executions": {name: executions[name] for name in NAMES},
    }
    COUNTS.write_text(f"{json.dumps(counts, indent=2)}\n", encoding="utf-8")
    rows.unlink(missing_ok=True)


def main() -> int:
    """Merge all corpora, and count."""
    os.nice(10)
    for name in NAMES:
        sys.stdout.write(f"{name}: {merge(name, FOLDER)} inputs\n")
        sys.stdout.flush()
    count(FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
