"""The parts of the local deployment that need no emulator: settings, story, locks, processes."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bouncer_infra.deployment_settings_reader import read_settings
from bouncer_rehearsal import journey
from bouncer_rehearsal.cdk_command import Cdk, CdkError
from bouncer_rehearsal.destination_changes import first_settings
from bouncer_rehearsal.emulator import EmulatorError, emulator, environment, stop
from bouncer_rehearsal.story import ShowedError, Story, expect

ROOT = Path(__file__).resolve().parents[2]


def test_its_settings_are_settings_of_a_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journey deploys settings that cdk.json may hold, on either kind of Linux machine."""
    monkeypatch.setattr("platform.system", lambda: "Linux")
    for machine, architecture in (("x86_64", "x86_64"), ("aarch64", "arm64")):
        monkeypatch.setattr("platform.machine", lambda word=machine: word)
        wanted = {**journey.settings(), **first_settings()}
        assert read_settings(wanted).architecture == architecture
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    with pytest.raises(Exception, match="found Darwin on aarch64, expected Linux"):
        journey.settings()


def test_no_child_can_reach_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable that leads to an account or a proxy is handed on; all lead to the emulator."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "https_proxy"):
        monkeypatch.setenv(name, "real")
    found = environment("http://127.0.0.1:1", node=Path("/n/bin/node"))
    assert "real" not in found.values()
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert found["PATH"].startswith("/n/bin:")


def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path) -> None:
    """Without the emulator or CDK's command line the text names the file and what installs it."""
    node = tmp_path / "node"
    with (
        pytest.raises(EmulatorError, match="found nothing, expected the emulator, which `make"),
        emulator(tmp_path, node=node, ses_endpoint="", log=tmp_path / "log"),
    ):
        pass
    with pytest.raises(
        CdkError, match="found nothing, expected the CDK command line, which `make cdk"
    ):
        Cdk(tmp_path, tmp_path, node=node, environment={}, settings={})


def test_a_failed_command_shows_its_last_lines(tmp_path: Path) -> None:
    """The error names the command and ends with what it wrote; the log keeps all of it."""
    script = tmp_path / "node_modules" / "aws-cdk" / "bin" / "cdk"
    script.parent.mkdir(parents=True)
    script.write_text("print('no such stack'); raise SystemExit(3)")
    (tmp_path / "cdk.json").write_text('{"context": {}}')
    cdk = Cdk(tmp_path, tmp_path, node=Path(sys.executable), environment={}, settings={"a": 1})
    assert json.loads((tmp_path / "cdk.json").read_text())["context"] == {"bouncer": {"a": 1}}
    cdk.configure({"a": 2})
    assert json.loads((tmp_path / "cdk.json").read_text())["context"] == {"bouncer": {"a": 2}}
    with pytest.raises(
        CdkError, match="cdk diff: found exit status 3, expected 0:\n  no such stack"
    ):
        cdk.run("diff")


def test_an_app_of_ones_own_keeps_its_cdk_json(tmp_path: Path) -> None:
    """Without settings the folder is deployed as its owner has written it."""
    script = tmp_path / "node_modules" / "aws-cdk" / "bin" / "cdk"
    script.parent.mkdir(parents=True)
    script.write_text("print('deployed')")
    (tmp_path / "cdk.json").write_text('{"app": "python app.py"}')
    cdk = Cdk(tmp_path, tmp_path, node=Path(sys.executable), environment={}, settings=None)
    assert cdk.run("deploy") == "deployed\n"
    assert (tmp_path / "cdk.json").read_text() == '{"app": "python app.py"}'


def test_a_child_ends_with_all_it_started() -> None:
    """Stopping a child ends its own children too."""
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    child = subprocess.Popen(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with child:
        stop(child)
        assert child.stdout is not None
        assert child.stdout.read() == b""  # at its end only when nobody holds it any more
    assert child.returncode != 0


def test_a_step_is_told_when_it_fails_too() -> None:
    """Each step has a line with its time, and below it the facts that it showed."""
    told = io.StringIO()
    story = Story(told)

    def look() -> None:
        with story.step("look"):
            story.tell("it is \x1b[31mred")
            expect("colour", "red", "blue")

    with pytest.raises(ShowedError, match="colour: found 'red', expected 'blue'"):
        look()
    first, second = told.getvalue().splitlines()
    assert re.fullmatch(r" +\d\.\d s  look  FAILED", first)
    assert second.strip() == "it is ?[31mred"


def test_locks_are_exact_and_name_no_registry() -> None:
    """Each package is one version with its hash, wherever it is fetched from."""
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages["node_modules/aws-cdk"]["version"] == wanted["aws-cdk"]
    assert all("integrity" in each and "resolved" not in each for each in packages.values())
    emulator_lock = (ROOT / "local/bouncer_rehearsal/emulator_process/requirements.txt").read_text(
        encoding="utf-8"
    )
    assert "http" not in emulator_lock
    for entry in re.findall(r"^\S.*(?:\n .*)*", emulator_lock, re.MULTILINE):
        assert entry.startswith("#") or ("==" in entry and "--hash=sha256:" in entry)
