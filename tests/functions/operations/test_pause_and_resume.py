"""`bouncer pause` and `bouncer resume`: shown first, asked for, done once, and undone."""

import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from bouncer.held_document import held_document, read_held
from bouncer.mail.text import escaped
from bouncer.operator_settings import Settings
from bouncer.sources.pointer import POINTER_KEY, Pointer, pointer_text
from bouncer_cli.doctor.account import UnavailableError
from bouncer_cli.operations.operated_account import OperatedAccount
from tests.functions.operations.deployed import CDK, HELD, REGION, Deployed, Operate, body


def test_pausing_writes_who_when_and_why(deployed: Deployed, operate: Operate) -> None:
    """It shows the deployment, what waits and what it will do, and then does it."""
    for number in (1, 2):
        deployed.queue(body(number))
    status, out, err = operate("pause", "--why", "a bad rule", "--yes")
    assert status == 0
    assert "ses-auto-bouncer-main in eu-west-1, parameters below /ses-auto-bouncer/main" in out
    assert "waiting: about 2 jobs wait, 0:00:02 of sending" in out
    assert f"pause:   writes {HELD}\n         after 90 s at the latest no bounce is sent" in out
    assert err.splitlines() == ["sending is held", "bouncer resume ends it"]
    held = read_held(deployed.parameter("held") or "", document="held")
    assert held.since
    assert abs((datetime.now(UTC) - held.since).total_seconds()) < 60
    assert (held.why, held.by.startswith("arn:aws:")) == ("a bad rule", True)


def test_what_waits_is_sent_at_the_rate(deployed: Deployed, operate: Operate) -> None:
    """At 0.5 two jobs take four seconds, and resuming promises no more."""
    deployed.put("settings", "rate: 0.5")
    for number in (1, 2):
        deployed.queue(body(number))
    _, out, _ = operate("pause", "--yes")
    assert "waiting: about 2 jobs wait, 0:00:04 of sending" in out
    _, out, _ = operate("resume", "--yes")
    assert "the jobs that wait are sent, 0.5 a second" in out


def test_pausing_twice_changes_nothing(deployed: Deployed, operate: Operate) -> None:
    """The first reason and time stay; the command says who has held sending since when."""
    operate("pause", "--why", "first", "--yes")
    written = deployed.parameter("held")
    status, out, err = operate("pause", "--why", "second", "--yes")
    assert (status, err) == (0, "sending is held already: nothing was changed\n")
    assert "(first)" in out
    assert deployed.parameter("held") == written


class Publishing:
    """A publisher as Lambda invokes it, by `account.do`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, deployed: Deployed) -> None:
        self.payloads: list[tuple[str, bool]] = []
        self.answer: dict[str, Any] | Exception = {"StatusCode": 200}
        deployed.outputs["PublisherArn"] = "arn:publisher"
        do = OperatedAccount.do

        def invoke(account: OperatedAccount, service: str, operation: str, **given: Any) -> Any:
            if (service, operation) != ("lambda", "invoke"):
                return do(account, service, operation, **given)
            assert given["FunctionName"] == "arn:publisher"
            self.payloads.append((given["Payload"], bool(deployed.parameter("held"))))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        monkeypatch.setattr(OperatedAccount, "do", invoke)


def test_the_publisher_is_invoked_after_the_change(
    deployed: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause is in force within `cache`, and not only when the publisher runs by itself."""
    publishing = Publishing(monkeypatch, deployed)
    _, _, err = operate("pause", "--yes")
    assert err.splitlines() == ["sending is held", "bouncer resume ends it"]
    operate("resume", "--dry-run")
    operate("resume", "--yes")
    wanted = '{"publish": "settings"}'
    assert publishing.payloads == [(wanted, True), (wanted, False)]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"FunctionError": "Unhandled"}, "the publisher failed: it is in force within a minute"),
        (UnavailableError("no", next_step="x"), "the publisher can't be invoked (no): it is in"),
    ],
)
def test_a_publisher_that_fails_is_said(
    deployed: Deployed,
    operate: Operate,
    monkeypatch: pytest.MonkeyPatch,
    answer: dict[str, Any] | Exception,
    says: str,
) -> None:
    """The parameter is written all the same, and the publisher runs by itself every minute."""
    Publishing(monkeypatch, deployed).answer = answer
    status, _, err = operate("pause", "--yes")
    assert (status, says in err) == (0, True)
    assert deployed.parameter("held")


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_a_dry_run_changes_nothing(deployed: Deployed, operate: Operate, command: str) -> None:
    """It shows the same lines as the command itself."""
    if command == "resume":
        operate("pause", "--yes")
    written = deployed.parameter("held")
    status, out, err = operate(command, "--dry-run")
    assert (status, err) == (0, "--dry-run: nothing was changed\n")
    assert f"{command}:" in out
    assert deployed.parameter("held") == written


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_without_a_terminal_nobody_is_asked(
    deployed: Deployed, operate: Operate, command: str
) -> None:
    """A script has to say --yes."""
    if command == "resume":
        operate("pause", "--yes")
    written = deployed.parameter("held")
    status, _, err = operate(command)
    assert (status, "expected --yes to do this, or --dry-run" in err) == (2, True)
    assert deployed.parameter("held") == written


