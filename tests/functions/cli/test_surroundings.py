"""The command and what is around it: network, pipes, the fake SES, raw mails."""

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from bouncer_cli.commands.demo_command import SAMPLES
from tests.functions.cli.command_runs import ROOT, Run, objects, sample, serving


def test_nothing_leaves_this_machine(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxies, profiles and endpoints of the environment do not reach the embedded services."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "AWS_ENDPOINT_URL_SQS"):
        monkeypatch.setenv(name, "http://192.0.2.1:9")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "broken"))
    (tmp_path / "broken").write_text("[[[")
    arguments = ("--send", "--out", tmp_path / "out", sample("02-"))
    status, out, _ = run("replay", "--format", "json", *arguments)
    assert (status, objects(out)[0]["bounce"]["status"]) == (0, "sent")
    assert os.environ["AWS_PROFILE"] == "nobody"


def test_aws_without_a_region_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Rules from SSM need a region, and the error names the variable to set."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    status, _, err = run("replay", "--rules", "ssm:/x", sample("01-"))
    assert (status, err) == (
        2,
        "--rules: found no region, expected --region REGION or AWS_DEFAULT_REGION to name one\n",
    )


def test_settings_that_hold_everything_back_are_reported(run: Run, tmp_path: Path) -> None:
    """Below a table of rejections a line says that they will not happen."""
    (tmp_path / "settings.yaml").write_text("mode: shadow")
    _, out, err = run("replay", "--settings", tmp_path / "settings.yaml", sample("22-"))
    assert "mode is shadow, so nothing is stopped or bounced" in err
    assert "withheld" not in out + err


def test_a_closed_pipe_is_not_an_error() -> None:
    """`bouncer replay ... | head -1` ends quietly."""
    replay = f"{sys.executable} -m bouncer_cli.command_line replay --format json"
    command = f"{replay} {SAMPLES}/*.eml | head -1"
    done = subprocess.run(  # noqa: S602  # a pipe is what is tried
        command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr


def test_the_fake_ses_serves_alone(tmp_path: Path) -> None:
    """It prints its endpoint and the mails it received, answers boto3, and ends on a signal."""
    words = ["ses", "--verified", "example.com", "--out", str(tmp_path), str(sample("02-"))]
    with serving(words, tmp_path) as ready:
        client = boto3.client(
            "ses",
            endpoint_url=ready["endpoint"],
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",  # noqa: S106  # nobody checks it
        )
        answer = client.send_bounce(
            OriginalMessageId=ready["message_ids"][0],
            BounceSender="bounces@example.com",
            BouncedRecipientInfoList=[
                {"Recipient": "ann@example.com", "BounceType": "DoesNotExist"}
            ],
        )
        assert answer["MessageId"] in next(tmp_path.glob("*.eml")).name


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "70000", "x"], "--port: found 70000, expected 0 to 65535"),
        (["nowhere"], "nowhere: found no file or folder, expected mail"),
        (["--out", "README.md/x", "README.md"], "--out README.md/x: can't be made ("),
        (["--fault", "throttle", "README.md"], "throttle@2"),
    ],
)
def test_a_fake_ses_that_cannot_start_is_one_sentence(
    run: Run, arguments: list[str], says: str
) -> None:
    """It names the option and what was expected, and the status is 2."""
    status, out, err = run("ses", *arguments)
    assert (status, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


RAW = (
    "Delivered-To: ann@example.com\nReturn-Path: <bob@sender.example>\n"
    "Received: from x by mx.google.example; Mon, 2 Nov 2026 08:00:00 +0000\n"
    "Authentication-Results: mx.google.example; spf=pass\nSubject: {name}\n\n"
)


def test_what_is_assumed_is_marked(run: Run, tmp_path: Path) -> None:
    """Table, summary, JSON and explanation show which part of an envelope is a guess."""
    mail = tmp_path / "mail.eml"
    mail.write_text("From: Bob <bob@sender.example>\nTo: ann@example.com\n\n")
    options = ("--verdict", "spf=pass", mail)
    _, table, summary = run("replay", *options)
    assert "bob@sender.example (assumed)" in table
    assert "ann@example.com (assumed)" in table
    assert summary.endswith("; assumed sender in 1, assumed recipients in 1\n")
    _, out, _ = run("replay", "--format", "json", *options)
    assert objects(out)[0]["assumed"] == ["recipients", "sender"]
    _, explained, _ = run("replay", "--explain", *options)
    assert "bob@sender.example (assumed)" in explained
    assert "the recipients are assumed to be those in To and Cc" in explained


def test_unknown_sender_is_not_the_null_sender(run: Run, tmp_path: Path) -> None:
    """A mail that names no sender at all has an unknown one."""
    mail = tmp_path / "mail.eml"
    mail.write_text("Subject: Hello\nTo: ann@example.com\n\n")
    _, table, summary = run("replay", mail)
    assert " unknown " in table
    assert "unknown sender in 1" in summary
    _, out, _ = run("replay", "--format", "json", mail)
    assert objects(out)[0]["sender"] is None
    assert objects(out)[0]["bounce"]["reason"] == "invalid_sender"
    _, explained, _ = run("replay", "--explain", mail)
    assert "unknown: the mail has no sender in its headers" in explained


def test_missing_verdicts_are_hinted_at_once(run: Run, tmp_path: Path) -> None:
    """Bounces withheld for want of verdicts lead to one hint, which --trust or --verdict ends."""
    for name in ("one.eml", "two.eml"):
        (tmp_path / name).write_text(RAW.format(name=name))
    _, _, err = run("replay", tmp_path)
    assert err.count("2 bounces were withheld because neither SPF nor DMARC has a verdict") == 1
    assert "--verdict spf=pass" in err
    assert "--trust mx.google.com" in err
    for option in (("--trust", "MX.google.example"), ("--verdict", "spf=pass")):
        _, out, err = run("replay", *option, tmp_path)
        assert "queued" in out
        assert "--verdict" not in err


def test_trust_names_one_server(run: Run) -> None:
    """A text that is not the name of a server is refused."""
    status, _, err = run("replay", "--trust", "any server", "mail.eml")
    assert status == 2
    assert "expected the name of one server, such as mx.google.com" in err
