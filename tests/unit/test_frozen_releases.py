"""A frozen release's jobs, rules and templates mean the same to the present version."""

import json
from pathlib import Path
from typing import Any

import pytest

from bouncer.jobs.job_json import from_json
from bouncer.rules.rule_reader import read_rule
from bouncer.sending.bounce_request import bounce_request
from bouncer_rehearsal.release import freeze_assembly, freeze_package, thaw

RELEASES = sorted((Path(__file__).parents[1] / "upgrade").glob("*/"))
JOBS = [
    json.loads(line)
    for release in RELEASES
    for line in (release / "jobs.jsonl").read_text(encoding="utf-8").splitlines()
]
RULES = [rule for release in RELEASES for rule in sorted((release / "rules").glob("*.yaml"))]


def as_frozen(call: dict[str, Any]) -> Any:
    """The parameters of a call as a frozen release has them: dates as text."""
    return json.loads(json.dumps(call, default=str))


@pytest.mark.parametrize("job", JOBS, ids=lambda job: json.loads(job["body"])["reference"])
def test_a_waiting_job_is_sent_as_it_was_meant(job: dict[str, Any]) -> None:
    """A worker makes the same SendBounce call of a job that an earlier release queued."""
    assert as_frozen(bounce_request(from_json(job["body"]))) == job["call"]


def test_there_are_jobs_of_several_kinds() -> None:
    """The samples hold jobs for one and for many recipients, with types and with DSN fields."""
    infos = [job["call"]["BouncedRecipientInfoList"] for job in JOBS]
    assert max(map(len, infos)) > 1 == min(map(len, infos))
    assert {"BounceType", "RecipientDsnFields"} <= {key for info in infos for key in info[0]}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.parts[-3]}-{rule.stem}")
def test_a_rule_is_read_as_before(rule: Path) -> None:
    """A rule in SSM that an earlier release accepted is not refused by an upgrade."""
    assert read_rule(rule.stem, rule.read_text(encoding="utf-8")).name == rule.stem


def test_a_release_is_thawed_as_it_was_frozen(tmp_path: Path) -> None:
    """Template and manifests come back, for the architecture of this machine; so does the code."""
    assembly, release, package = tmp_path / "cdk.out", tmp_path / "1.2.3", tmp_path / "bouncer"
    for folder in (assembly, release, package):
        folder.mkdir()
    (package / "intake.py").write_text("handler = None\n")
    template = {"Resources": {"F": {"Architectures": ["x86_64"]}}}
    files = {"abc": {"source": {"path": "asset.abc", "packaging": "zip"}}}
    artifacts = {"s": {"additionalMetadataFile": "x"}, "s.assets": {}, "Tree": {}}
    (assembly / "manifest.json").write_text(json.dumps({"version": "1", "artifacts": artifacts}))
    (assembly / "s.template.json").write_text(json.dumps(template))
    (assembly / "s.assets.json").write_text(json.dumps({"files": files}))
    freeze_assembly(assembly, "s", release)
    freeze_package(package, release)
    installed = []

    def install(folder: Path, architecture: str, lock: Path) -> None:
        folder.mkdir()
        installed.append((folder.name, architecture, lock.name))

    thaw(release, "s", tmp_path / "out", architecture="arm64", install=install)
    assert installed == [("asset.abc", "arm64", "requirements.txt")]
    thawed = json.loads((tmp_path / "out" / "s.template.json").read_text())
    assert thawed["Resources"]["F"]["Architectures"] == ["arm64"]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["artifacts"] == {"s": {}, "s.assets": {}}
    code = tmp_path / "out" / "asset.abc" / "bouncer" / "intake.py"
    assert code.read_text() == "handler = None\n"