@pytest.mark.parametrize(
    ("answer", "held"), [("y\n", True), ("YES\n", True), ("\n", False), ("", False)]
)
def test_a_person_is_asked(
    deployed: Deployed,
    operate: Operate,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    *,
    held: bool,
) -> None:
    """Anything but yes, or the end of the input, leaves everything as it was."""

    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return answer

    monkeypatch.setattr("sys.stdin", Terminal())
    status, _, err = operate("pause")
    assert "Hold sending? [y/N]" in err
    assert status == (0 if held else 1)
    assert bool(deployed.parameter("held")) is held


def test_resuming_removes_the_parameter(deployed: Deployed, operate: Operate) -> None:
    """Again, there is nothing left to do."""
    operate("pause", "--why", "a bad rule", "--yes")
    status, out, err = operate("resume", "--yes")
    assert status == 0
    assert f"held:    {HELD}: sending is held since" in out
    assert err.splitlines() == [f"deleted {HELD}", "sending is resumed"]
    assert deployed.parameter("held") is None
    assert operate("resume", "--yes")[::2] == (0, "sending is not held: nothing was changed\n")


def test_a_parameter_that_cannot_be_read_is_resumed_too(
    deployed: Deployed, operate: Operate
) -> None:
    """It holds sending, so it must be possible to end it."""
    deployed.put("held", "since: soon")
    status, out, _ = operate("pause", "--yes")
    assert (status, f"problem: {HELD}:1: since:" in out) == (0, True)
    assert operate("resume", "--yes")[0] == 0
    assert deployed.parameter("held") is None


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        ("sending: paused", "--value $'sending: on'"),
        (
            "mode: enforce\nsending: paused\nanswer: 'lists'",
            "--value $'mode: enforce\\nsending: on\\nanswer: \\'lists\\''",
        ),
        ('{"sending": "paused"}', None),
    ],
)
def test_paused_settings_are_the_operators_to_change(
    deployed: Deployed, operate: Operate, settings: str, command: str | None
) -> None:
    """No command rewrites a document that a person wrote; it names it, and the command for it."""
    deployed.put("settings", settings)
    status, _, err = operate("resume", "--yes")
    assert status == 1
    parameter = "/ses-auto-bouncer/main/settings"
    assert f"sending is paused by {parameter}: set sending: on there" in err
    put = f"aws ssm put-parameter --type String --overwrite --name {parameter} "
    assert (put + str(command) in err) is bool(command)
    assert deployed.parameter("settings") == settings


def test_both_causes_are_ended_one_after_the_other(deployed: Deployed, operate: Operate) -> None:
    """The parameter is deleted, and the command says that sending stays held."""
    deployed.put("settings", "sending: paused")
    operate("pause", "--yes")
    status, _, err = operate("resume", "--yes")
    assert status == 1
    assert err.splitlines()[:2] == [f"deleted {HELD}", "sending stays held:"]
    assert deployed.parameter("held") is None


def test_a_race_is_told(deployed: Deployed, operate: Operate, monkeypatch: Any) -> None:
    """The first write is kept; the other command says so."""
    do = OperatedAccount.do

    def raced(self: OperatedAccount, service: str, operation: str, **more: Any) -> Any:
        if operation == "put_parameter":
            deployed.put("held", held_document(since=datetime.now(UTC), by="bob", why=""))
        return do(self, service, operation, **more)

    monkeypatch.setattr(OperatedAccount, "do", raced)
    status, _, err = operate("pause", "--yes")
    assert (status, "somebody else has held sending just now" in err) == (0, True)
    assert "bob" in (deployed.parameter("held") or "")


