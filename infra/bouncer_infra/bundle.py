"""Builds what runs in AWS into one folder, without Docker: our package, locked libraries, bytecode.

uv installs the wheels of the function's platform from the hash-pinned lock; a Python of the
function's version, if this machine has one, compiles them with hashes that do not depend on time,
so the same input is always the same asset.
"""

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "3.13"
_PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
# What a library ships and no function ever imports.
_UNUSED = ("bin", "__pycache__", "*.pyi", "*.pyx", "*.pxd", "event_handler", "tests")


def function_code(architecture: str) -> lambda_.Code:
    """The asset both functions share."""
    return lambda_.Code.from_asset(
        str(ROOT / "lambda"),
        asset_hash_type=AssetHashType.OUTPUT,  # of all that is shipped, so bytecode counts
        bundling=BundlingOptions(
            image=DockerImage.from_registry(
                "scratch"
            ),  # never used: the local bundling always works
            local=_LocalBundling(architecture),
        ),
    )


@jsii.implements(ILocalBundling)
class _LocalBundling:
    """CDK's way to bundle without Docker."""

    def __init__(self, architecture: str) -> None:
        self._architecture = architecture

    def try_bundle(self, output_dir: str, *, image: object = None, **_: object) -> bool:  # noqa: ARG002  # CDK's signature
        """Fill the folder; an error is one sentence, and never a fall-back to Docker."""
        folder = Path(output_dir)
        build(folder, self._architecture)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        megabytes = size / 1e6
        print(f"functions: {megabytes:.2f} MB unpacked for {self._architecture}", file=sys.stderr)  # noqa: T201
        return True


def build(folder: Path, architecture: str) -> None:
    """Fill `folder` with everything the functions import."""
    _install(folder, architecture)
    shutil.copytree(
        ROOT / "lambda" / "bouncer", folder / "bouncer", ignore=shutil.ignore_patterns(*_UNUSED)
    )
    for pattern in _UNUSED:
        for path in sorted(folder.rglob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _compile(folder)


def _install(folder: Path, architecture: str) -> None:
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder)]
    command += ["--python-platform", _PLATFORMS[architecture], "--python-version", PYTHON]
    command += ["--only-binary", ":all:", "--no-deps", "--require-hashes"]
    command += ["-r", str(ROOT / "lambda" / "requirements.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # fixed words
    if done.returncode:
        raise SystemExit(f"The functions' libraries can't be installed: {done.stderr.strip()}")


def _compile(folder: Path) -> None:
    """Bytecode halves a cold start; it must come from the very version that runs it."""
    python = interpreter()
    if python is None:
        print(f"no Python {PYTHON} here: the functions ship without bytecode", file=sys.stderr)  # noqa: T201
        return
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
