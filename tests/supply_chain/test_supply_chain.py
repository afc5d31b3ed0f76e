"""The packages that ship are pinned by hashes and listed; an audit that could not ask says so."""

import json
import re
import subprocess
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pytest

from bouncer_infra import bundle
from tests.supply_chain import audit, bill_of_materials

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = (
    "setup.sh",
    "local/bouncer_rehearsal/emulator_process/setup.sh",
    "tests/supply_chain/setup.sh",
    "tests/fuzz/setup.sh",
)
LINE = re.compile(r"^[a-z0-9-]+(?:\[[a-z,]+\])?==\S+")
PACKAGE = {"name": "pyyaml", "version": "5.3", "vulns": []}


def tracked(pattern: str, names: str) -> set[str]:
    """Return the files of the repository with such names that have a line of this pattern."""
    command = ["git", "grep", "-lE", "-e", pattern, "--", names, ":!tests/upgrade"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode > 1:
        pytest.skip(f"not a checkout of git: {done.stderr.strip()}")
    return set(done.stdout.split())


@pytest.mark.threat
@pytest.mark.parametrize("lock", audit.LOCKS)
def test_every_package_of_a_lock_has_a_version_and_hashes(lock: str) -> None:
    """An archive that somebody replaced has another hash, so that it is not installed."""
    text = (ROOT / lock).read_text(encoding="ascii").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    for line in lines:
        assert LINE.match(line), line
        assert "--hash=sha256:" in line


def test_every_package_of_npm_has_a_hash() -> None:
    """`npm ci` refuses an archive with another one."""
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert len(packages) > 1
    assert all("integrity" in each for name, each in packages.items() if name)
    assert 'npm-cli.js" ci ' in (ROOT / "infra" / "setup.sh").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_install_requires_hashes(script: str) -> None:
    """Each installs by a lock and its hashes, or this package alone without its dependencies."""
    text = (ROOT / script).read_text(encoding="utf-8").replace("\\\n", " ")
    installs = re.findall(r"^.*(?:uv pip install|quietly \"\$@\") .*$", text, re.MULTILINE)
    assert installs
    for line in installs:
        assert "--require-hashes" in line or "--no-deps --no-build-isolation -e ." in line


def test_the_bundle_is_installed_by_hashes() -> None:
    """No other wheel than that of the lock gets into the functions."""
    text = Path(bundle.__file__).read_text(encoding="utf-8")
    assert '"--no-deps", "--require-hashes"' in text


def test_every_script_that_installs_is_looked_at() -> None:
    """A new one is added to the list above."""
    assert tracked(r"pip install", "*.sh") == set(SCRIPTS)


def test_the_audit_knows_every_lock() -> None:
    """A lock that nobody audits would rest unnoticed."""
    assert tracked(r"--hash=sha256:[0-9a-f]{64}", "*.txt") == set(audit.LOCKS)


def said(*packages: dict[str, Any]) -> str:
    """The output of pip-audit about these packages."""
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_known_vulnerability_is_named() -> None:
    """With the version that mends it."""
    vulnerable = PACKAGE | {"vulns": [{"id": "PYSEC-1", "fix_versions": ["5.4"], "aliases": []}]}
    found = audit.verdict("a.txt", said(vulnerable), "Found 1 known vulnerability")
    assert found == (1, ("a.txt: pyyaml 5.3 has PYSEC-1, mended in 5.4",))


def test_packages_without_a_known_vulnerability_are_counted() -> None:
    """Only where each package was asked about."""
    found = audit.verdict("a.txt", said(PACKAGE, PACKAGE), "No known vulnerabilities found")
    assert found == (0, ("a.txt: no known vulnerability in 2 packages",))


@pytest.mark.threat
@pytest.mark.parametrize(
    ("output", "errors"),
    [
        ("", "ERROR:pip_audit._cli:pyyaml: Dependency not found and could not be audited"),
        ("", ""),
        ("{}", "Traceback"),
        (said(), "No known vulnerabilities found"),
        (said({"name": "pyyaml", "skip_reason": "not found"}), "No known vulnerabilities found"),
        (said(PACKAGE, {"name": "x", "skip_reason": "not found"}), ""),
    ],
)
def test_an_audit_that_could_not_ask_says_so(output: str, errors: str) -> None:
    """Without the network pip-audit passes over packages, and says that all is well."""
    found = audit.verdict("a.txt", output, errors)
    assert found.status == 2
    assert found.lines[0].startswith("a.txt: cannot be told: ")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A bundle, and its bill of materials."""
    if not bill_of_materials.TOOL.exists():
        pytest.skip("no cyclonedx-py here: run `make sbom` once")
    if bundle.interpreter() is None:
        pytest.skip(f"no Python {bundle.PYTHON} here to build the bundle with")
    folder = tmp_path_factory.mktemp("shipped")
    bundle.build(folder / "bundle", "arm64")
    return folder / "bundle", bill_of_materials.write(folder / "bundle", folder / "sbom.json")


def libraries(folder: Path) -> dict[str, Distribution]:
    """Return the libraries of a bundle by their names."""
    found = distributions(path=[str(folder)])
    return {each.name.lower().replace("_", "-"): each for each in found}


@pytest.mark.threat
def test_the_bill_of_materials_lists_all_that_is_shipped(
    shipped: tuple[Path, dict[str, Any]],
) -> None:
    """Each library of the lock, with version and licence; each file is of one of them, or ours."""
    folder, bill = shipped
    listed = {each["name"].lower().replace("_", "-"): each for each in bill["components"]}
    data = listed.pop("public-suffix-list")
    assert (folder / "bouncer" / "mail" / "public_suffixes.txt").exists()
    assert data["version"][:2] == "20"
    found = libraries(folder)
    assert {name: each["version"] for name, each in listed.items()} == {
        name: each.version for name, each in found.items()
    }
    assert all(each["licenses"] for each in listed.values())
    locked = (ROOT / audit.LOCKS[0]).read_text(encoding="ascii")
    assert set(re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE)) == set(listed)
    owned = {file.parts[0] for each in found.values() for file in each.files or ()}
    assert {path.name for path in folder.iterdir()} <= owned | {"bouncer", "__pycache__"}


def test_a_bill_of_materials_is_a_document_of_cyclonedx(
    shipped: tuple[Path, dict[str, Any]],
) -> None:
    """Its subject is this project, and the same bundle has the same document."""
    folder, bill = shipped
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "ses-auto-bouncer"
    assert bill_of_materials.write(folder, folder.parent / "again.json") == bill
