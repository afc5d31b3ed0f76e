"""The output of every command, for mails, documents and answers of AWS of any content.

The first line of an input is a command line of the list below, the rest the file or the answer that
the command reads. Services are answered below boto3, so that the commands are run as they are.
"""

import io
import json
import os
import re
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.session import Session
from dns.resolver import NXDOMAIN, Resolver
from hypothesis import strategies as st

from bouncer_cli import command_line as cli
from tests.functions.doctor.aws import HEALTHY, parameter
from tests.fuzz import document_target, event_target, header_target, job_target
from tests.fuzz.drawn import HOSTILE, encoded
from tests.fuzz.fuzz_target import FuzzTarget
from tests.harmless import assert_harmless

_STATUSES = {0, 1, 2}
_STYLES = re.compile(r"\x1b\[[0-9;]*m")
_RULES = {
    "050-words.yaml": "mode: shadow\nwhen: {subject: {contains: x}, dmarc_policy: none}\ndrop: {}",
    "100-everybody.yaml": 'when: {recipient: "*"}\n'
    'reject: {type: DoesNotExist, message: "{subject} {sender}", answer: [unauthenticated]}',
}
_CDK = {"recipients": ["example.com"], "bounce_sender": "mailer-daemon@example.com"}
_REGION = "--region eu-west-1"
_HELD = "held"
_LETTER = "letter"
_RULE = "rule"
_ARGUMENT = "argument"
_ANSWERED = {_HELD, _LETTER, _RULE, _ARGUMENT}  # what is not in a file

# The command lines, and the file or the answer that the rest of an input is.
COMMANDS = {
    "replay --recipient ann@example.com mail.eml": "mail.eml",
    "replay --format json mail.eml": "mail.eml",
    "replay --explain mail.eml": "mail.eml",
    "replay --explain=full --recipient ann@example.com mail.eml": "mail.eml",
    "replay --send --out out --recipient ann@example.com mail.eml": "mail.eml",
    "replay event.json": "event.json",
    "replay --explain event.json": "event.json",
    "replay box.mbox": "box.mbox",
    "replay --settings settings.yaml plain.eml": "settings.yaml",
    "replay --explain plain.eml": "rules/070-odd.yaml",
    "ses --port PORT event.json": "event.json",
    f"doctor {_REGION}": _RULE,
    f"doctor --format json {_REGION}": _RULE,
    f"pause --dry-run {_REGION}": _HELD,
    f"resume --yes {_REGION}": _HELD,
    f"jobs list {_REGION}": _LETTER,
    f"jobs list --format json {_REGION}": _LETTER,
    f"jobs show m-1 {_REGION}": _LETTER,
    f"jobs retry --all --dry-run {_REGION}": _LETTER,
    f"jobs drop m-1 --yes {_REGION}": _LETTER,
    f"doctor --settings other.json {_REGION}": "other.json",
    **dict.fromkeys(
        (
            *("replay ARGUMENT", "replay --rules ARGUMENT plain.eml", "replay --only ARGUMENT x"),
            *("replay --verdict ARGUMENT x", "replay --trust ARGUMENT x", "demo ARGUMENT"),
            *("ses --fault ARGUMENT x", f"jobs show ARGUMENT {_REGION}", "jobs drop ARGUMENT"),
            *(
                f"pause --dry-run --why ARGUMENT {_REGION}",
                "doctor --settings ARGUMENT",
                "ARGUMENT",
            ),
        ),
        _ARGUMENT,
    ),
}


def check(data: bytes) -> None:
    """A command ends with a documented status, and nothing it prints controls a terminal."""
    line, _, content = data.partition(b"\n")
    command = line.decode("utf-8", "replace")
    if command not in COMMANDS:
        return
    for is_terminal in (False, True):
        status, printed = _run(command, content, is_terminal=is_terminal)
        assert status in _STATUSES, status
        assert "Traceback (most recent" not in printed
        assert_harmless(_STYLES.sub("", printed) if is_terminal else printed)


def _run(command: str, content: bytes, *, is_terminal: bool) -> tuple[int, str]:
    """Return the exit status of a command line and all that it printed."""
    place = COMMANDS[command]
    out, err = (_Screen(is_terminal=is_terminal) for _ in range(2))
    with ExitStack() as stack:
        stack.enter_context(_folder(place, content))
        stack.enter_context(_account(place, content.decode("utf-8", "replace")))
        stack.enter_context(redirect_stdout(out))
        stack.enter_context(redirect_stderr(err))
        given = {"PORT": str(_taken_port()), "ARGUMENT": _argument(content)}
        words = [given.get(word, word) for word in command.split()]
        try:
            status = cli.main(words)
        except SystemExit as stopped:  # argparse's
            status = int(stopped.code or 0)
    return status, out.getvalue() + err.getvalue()


def _argument(content: bytes) -> str:
    """Return a word as a shell passes it; it names no file, here or elsewhere."""
    return "x\x1b" + re.sub("[/\0]", "", content.decode("utf-8", "surrogateescape"))


