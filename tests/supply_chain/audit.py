"""Asks pip-audit about every lock, and says so where it got no answer: `make audit`.

Without --strict, pip-audit passes over each package that it cannot ask about, says that no
vulnerability is known, and ends with 0. The status here is 1 for a known vulnerability, and 2 if
it cannot be told.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (
    "infra/bouncer_infra/function_requirements.txt",
    "requirements.txt",
    "local/bouncer_rehearsal/emulator_process/requirements.txt",
    "tests/supply_chain/requirements.txt",
    "tests/fuzz/requirements.txt",
    "bench/awslambdaric.txt",
    "bench/reference.txt",
)
OPTIONS = ("--strict", "--require-hashes", "--disable-pip", "--format", "json")
CLEAN, VULNERABLE, UNKNOWN = 0, 1, 2


class Verdict(NamedTuple):
    """The exit status for one lock, and the lines that say why."""

    status: int
    lines: tuple[str, ...]


def verdict(lock: str, output: str, errors: str) -> Verdict:
    """Return what pip-audit said about a lock; its exit status is the same for two meanings."""
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        packages = []
    left_out = [each["name"] for each in packages if "skip_reason" in each]
    if not packages or left_out:
        last = (errors.strip().splitlines() or [f"passed over {', '.join(left_out) or 'all'}"])[-1]
        return Verdict(UNKNOWN, (f"{lock}: cannot be told: {last}",))
    known = tuple(
        f"{lock}: {each['name']} {each['version']} has {found['id']}, "
        f"mended in {', '.join(found['fix_versions']) or 'no version'}"
        for each in packages
        for found in each["vulns"]
    )
    clean = f"{lock}: no known vulnerability in {len(packages)} packages"
    return Verdict(VULNERABLE, known) if known else Verdict(CLEAN, (clean,))


def audit(lock: str) -> Verdict:
    """Ask about the packages of one lock."""
    command = [str(ROOT / ".venv-audit" / "bin" / "pip-audit"), *OPTIONS, "-r", str(ROOT / lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # fixed words
    return verdict(lock, done.stdout, done.stderr)


if __name__ == "__main__":
    verdicts = [audit(lock) for lock in LOCKS]
    for found in verdicts:
        print(*found.lines, sep="\n")  # noqa: T201  # the output
    sys.exit(max(found.status for found in verdicts))
