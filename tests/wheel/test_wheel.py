"""The wheel in empty environments: with its extra the command works, without it says what to do."""

import sys
import zipfile
from pathlib import Path

from tests.wheel.conftest import Install, run


def test_the_wheel_with_its_extra_works(
    installed: Install,
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
    installed: Install,
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