class _Screen(io.StringIO):
    """A standard stream that keeps what is written on it."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@contextmanager
def _folder(place: str, content: bytes) -> Iterator[None]:
    """Go to a new folder with rules, a mail, a cdk.json, and the content at its place."""
    with tempfile.TemporaryDirectory() as name, chdir(name):
        Path("rules").mkdir()
        for rule, text in _RULES.items():
            Path("rules", rule).write_text(text, encoding="utf-8")
        Path("plain.eml").write_text("Subject: x\n\nx", encoding="utf-8")
        Path("cdk.json").write_text(json.dumps({"context": {"bouncer": _CDK}}), encoding="utf-8")
        if place not in _ANSWERED:
            Path(place).write_bytes(content)
        yield


@contextmanager
def _account(place: str, text: str) -> Iterator[None]:
    """Answer every call of boto3 as a healthy deployment does, but with the text in its place."""
    keys = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    secrets = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "COLUMNS": "80"}
    answers = _Answers(place, text)
    with (
        patch.dict(os.environ, keys | secrets),
        patch.object(Session, "create_client", lambda _, *names, **given: _client(*names, **given)),
        patch.object(BaseClient, "_make_api_call", answers.of),
        patch.object(Resolver, "resolve", side_effect=NXDOMAIN),
    ):
        yield


_create_client = Session.create_client


@cache
def _made(name: str, region: str) -> BaseClient:
    """Make a client once: it takes longer than all that a command does."""
    made: BaseClient = _create_client(
        Session(),
        name,
        region_name=region,
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106  # nobody's
    )
    return made


def _client(name: str, region_name: str | None = None, **_: object) -> BaseClient:
    return _made(name, region_name or "eu-west-1")


@cache
def _taken_port() -> int:
    """Return a port that the fake SES can't have, so that it ends after it has read its mails."""
    holder = socket.create_server(("127.0.0.1", 0))
    _HOLDERS.append(holder)
    return int(holder.getsockname()[1])


_HOLDERS: list[socket.socket] = []


class _Answers:
    """The answers of AWS to one command; each letter and document is shown once."""

    def __init__(self, place: str, text: str) -> None:
        self._place = place
        self._text = text
        self._received = False

    def of(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a call; `patch` leaves the client out."""
        answer = self._special(operation)
        if answer is not None:
            return answer
        known = next((HEALTHY[key] for key in HEALTHY if key.endswith(f".{operation}")), None)
        if callable(known):
            known = known(str(asked))
        if known is None:
            return {}
        if isinstance(known, str | tuple):
            raise ClientError({"Error": {"Code": "NoSuch", "Message": self._text}}, operation)
        return dict(known)

    def _special(self, operation: str) -> dict[str, Any] | None:
        match operation:
            case "DescribeStacks":
                return {"Stacks": [HEALTHY_STACK]}
            case "GetParametersByPath":
                return {"Parameters": [parameter("rules/a", _ALL), *self._document()]}
            case "ReceiveMessage":
                return {"Messages": self._letters()}
            case "BatchGetItem":
                end = {"id": {"S": "job#m-1"}, "state": {"S": self._text[:99]}}
                return {"Responses": {"ledger": [end]}}
        return None

    def _document(self) -> list[dict[str, Any]]:
        names = {_RULE: "rules/odd", _HELD: "held"}
        return [parameter(names[self._place], self._text)] if self._place in names else []

    def _letters(self) -> list[dict[str, Any]]:
        if self._received or self._place != _LETTER:
            return []
        self._received = True
        attributes = {"SentTimestamp": "1793606400000", "MessageGroupId": self._text[:99]}
        body = {"Body": self._text, "Attributes": attributes}
        return [{"MessageId": "m-1", "ReceiptHandle": "h", **body}]


_ALL = 'when: {recipient: "*"}\ndrop: {}'
_OUTPUTS = {
    "RulesPrefix": "/ses-auto-bouncer/main/rules/",
    "HeldParameter": "/ses-auto-bouncer/main/held",
    "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs.fifo",
    "DeadLetterUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/dead.fifo",
}
HEALTHY_STACK = HEALTHY["cloudformation.DescribeStacks"]["Stacks"][0] | {
    "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in _OUTPUTS.items()]
}

_CONTENTS = {
    "mail.eml": header_target.TARGET.examples,
    "box.mbox": header_target.TARGET.examples.map(b"From x@y Mon Nov  2 08:14:21 2026\n".__add__),
    "event.json": event_target.TARGET.examples | HOSTILE.map(encoded),
    "settings.yaml": document_target.SETTINGS,
    "rules/070-odd.yaml": document_target.RULES,
    _RULE: document_target.RULES,
    _HELD: document_target.HELD,
    _LETTER: job_target.TARGET.examples | HOSTILE.map(encoded),
    "other.json": document_target.CDKS,
    _ARGUMENT: HOSTILE.map(encoded),
}
TARGET = FuzzTarget(
    name="command",
    check=check,
    examples=st.sampled_from(sorted(COMMANDS)).flatmap(
        lambda line: _CONTENTS[COMMANDS[line]].map(f"{line}\n".encode().__add__)
    ),
    words=(
        *(f"{line}\n" for line in COMMANDS),
        "\\u001b[2J",
        "\x1b]0;x\x07",
        "\u202e",
        "Subject: ",
    ),
)
