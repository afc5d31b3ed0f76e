"""Builds the functions' bundle, without Docker: the package `bouncer`, locked libraries, bytecode.

uv installs the wheels of the functions' platform from the hash-pinned lock. A Python of their
version compiles everything, with hashes that do not depend on time: the same input is the same
bundle on every machine. A machine without that Python is refused, as a bundle without bytecode
would replace one with it, and start slowly. Nothing here needs a checkout, or CDK: `bouncer` is
taken from where it is imported from.
"""

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

import bouncer
from bouncer_infra.machine_code import without_symbols

PACKAGE = Path(bouncer.__file__).parent
LOCK = Path(__file__).parent / "function_requirements.txt"
PYTHON = "3.13"
_PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
# Shipped by a library and never imported by a function; those of the second line are tzdata's
# tables for people, beside the zones that Python reads, the last are Powertools' for Datadog.
_UNUSED = (
    *("bin", "__pycache__", "*.pyi", "*.pyx", "*.pxd", "event_handler", "tests"),
    *("*.tab", "leapseconds", "tzdata.zi"),
    ".lock",  # uv's
    "datadog*",
)
# Powertools has a package for each kind of event; its Logger and metrics, which we use, need this.
_USED_UTILITIES = ("__init__.py", "jmespath_utils")


def build(folder: Path, architecture: str) -> None:
    """Fill `folder` with everything the functions import; ends with a sentence if that fails."""
    python = interpreter()
    if python is None:
        raise SystemExit(
            f"functions: found no Python {PYTHON} on this machine, expected one to compile them "
            f"as Lambda runs them; install it: {sys.executable} -m uv python install {PYTHON}"
        )
    install_libraries(folder, architecture, LOCK)
    shutil.copytree(PACKAGE, folder / "bouncer", ignore=shutil.ignore_patterns(*_UNUSED))
    for path in _unused(folder):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in folder.rglob("*.so"):
        path.write_bytes(without_symbols(path.read_bytes()))
    _compile(folder, python)


def install_libraries(folder: Path, architecture: str, lock: Path) -> None:
    """Install the wheels of a hash-pinned lock for the functions' platform into `folder`."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder)]
    command += ["--python-platform", _PLATFORMS[architecture], "--python-version", PYTHON]
    command += ["--only-binary", ":all:", "--no-deps", "--require-hashes"]
    # Links would lead to the files of every environment that uv has made, and to uv's cache.
    command += ["--link-mode", "copy", "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # fixed words
    if done.returncode:
        raise SystemExit(f"uv can't install the functions' libraries: {done.stderr.strip()}")


def _unused(folder: Path) -> list[Path]:
    """The files and folders of the installed libraries that no function imports."""
    utilities = (folder / "aws_lambda_powertools" / "utilities").iterdir()
    found = {path for pattern in _UNUSED for path in folder.rglob(pattern)}
    found |= {path for path in utilities if path.name not in _USED_UTILITIES}
    return sorted(path for path in found if found.isdisjoint(path.parents))


def _compile(folder: Path, python: str) -> None:
    """Bytecode halves a cold start; it must come from the very version that runs it."""
    command = [python, "-m", "compileall", "-q", "-s", str(folder)]
    command += ["--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, check=True)  # noqa: S603  # fixed words


def interpreter() -> str | None:
    """A Python of the functions' version on this machine, also one pyenv or uv only keeps."""
    kept = (
        *Path.home().glob(f".pyenv/versions/{PYTHON}*/bin/python"),
        *Path.home().glob(f".local/share/uv/python/cpython-{PYTHON}*/bin/python"),
    )
    for candidate in (f"python{PYTHON}", *map(str, sorted(kept))):
        script = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
        command = [candidate, "-c", script]
        with contextlib.suppress(OSError):
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
            version, _, path = done.stdout.strip().partition(" ")
            if version == PYTHON:
                return path
    return None
