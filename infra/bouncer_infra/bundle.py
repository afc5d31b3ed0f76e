"""Builds the functions' asset, without Docker: the package `bouncer`, locked libraries, bytecode.

uv installs the wheels of the functions' platform from the hash-pinned lock. A Python of their
version, if this machine has one, compiles everything, with hashes that do not depend on time: the
same input is always the same asset. Nothing here needs a checkout: `bouncer` is taken from where it
is imported from.
"""

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

import bouncer

PACKAGE = Path(bouncer.__file__).parent
LOCK = Path(__file__).parent / "function_requirements.txt"
PYTHON = "3.13"
_PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
# Shipped by a library and never imported by a function.
_UNUSED = ("bin", "__pycache__", "*.pyi", "*.pyx", "*.pxd", "event_handler", "tests")


def function_code(architecture: str) -> lambda_.Code:
    """Return the asset that all functions share."""
    return lambda_.Code.from_asset(
        str(PACKAGE),
        asset_hash_type=AssetHashType.OUTPUT,  # a hash of all that is shipped, bytecode too
        bundling=BundlingOptions(
            # Required by CDK and never used: the local bundling always works.
            image=DockerImage.from_registry("scratch"),
            local=_LocalBundling(architecture),
        ),
    )


@jsii.implements(ILocalBundling)
class _LocalBundling:
    """CDK's way to bundle without Docker."""

    def __init__(self, architecture: str) -> None:
        self._architecture = architecture

    def try_bundle(self, output_dir: str, *, image: object = None, **_: object) -> bool:  # noqa: ARG002  # CDK's signature
        """Fill the folder; a failure ends synth with one sentence instead of asking for Docker."""
        folder = Path(output_dir)
        build(folder, self._architecture)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        megabytes = size / 1e6
        print(f"functions: {megabytes:.2f} MB unpacked for {self._architecture}", file=sys.stderr)  # noqa: T201
        return True


def build(folder: Path, architecture: str) -> None:
    """Fill `folder` with everything the functions import."""
    _install(folder, architecture)
    shutil.copytree(PACKAGE, folder / "bouncer", ignore=shutil.ignore_patterns(*_UNUSED))
    for pattern in _UNUSED:
        for path in sorted(folder.rglob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _compile(folder)


def _install(folder: Path, architecture: str) -> None:
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder)]
    command += ["--python-platform", _PLATFORMS[architecture], "--python-version", PYTHON]
    command += ["--only-binary", ":all:", "--no-deps", "--require-hashes"]
    command += ["-r", str(LOCK)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # fixed words
    if done.returncode:
        raise SystemExit(f"uv can't install the functions' libraries: {done.stderr.strip()}")


def _compile(folder: Path) -> None:
    """Bytecode halves a cold start; it must come from the very version that runs it."""
    python = interpreter()
    if python is None:
        print(  # noqa: T201
            f"found no Python {PYTHON}: the functions ship without bytecode, so they start slower",
            file=sys.stderr,
        )
        return
    command = [python, "-m", "compileall", "-q", "-s", str(folder)]
    command += ["--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, check=True)  # noqa: S603  # fixed words


def interpreter() -> str | None:
    """Return a Python of the functions' version, on the path or kept by pyenv or uv."""
    kept = (
        *Path.home().glob(f".pyenv/versions/{PYTHON}*/bin/python"),
        *Path.home().glob(f".local/share/uv/python/cpython-{PYTHON}*/bin/python"),
    )
    for candidate in (f"python{PYTHON}", *map(str, sorted(kept))):
        command = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        with contextlib.suppress(OSError):
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
            if done.stdout.strip() == PYTHON:
                return candidate
    return None
