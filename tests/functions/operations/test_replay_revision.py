"""`replay --rules revision:`: judges by what a deployment has in force, or had."""

import json
from pathlib import Path

import boto3
import pytest

from bouncer.publishing.revision_store import RevisionStore
from bouncer.sources.pointer import Pointer
from bouncer.sources.revision import revision_key
from bouncer_cli.command_line import main
from bouncer_cli.commands.demo_command import SAMPLES
from tests.functions.operations.deployed import CDK, Deployed
from tests.functions.publisher.published_world import PublishedWorld

MAIL = str(next(SAMPLES.glob("02-*.eml")))
BUCKET = "rules-of-main"


@pytest.fixture
def published(deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Pointer]:
    """Two revisions in the deployment's bucket; the second is in force, its rule in mode shadow."""
    (tmp_path / "cdk.json").write_text(json.dumps(CDK))
    monkeypatch.chdir(tmp_path)
    s3 = boto3.client("s3")
    place = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    deployed.outputs["RulesBucket"] = BUCKET
    world, pointers = PublishedWorld(), []
    for text in ("drop: {}", "mode: shadow\ndrop: {}"):
        world.put("rules/100-all", f"when: {{recipient: '*'}}\n{text}")
        pointers.append(world.publish())
        RevisionStore(s3, BUCKET).keep(world.revision())
    RevisionStore(s3, BUCKET).move(pointers[-1], "")
    return pointers


def replayed(rules: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Return status, disposition and what stderr says."""
    status = main(["replay", "--format", "json", "--rules", rules, MAIL])
    printed = capsys.readouterr()
    found = json.loads(printed.out)["disposition"] if printed.out else ""
    return status, found, printed.err


def test_what_is_in_force_judges(
    published: list[Pointer], capsys: pytest.CaptureFixture[str]
) -> None:
    """By its name or by its id."""
    current = published[-1].revision
    for named in ("current", current):
        status, disposition, said = replayed(f"revision:{named}", capsys)
        assert (status, disposition) == (0, "CONTINUE")
        assert f"rules: revision {current} of s3://{BUCKET}, in force\n" in said


def test_an_earlier_revision_judges(
    published: list[Pointer], capsys: pytest.CaptureFixture[str]
) -> None:
    """With the settings of today, and says so."""
    earlier = published[0].revision
    status, disposition, said = replayed(f"revision:{earlier}", capsys)
    assert (status, disposition) == (0, "STOP_RULE_SET")
    assert f"{earlier} of s3://{BUCKET}, not in force, with the settings in force" in said


def test_a_braked_rule_is_recorded_only(
    published: list[Pointer], capsys: pytest.CaptureFixture[str]
) -> None:
    """As the intake does."""
    store = RevisionStore(boto3.client("s3"), BUCKET)
    braked = published[0]._replace(braked=("100-all",), serial=9)
    store.move(braked, store.read().etag)
    assert replayed("revision:current", capsys)[1] == "CONTINUE"


def test_what_is_missing_is_one_sentence(
    published: list[Pointer], deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name, an object, an output."""
    status, _, said = replayed("revision:abc", capsys)
    assert (status, "found 'revision:abc', expected revision:current" in said) == (2, True)
    key = revision_key(published[0].revision)
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=key)
    status, _, said = replayed(f"revision:{published[0].revision}", capsys)
    assert (status, f"s3://{BUCKET}/{key}: found no object" in said) == (2, True)
    del deployed.outputs["RulesBucket"]
    status, _, said = replayed("revision:current", capsys)
    assert (status, "found no output RulesBucket, expected a version that" in said) == (2, True)