def test_a_write_whose_answer_was_lost_is_our_own(
    deployed: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK repeats it and is told that the parameter exists: it is the one just written."""
    do = OperatedAccount.do

    def twice(self: OperatedAccount, service: str, operation: str, **more: Any) -> Any:
        if operation == "put_parameter":
            do(self, service, operation, **more)
        return do(self, service, operation, **more)

    monkeypatch.setattr(OperatedAccount, "do", twice)
    status, _, err = operate("pause", "--why", "x", "--yes")
    assert (status, err.splitlines()[0]) == (0, "sending is held")
    assert deployed.parameter("held")


def test_a_missing_permission_is_one_sentence(
    operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the action that IAM has to allow; nothing is done."""
    do = OperatedAccount.do

    def refused(self: OperatedAccount, service: str, operation: str, **more: Any) -> Any:
        if operation != "put_parameter":
            return do(self, service, operation, **more)
        fault: Any = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
        raise self.meaning(service, operation, ClientError(fault, "PutParameter"))

    monkeypatch.setattr(OperatedAccount, "do", refused)
    status, _, err = operate("pause", "--yes")
    assert status == 1
    assert err == (
        "ssm:PutParameter was answered with AccessDeniedException: allow ssm:PutParameter to these "
        "credentials in IAM\n"
    )


@pytest.mark.parametrize("command", [["pause"], ["resume"], ["jobs", "list"]])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "other"}, "stack ses-auto-bouncer-other: found none in eu-west-1, expected a"),
        (
            {"prefix": "/mail/main"},
            "cdk.json: prefix: found /mail/main, expected /ses-auto-bouncer",
        ),
    ],
)
def test_another_deployment_is_not_touched(
    deployed: Deployed, operate: Operate, command: list[str], change: dict[str, str], says: str
) -> None:
    """A wrong name, region or prefix ends the command before anything is written."""
    changed = {"context": {"bouncer": {**CDK["context"]["bouncer"], **change}}}
    Path("cdk.json").write_text(json.dumps(changed))
    status, out, err = operate(*command)
    assert (status, out) == (2, "")
    assert err.startswith(says)
    assert deployed.parameter("held") is None


@pytest.mark.parametrize("words", [["pause", "--yes"], ["pause", "--dry-run"]])
def test_a_version_that_ignores_the_parameter_is_not_paused(
    deployed: Deployed, operate: Operate, words: list[str]
) -> None:
    """Version 0.1.0 would go on sending, whatever the command said."""
    del deployed.outputs["HeldParameter"]
    status, _, err = operate(*words)
    assert status == 2
    assert "found no output HeldParameter, expected a version that reads" in err
    assert "write sending: paused into /ses-auto-bouncer/main/settings" in err
    assert deployed.parameter("held") is None


def test_another_region_has_no_such_stack(operate: Operate) -> None:
    """The region is named, as it is the likeliest mistake."""
    status, _, err = operate("pause", "--region", "us-west-2", "--yes")
    assert (status, "found none in us-west-2" in err) == (2, True)


def test_what_is_not_known_does_not_stop_a_pause(deployed: Deployed, operate: Operate) -> None:
    """Without its queue a deployment can be held all the same."""
    boto3.client("sqs").delete_queue(QueueUrl=deployed.jobs_url)
    status, out, _ = operate("pause", "--yes")
    assert (status, "unknown: the number of jobs" in out) == (0, True)
    assert deployed.parameter("held")


@pytest.mark.parametrize(
    "command", ["pause", "resume", "jobs", "jobs list", "jobs retry", "jobs drop"]
)
def test_the_example_in_the_help_works(operate: Operate, command: str) -> None:
    """The help of each command ends with an example that runs as it stands."""
    _, out, _ = operate(*command.split(), "--help")
    (line,) = re.findall(r"^example: bouncer (.+)$", out, re.MULTILINE)
    words = shlex.split(line)
    assert words[: len(command.split())] == command.split()
    assert operate(*words)[0] == 0


@pytest.mark.threat
@pytest.mark.parametrize("command", ["pause", "resume"])
@pytest.mark.parametrize("text", ["\x1b[2J", "\u202eevil", "a\r\nsending is on", "\u2028\x9b"])
def test_a_hostile_parameter_is_shown_as_escapes(
    deployed: Deployed, operate: Operate, command: str, text: str
) -> None:
    """The parameter `held` has the words of its writer, which control no terminal."""
    held = {"since": "2026-11-02T08:00:00+00:00", "by": f"x{text}", "why": f"y{text}"}
    deployed.put("held", json.dumps(held))
    _, out, err = operate(command, "--dry-run")
    said = out + err
    assert "".join(f"y{escaped(text)}".split()) in "".join(said.split())
    assert all(char == "\n" or char.isprintable() for char in said)
    assert "\nsending is on" not in said


def test_refused_settings_keep_nobody_from_pausing(deployed: Deployed, operate: Operate) -> None:
    """Those in force are taken from the pointer, as the publisher does; without one it says so."""
    deployed.put("settings", "mood: off")
    status, _, said = operate("pause", "--yes")
    assert (status, "nothing is in force before it" in said) == (2, True)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="rules", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="rules", Key=POINTER_KEY, Body=pointer_text(Pointer("", Settings())))
    deployed.outputs["RulesBucket"] = "rules"
    status, _, said = operate("pause", "--yes")
    assert (status, deployed.parameter("held") is not None) == (0, True), said
