"""Environments with the wheel of this checkout, as a user has who never saw the checkout."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bouncer.errors import BouncerError

_TIMEOUT_S = 300
_DROPPED = ("PYTHONPATH", "VIRTUAL_ENV")  # they would lead to the checkout's packages


class WheelError(BouncerError):
    """The wheel can't be built, installed or used; the text ends with what the program wrote."""


def build_wheel(root: Path, out: Path) -> Path:
    """Build the wheel of the checkout at `root` and return it."""
    folder = out / "dist"
    words = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    run(*words, folder=root, environment=os.environ)
    (wheel,) = folder.glob("*.whl")
    return wheel


def make_environment(folder: Path, *requirements: str | Path) -> Path:
    """Make an environment at `folder` with these requirements, and return its `bin`.

    Files that they name are beside `folder`.
    """
    uv = (sys.executable, "-m", "uv")
    place = folder.parent
    run(*uv, "venv", "--python", sys.executable, folder, folder=place, environment=os.environ)
    python = folder / "bin" / "python"
    install = (*uv, "pip", "install", "--python", python)
    run(*install, *requirements, folder=place, environment=os.environ)
    run(*uv, "pip", "check", "--python", python, folder=place, environment=os.environ)
    return folder / "bin"


def user_environment(environment: Mapping[str, str], *programs: Path) -> dict[str, str]:
    """Return an environment whose first programs are those of the user's folders."""
    kept = {name: text for name, text in environment.items() if not name.startswith(_DROPPED)}
    return kept | {"PATH": os.pathsep.join([*map(str, programs), environment["PATH"]])}


def run(*words: str | Path, folder: Path, environment: Mapping[str, str]) -> str:
    """Run a program and return what it wrote to stdout; raises `WheelError`."""
    done = subprocess.run(  # noqa: S603  # our own words
        list(map(str, words)),
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    if done.returncode:
        raise WheelError(
            f"{' '.join(map(str, words))}: found exit status {done.returncode} and "
            f"{done.stderr.strip()!r}, expected exit status 0"
        )
    return done.stdout
