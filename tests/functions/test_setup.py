"""The set-up of .venv reports its progress and an installer's errors, but not its warnings."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRESS = "Installing the pinned packages into .venv (once, about a minute) ...\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the script, and with a `uv` that warns and then ends as UV_STATUS says."""
    shutil.copy(ROOT / "setup.sh", tmp_path)
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(
        "#!/bin/sh\n"
        "mkdir -p .venv\n"
        'echo "WARNING: Location /x is ignored: it does not exist" >&2\n'
        '[ "$1" != pip ] || [ "$UV_STATUS" = 0 ] || echo "error: no such package" >&2\n'
        '[ "$1" != pip ] || exit "$UV_STATUS"\n',
        encoding="utf-8",
    )
    uv.chmod(0o755)
    return tmp_path


def set_up(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(  # noqa: S603  # our own script
        [str(folder / "setup.sh")],
        env={"PATH": path, "PYTHON": sys.executable, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_set_up_says_what_it_does_and_nothing_else(checkout: Path) -> None:
    """An installer's warnings do not reach the user; output that is evaluated stays empty."""
    done = set_up(checkout, UV_STATUS="0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", PROGRESS)
    assert (checkout / ".venv" / "ready").exists()


def test_an_installers_error_is_shown(checkout: Path) -> None:
    """The error is shown with the next step, and no half-made .venv stays behind."""
    done = set_up(checkout, UV_STATUS="2")
    assert done.returncode == 1
    assert done.stderr == (
        f"{PROGRESS}error: no such package\n"
        "The packages could not be installed into .venv. If the network was the cause, "
        "run make again.\n"
    )
    assert not (checkout / ".venv").exists()


def test_a_python_that_does_not_run_is_named(checkout: Path) -> None:
    """PYTHON is checked before anything is removed or installed."""
    done = set_up(checkout, PYTHON="/nowhere/python3", UV_STATUS="0")
    assert done.returncode == 1
    assert done.stderr == (
        "PYTHON=/nowhere/python3 does not run: set PYTHON to a Python 3.11 or newer, or unset it.\n"
    )


def test_every_word_of_make_is_described() -> None:
    """`make` lists each word of the Makefile, in lines that fit in 80 columns."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = [line for line in makefile.splitlines() if line.startswith(".PHONY:")]
    words = phony.removeprefix(".PHONY:").split()
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"],  # noqa: S607  # also within a make
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert [line.split()[1] for line in listed] == words
    assert all(len(line) <= 80 for line in listed)
