"""`replay --rules revision:`: judges by what a deployment has in force, or had."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from bouncer.publishing.revision_store import RevisionStore
from bouncer.sources.pointer import POINTER_KEY, Pointer, pointer_text
from bouncer.sources.revision import list_key, revision_key
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


LISTED = "when: {recipient: {in: departed}}\ndrop: {}"


@pytest.fixture
def listed(published: list[Pointer]) -> str:
    """A revision in force whose rule asks a list; return the key of the list's form."""
    s3, world = boto3.client("s3"), PublishedWorld()
    world.put("rules/100-all", LISTED)
    world.put("lists/departed", "entries: [ann@example.com]")
    pointer = world.publish()._replace(serial=7)
    for key, data in world.bucket.objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    s3.put_object(Bucket=BUCKET, Key=POINTER_KEY, Body=pointer_text(pointer).encode())
    assert pointer not in published
    return list_key(world.revision().lists["departed"].digest)


def test_lists_in_force_judge(listed: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A list that can't be read is named, and its conditions are unknown."""
    assert replayed("revision:current", capsys)[1] == "STOP_RULE_SET"
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=listed)
    status, disposition, said = replayed("revision:current", capsys)
    assert (status, disposition) == (0, "CONTINUE")
    assert f"list departed: s3://{BUCKET}/{listed}: found no object" in said


def checked(named: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    status = main(["rules", "check", named, "--format", "json"])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_what_is_in_force_is_checked(listed: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its rules, and whether its lists can be loaded."""
    status, (last,) = checked("revision:current", capsys)
    assert (status, last["rules"], last["level"]) == (0, ["100-all"], "ok")
    named = f"revision:{last['revision']}"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=listed, Body=b"x")
    status, (problem, last) = checked(named, capsys)
    assert (status, problem["document"], last["revision"]) == (1, "lists/", None)
    assert "found a changed object, expected the one of this digest" in problem["found"]


def test_refused_documents_are_problems_of_what_is_in_force(
    published: list[Pointer], capsys: pytest.CaptureFixture[str]
) -> None:
    """As the pointer has them; an earlier revision has none."""
    store = RevisionStore(boto3.client("s3"), BUCKET)
    refused = published[-1]._replace(problems={"rules/b": ("b: found x",)}, serial=9)
    store.move(refused, store.read().etag)
    assert checked("revision:current", capsys)[0] == 1
    assert checked(f"revision:{published[0].revision}", capsys)[0] == 0


@pytest.mark.parametrize("named", ["revision:abc", "revision:"])
def test_another_name_is_one_sentence(
    named: str, published: list[Pointer], capsys: pytest.CaptureFixture[str]
) -> None:
    """With what was expected."""
    assert published
    assert main(["rules", "check", named]) == 2
    said = f"SOURCE: found '{named}', expected revision:current, or revision: and the 64 digits"
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize("command", [["rules", "check"], ["replay", MAIL, "--rules"]])
def test_the_deployment_is_named_by_options(
    command: list[str],
    published: list[Pointer],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From any folder and without a region in the environment; what is missing names them."""
    assert published
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    named = [*command, "revision:current"]
    assert main(named) == 2
    assert "run this in its folder, or name it with --cdk-json\n" in capsys.readouterr().err
    named += ["--cdk-json", "../cdk.json"]
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert main(named) == 2
    assert "found none, expected --region REGION or AWS_DEF" in capsys.readouterr().err
    assert main([*named, "--region", "eu-west-1"]) == 0


@pytest.mark.parametrize(
    ("source", "option", "says"),
    [
        ("rules", "--region=eu-west-1", "--region: found rules beside it, expected ssm: or rev"),
        ("rules", "--cdk-json=x", "--cdk-json: found rules beside it, expected revision:"),
        ("rules", "--deployment=x", "--deployment: found rules beside it, expected revision:"),
        ("ssm:/x", "--deployment=x", "--deployment: found ssm:/x beside it, expected revision:"),
    ],
)
def test_an_option_without_a_use_is_refused(
    source: str, option: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it may stand for a source that was left out."""
    for command in (["rules", "check"], ["replay", MAIL, "--rules"]):
        assert main([*command, source, option]) == 2
        assert capsys.readouterr().err.startswith(says)
