"""The files of the repository that start checks: public CI, hooks, issue forms, the changelog."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.supply_chain import audit

ROOT = Path(__file__).resolve().parents[2]
PUBLIC_CI = ROOT / ".github" / "workflows" / "ci.yml"
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def load(path: Path) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def make_words() -> set[str]:
    """Return the words of the Makefile that have a help text."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.MULTILINE))


def public_steps() -> list[dict[str, Any]]:
    """Return all steps of all jobs of the public CI."""
    return [step for job in load(PUBLIC_CI)["jobs"].values() for step in job["steps"]]


def test_the_public_ci_runs_only_words_of_the_makefile() -> None:
    """A step that fails there can be repeated on any machine by typing the same line."""
    runs = [step["run"] for step in public_steps() if "run" in step]
    assert runs
    for line in runs:
        assert re.fullmatch(r"make [a-z0-9-]+", line), line
        assert line.removeprefix("make ") in make_words(), line


def test_the_public_ci_runs_all_that_a_landing_needs() -> None:
    """Every `make` line of .ci/run is a step of the public CI as well."""
    landing = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    needed = set(re.findall(r"^make [a-z0-9-]+$", landing, re.MULTILINE))
    assert {"make check", "make test"} <= needed
    assert needed <= {step.get("run") for step in public_steps()}


@pytest.mark.threat
def test_the_public_ci_has_no_rights_and_runs_pinned_actions() -> None:
    """It may read the repository, and each action it uses is named by the hash of its commit."""
    assert load(PUBLIC_CI)["permissions"] == {"contents": "read"}
    used = [step["uses"] for step in public_steps() if "uses" in step]
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action), action


def test_the_public_ci_tests_every_supported_python() -> None:
    """Its versions are those of .python-version, and the oldest is the one pyproject requires."""
    versions = load(PUBLIC_CI)["jobs"]["test"]["strategy"]["matrix"]["python"]
    kept = (ROOT / ".python-version").read_text(encoding="ascii").split()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(versions) == sorted(kept)
    assert project["requires-python"] == f">={min(versions)}"


def test_hooks_run_only_what_make_has_installed() -> None:
    """No hook is downloaded: each is a tool in .venv or a word of the Makefile."""
    for repository in load(ROOT / ".pre-commit-config.yaml")["repos"]:
        assert repository["repo"] == "local"
        for hook in repository["hooks"]:
            assert hook["language"] == "system"
            program, word, *_ = hook["entry"].split()
            assert program == ".venv/bin/ruff" or (program == "make" and word in make_words())


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_issue_forms_are_forms(form: Path) -> None:
    """GitHub ignores a form with a missing member; each field has an id of its own and a label."""
    content = load(form)
    assert content["name"]
    assert content["description"]
    fields = [field for field in content["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields) > 0
    assert all(field["attributes"]["label"] for field in fields)


def test_a_bug_report_asks_for_a_masked_replay() -> None:
    """It asks for version, command and what happened, and masks addresses by one command."""
    fields = {field.get("id"): field for field in load(FORMS[0])["body"]}
    assert {"version", "command", "happened", "replay"} <= fields.keys()
    masking = fields["replay"]["attributes"]["description"]
    (pattern,) = re.findall(r"sed -E 's/(.+)@/x@/g'", masking)
    line = '{"sender": "fay@garden.example", "recipients": ["Ann+shop@example.com"]}'
    assert re.sub(f"{pattern}@", "x@", line) == (
        '{"sender": "x@garden.example", "recipients": ["x@example.com"]}'
    )
    assert "bouncer replay --format json" in masking


def test_the_changelog_has_the_present_version() -> None:
    """The version of pyproject.toml has a heading with a date, below "Unreleased"."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    headings = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", changelog, re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    assert headings[1][0] == project["version"]
    assert all(date for _, date in headings[1:])


def test_the_public_ci_audits_every_lock_strictly() -> None:
    """Without --strict the audit passes over what it cannot ask about; a landing has no network."""
    assert "make audit" in {step.get("run") for step in public_steps()}
    assert "make audit" not in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "--strict" in audit.OPTIONS
