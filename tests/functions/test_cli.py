"""The `bouncer` command as a user types it: outputs, errors, exit statuses."""

import email
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from bouncer_cli import command_line as cli
from bouncer_cli.commands.demo_command import SAMPLES

ROOT = Path(cli.__file__).resolve().parents[2]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in the repository's folder: exit status, stdout, stderr."""
    monkeypatch.chdir(ROOT)

    def bouncer(*arguments: object) -> tuple[int, str, str]:
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as stopped:
            status = int(stopped.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return bouncer


def sample(name: str) -> Path:
    return next(SAMPLES.glob(f"{name}*.eml"))


def objects(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_json_is_the_contract(run: Run) -> None:
    """Each mail is one object with exactly the documented members."""
    status, out, err = run("replay", "--format", "json", sample("02-"))
    assert (status, err) == (0, "")
    assert objects(out) == [
        {
            "source": str(sample("02-")),
            "message_id": "9faq1i44m2dl3nhsa74qgvoo9aqd2ojfr4tjp8g1",
            "sender": "tom.baker@bakery.example",
            "assumed": [],
            "subject": "Re: Invoice 2026-0417",
            "disposition": "STOP_RULE_SET",
            "decisions": [
                {
                    "recipient": "ann@example.com",
                    "action": "reject",
                    "rule": "200-departed",
                    "shadow": [],
                }
            ],
            "bounce": {"status": "queued", "reason": None, "recipients": ["ann@example.com"]},
            "error": None,
        }
    ]


def test_every_input_yields_one_line(run: Run, tmp_path: Path) -> None:
    """Bad input is one line too, the other inputs are still read, and the status is 1."""
    (tmp_path / "empty.eml").touch()
    (tmp_path / "event.json").write_text(
        '{"Type": "SubscriptionConfirmation", "SubscribeURL": "x"}'
    )
    status, out, _ = run("replay", "--format", "json", tmp_path, "missing.eml", sample("01-"))
    assert status == 1
    found = objects(out)
    assert [line["error"] for line in found] == [
        "found an empty file, expected a mail or an SES event",
        "found an SNS subscription confirmation, expected a record with ses.mail",
        "can't be read (No such file or directory)",
        None,
    ]
    assert found[0]["bounce"] == {"status": "none", "reason": None, "recipients": []}


def test_the_table_shows_each_mail_on_one_line(run: Run) -> None:
    """Every sample has its row, bad input its whole sentence, and a summary ends the table."""
    paths = sorted(SAMPLES.glob("*.eml"))
    status, out, err = run("replay", *paths, "missing.eml")
    assert status == 1
    assert len(out.splitlines()) == 1 + len(paths) + 1
    assert "not read: can't be read (No such file or directory)" in out
    assert err.startswith(f"{len(paths) + 1} mails: ")
    assert out.isprintable() or set(re.findall(r"[^\x20-\x7e]", out)) <= {"\n", "\u2026"}


def test_sending_writes_one_notification_for_each_bounce(run: Run, tmp_path: Path) -> None:
    """Queue, mapping, worker and fake SES do their work, and each bounce is a file."""
    status, out, _ = run(
        "replay",
        "--format",
        "json",
        "--send",
        "--out",
        tmp_path / "out",
        *sorted(SAMPLES.glob("*.eml")),
    )
    assert status == 0
    sent = [line for line in objects(out) if line["bounce"]["status"] == "sent"]
    files = sorted((tmp_path / "out").glob("*.eml"))
    assert len(sent) == len(files) >= 12
    assert {line["bounce"]["status"] for line in objects(out)} == {"none", "withheld", "sent"}
    for line, file in zip(sent, files, strict=True):
        notification = email.message_from_bytes(file.read_bytes())
        assert notification["Return-Path"] == "<>"
        assert notification["To"] == line["sender"]
        assert notification.get_content_type() == "multipart/report"


def test_the_same_mail_is_bounced_once(run: Run, tmp_path: Path) -> None:
    """A mail replayed twice is a duplicate the second time."""
    mail = sample("02-")
    _, out, _ = run("replay", "--format", "json", "--send", "--out", tmp_path, mail, mail)
    bounces = [(line["bounce"]["status"], line["bounce"]["reason"]) for line in objects(out)]
    assert bounces == [("sent", None), ("withheld", "duplicate")]
    assert len(list(tmp_path.glob("*.eml"))) == 1


def test_a_sender_nobody_verified_is_refused_as_ses_would(run: Run, tmp_path: Path) -> None:
    """A sender in a domain that receives no mail here fails before it is deployed."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "a.yaml").write_text("reject: {type: Undefined, sender: a@elsewhere.example}")
    status, out, _ = run(
        "replay",
        "--rules",
        rules,
        "--format",
        "json",
        "--send",
        "--out",
        tmp_path / "o",
        sample("01-"),
    )
    bounce = objects(out)[0]["bounce"]
    assert (status, bounce["status"]) == (0, "failed")
    assert "not verified" in bounce["reason"]


def test_the_demo_shows_all_its_mails(run: Run, tmp_path: Path) -> None:
    """Every sample is judged, at least a dozen are bounced, and their folder is named."""
    status, out, err = run("demo", "--out", tmp_path / "demo")
    assert status == 0
    assert len(out.splitlines()) == 1 + len(list(SAMPLES.glob("*.eml")))
    assert len(list((tmp_path / "demo").glob("*.eml"))) >= 12
    assert str(tmp_path / "demo") in err


def test_samples_do_what_their_readme_says(run: Run) -> None:
    """The table in samples/README.md has the results that replay prints."""
    told = {}
    for row in (SAMPLES / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if re.match(r"`\d\d-", cells[0]):
            told[cells[0].strip("`")] = cells[3].replace("`", "")
    _, out, _ = run("replay", "--format", "json", *sorted(SAMPLES.glob("*.eml")))
    found = {}
    for line in objects(out):
        bounce = line["bounce"]
        text = f"{bounce['status']}: {bounce['reason']}" if bounce["reason"] else bounce["status"]
        found[Path(line["source"]).stem] = text
    assert found == told
    assert len(told) >= 30


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--send", "x"], "--send: found no --out, expected --out DIR to write the bounces to"),
        (["--out", "d", "x"], "--out: found no --send, expected --send --out DIR"),
        (
            ["--real-time", "x"],
            "--real-time: found no --send, expected --send --out DIR --real-time",
        ),
        (
            ["--explain", "--send", "--out", "d", "x"],
            "--explain: found --send beside it, expected one of the two",
        ),
        (
            ["--explain=full", "--only", "shadow", "x"],
            "--explain: found --only beside it, expected one of the two",
        ),
        (
            ["--explain", "--format", "json", "x"],
            "--explain: found --format json beside it, expected --explain alone",
        ),
        (["--verdict", "spf", "x"], "--verdict: found 'spf', expected NAME=WORD with"),
        (["--verdict", "spf=good", "x"], "--verdict spf: found 'good', expected one of pass, fail"),
        (["--rules", "nowhere", "x"], "--rules: found no folder nowhere, expected one with rules"),
        (["--rules", "docs", "x"], "--rules: found no rule in force, expected at least one"),
        (["--rules", "ssm:x", "x"], "--rules: found 'ssm:x', expected ssm:/PREFIX"),
        (
            ["--rules", "ssm:/p", "--settings", "f", "x"],
            "--settings: found --rules ssm: beside it, expected one of them",
        ),
        (
            ["--settings", "nowhere.yaml", "x"],
            "nowhere.yaml: can't be read (No such file or directory)",
        ),
        (
            ["--explain", "rules/../README.md", "rules/../README.md"],
            "--explain: found several mails, expected one",
        ),
        (["--recipient", "", "x"], "--recipient: found nothing, expected an address"),
        (["--verified", "a.example", "x"], "--verified: found no --send"),
        (
            ["--verdict", "spf=pass", "--verdict", "spf=fail", "x"],
            "--verdict spf: found pass and fail, expected one",
        ),
        (["--format", "xml", "x"], "invalid choice"),
        ([], "required"),
    ],
)
def test_wrong_usage_is_one_sentence(run: Run, arguments: list[str], says: str) -> None:
    """The sentence says what was found and expected, on stderr, and the status is 2."""
    status, out, err = run("replay", *arguments)
    assert status == 2
    assert says in err
    assert out == ""
    assert "Traceback" not in err


def test_invalid_rules_are_named_all_at_once(run: Run, tmp_path: Path) -> None:
    """Every problem of every rule has a line of its own, and the status is 2."""
    (tmp_path / "a.yaml").write_text("dorp: {}")
    (tmp_path / "b.yaml").write_text("when: {spf: bad}\ndrop: {}")
    status, _, err = run("replay", "--rules", tmp_path, sample("01-"))
    assert status == 2
    assert len(err.splitlines()) == 3
    assert f"{tmp_path}/b.yaml:1: when.spf: found" in err


def test_an_out_folder_that_cannot_be_made_is_one_sentence(run: Run, tmp_path: Path) -> None:
    """The error names a file that stands where the folder should be."""
    (tmp_path / "file").touch()
    status, _, err = run("replay", "--send", "--out", tmp_path / "file", sample("01-"))
    assert status == 2
    assert "can't be made" in err


def example(run: Run, *command: str) -> list[str]:
    """Return the words of the example that ends the help of a command."""
    _, out, _ = run(*command, "--help")
    (line,) = re.findall(r"^example: bouncer (.+)$", out, re.MULTILINE)
    return shlex.split(line)


@pytest.mark.parametrize("command", [(), ("replay",), ("demo",)])
def test_the_example_in_the_help_works(
    run: Run, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The help of each command ends with an example that runs as it stands."""
    words = example(run, *command)
    assert words[: len(command)] == list(command)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").symlink_to(ROOT / "rules")
    (tmp_path / "inbox.mbox").write_text(
        "From a@b.example Mon\nTo: ann@example.com\nSubject: x\n\ny\n"
    )
    assert cli.main(words) == 0


def test_the_example_of_the_fake_ses_works(run: Run, tmp_path: Path) -> None:
    """The example serves the mails of a folder until it is stopped."""
    words = example(run, "ses")
    (tmp_path / "mails").symlink_to(SAMPLES)
    with serving(words, tmp_path) as ready:
        assert len(ready["message_ids"]) == len(list(SAMPLES.glob("*.eml")))


def test_every_command_has_an_example(run: Run) -> None:
    """No command escapes the tests of the examples: doctor's runs beside its other tests."""
    _, out, _ = run("--help")
    names = re.findall(r"^    ([a-z]+) ", out, re.MULTILINE)
    assert names == ["replay", "demo", "ses", "doctor"]
    for name in names:
        assert example(run, name)[0] == name


@pytest.mark.parametrize("command", ["", "replay", "demo", "ses", "doctor"])
def test_the_help_fits_a_terminal(run: Run, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every help fits in 80 columns, and describes each argument and option."""
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run(*command.split(), "--help")
    assert all(len(line) <= 80 for line in out.splitlines())
    _, _, listed = out.partition("\n\n")
    options = re.findall(r"^  (\S.*(?:\n {8,}.*)?)", listed, re.MULTILINE)
    assert options
    assert all(re.search(r"\s{2,}\w", option) for option in options if option != "COMMAND")


def test_the_version_is_that_of_the_package(run: Run) -> None:
    """`bouncer --version` prints the version in pyproject.toml, where alone it is written."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert run("--version") == (0, f"bouncer {project['version']}\n", "")


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
        "--rules: found no region, expected AWS_DEFAULT_REGION to name one\n",
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


@contextmanager
def serving(words: list[str], folder: Path) -> Iterator[dict[str, Any]]:
    """Run `bouncer ses` in a folder; yield what it prints once it is ready."""
    process = subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-m", "bouncer_cli.command_line", *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        process.stdout.close()


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
    assert "bob@sender... (assumed)" in table
    assert "ann@examp... (assumed)" in table
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
