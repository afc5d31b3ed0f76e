"""`bouncer rules check` says what the publisher would say, and puts nothing in force."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from bouncer_cli.command_line import main
from bouncer_cli.doctor import account
from tests.embedded_aws import PREFIX, embedded_aws
from tests.functions.publisher.published_world import PublishedWorld

ROOT = Path(__file__).parents[2]
INVALID = sorted((ROOT / "tests" / "invalid").glob("*/rule.*"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    return tmp_path / "rules"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_valid_rules_have_the_publishers_revision(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The id is that of the same documents in SSM."""
    world = PublishedWorld()
    for name, text in (("b", "drop: {}"), ("a", "until: 2020-01-01\naccept: {}")):
        (folder / f"{name}.yaml").write_text(text)
        world.put(f"rules/{name}", text)
    assert main(["rules", "check", str(folder), "--format", "json"]) == 0
    *warnings, last = lines(capsys)
    assert last == {"level": "ok", "rules": ["a", "b"], "revision": world.publish().revision}
    assert [line["level"] for line in warnings] == ["warning"] * 2
    assert main(["rules", "check", str(folder)]) == 0
    printed = capsys.readouterr()
    assert printed.err == f"2 valid rules, 2 warnings; revision {last['revision']}\n"
    assert printed.out.splitlines() == [f"warning: {line['found']}" for line in warnings]


def test_problems_are_the_publishers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All invalid rules of the tests, each with the words that its journal line has."""
    world = PublishedWorld()
    for path in INVALID:
        text = path.read_bytes()
        name = path.parent.name
        (folder / f"{name}.yaml").write_bytes(text)
        world.put(f"rules/{name}", text.decode())
    assert main(["rules", "check", str(folder), "--format", "json"]) == 1
    *problems, last = lines(capsys)
    published = world.publish().problems
    assert len(published) == len(INVALID)
    said = {(line["document"], line["found"]) for line in problems}
    assert said == {
        (name, sentence.replace(f"/p/{name}", f"{folder}/{name.removeprefix('rules/')}.yaml"))
        for name, found in published.items()
        for sentence in found[:-1]  # the last says what is in force instead
    }
    assert last == {"level": "ok", "rules": [], "revision": None}


def test_settings_are_checked_beside_rules(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of settings is named by an option, as for replay."""
    (folder / "a.yaml").write_text("when: {subject: x}\ndrop: {}")
    settings = folder.parent / "settings.yaml"
    settings.write_text("mode: moon")
    assert main(["rules", "check", str(folder), "--settings", str(settings)]) == 1
    printed = capsys.readouterr()
    assert printed.out == (
        f'problem: {settings}:1: mode: found "moon", expected one of enforce, shadow, off\n'
    )
    assert printed.err == "1 valid rule, 1 refused document\n"


def test_one_file_is_one_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before it joins the others."""
    (folder / "b.yaml").write_text("dorp: {}")
    rule = folder / "a.yaml"
    rule.write_text("when: {subject: x}\ndrop: {}")
    assert main(["rules", "check", str(rule)]) == 0
    assert capsys.readouterr().err.startswith("1 valid rule; revision ")


def test_all_documents_in_ssm_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    """Settings, `held` and `pushing` as well."""
    with embedded_aws():
        ssm = boto3.client("ssm")
        for name in ("rules/a", "settings", "held", "pushing"):
            ssm.put_parameter(Name=f"{PREFIX}/{name}", Value="moon: 1", Type="String")
        assert main(["rules", "check", f"ssm:{PREFIX}", "--format", "json"]) == 1
    named = {line["document"] for line in lines(capsys) if line["level"] == "problem"}
    assert named == {"rules/a", "settings", "held", "pushing"}


@pytest.mark.parametrize("command", [["rules", "check"], ["replay", "x.eml", "--rules"]])
def test_a_cdk_json_is_refused_as_settings(
    command: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other commands call the cdk.json `--settings`, so one sentence tells them apart."""
    cdk_json = folder.parent / "cdk.json"
    cdk_json.write_text(json.dumps({"app": "x", "context": {"bouncer": {"settings": {}}}}))
    assert main([*command, str(folder), "--settings", str(cdk_json)]) == 2
    assert capsys.readouterr().err == (
        f"--settings: found a cdk.json, {cdk_json}, expected a settings document (its "
        "context.bouncer.settings alone)\n"
    )


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "ssm:/p",
            "/p: ssm can't be reached (EndpointConnectionError): check the network and AWS_",
        ),
        (
            "revision:current",
            "cloudformation can't be reached (EndpointConnectionError): check the",
        ),
    ],
)
@pytest.mark.parametrize("command", [("rules", "check"), ("replay", "x.eml", "--rules")])
def test_without_a_network_the_next_step_is_said(
    source: str,
    says: str,
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As by every other command."""
    monkeypatch.chdir(ROOT)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(account, "CONFIG", Config(retries={"total_max_attempts": 1}))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert main([*command, source]) == 2
    assert capsys.readouterr().err.startswith(says)


def test_no_rule_at_all_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder or the prefix is mistyped, or rules are lost: nothing was checked."""
    (folder / "notes.txt").write_text("no rule")
    assert main(["rules", "check", str(folder)]) == 2
    assert capsys.readouterr().err == f"SOURCE: found no rule in {folder}, expected at least one\n"
    with embedded_aws():
        assert main(["rules", "check", "ssm:/nothing"]) == 2
    assert capsys.readouterr().err == (
        "SOURCE: found no rule below /nothing, expected at least one: check the prefix and the "
        "region\n"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "SOURCE: found no folder nowhere, expected one with rules"),
        (["ssm:x"], "SOURCE: found 'ssm:x', expected ssm:/PREFIX such as ssm:/ses-auto-bouncer"),
        (["ssm:/x", "--settings", "f"], "--settings: found ssm: beside it, expected one of them"),
    ],
)
def test_wrong_usage_is_one_sentence(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the argument, what was found and what was expected."""
    assert main(["rules", "check", *arguments]) == 2
    assert capsys.readouterr().err.startswith(says)
