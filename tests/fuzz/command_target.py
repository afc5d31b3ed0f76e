"""The output of every command, for mails, documents and answers of AWS of any content.

The first line of an input is a command line of the list below, the rest the file or the answer that
the command reads. Services are answered below boto3, so that the commands are run as they are.
"""

import atexit
import io
import json
import re
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from bouncer_cli import command_line as cli
from tests.fuzz import document_target, event_target, header_target, job_target
from tests.fuzz.answering_account import HELD, LEDGER, LETTER, MAIL, NAME, RULE, answered
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
_ARGUMENT = "argument"
_ANSWERED = {HELD, LETTER, LEDGER, MAIL, NAME, RULE, _ARGUMENT}  # what is not in a file

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
    "rules check rules": "rules/070-odd.yaml",
    "rules check --settings settings.yaml rules": "settings.yaml",
    "lists check staff.yaml": "staff.yaml",
    "lists check staff.csv": "staff.csv",
    "lists import staff.csv": "staff.csv",
    f"rules push --prune --dry-run {_REGION}": RULE,
    "ses --port PORT event.json": "event.json",
    f"doctor {_REGION}": RULE,
    f"doctor --format json {_REGION}": RULE,
    f"report {_REGION}": HELD,
    f"report --format json {_REGION}": HELD,
    f"pause --dry-run {_REGION}": HELD,
    f"resume --yes {_REGION}": HELD,
    f"forget eve@partner.example --yes {_REGION}": LEDGER,
    f"jobs list {_REGION}": LETTER,
    f"jobs list --format json {_REGION}": LETTER,
    f"jobs show m-1 {_REGION}": LETTER,
    f"jobs retry --all --dry-run {_REGION}": LETTER,
    f"jobs drop m-1 --yes {_REGION}": LETTER,
    f"mail list {_REGION}": MAIL,
    f"mail list --format json {_REGION}": MAIL,
    f"mail release m-1 --to out {_REGION}": MAIL,
    f"forget ann@example.com --yes {_REGION}": MAIL,
    f"doctor --settings other.json {_REGION}": "other.json",
    f"init new {_REGION}": NAME,
    f"init new --format json {_REGION}": NAME,
    **dict.fromkeys(
        (
            *("replay ARGUMENT", "replay --rules ARGUMENT plain.eml", "replay --only ARGUMENT x"),
            *("replay --verdict ARGUMENT x", "replay --trust ARGUMENT x", "demo ARGUMENT"),
            *("init ARGUMENT", f"init new --domain ARGUMENT {_REGION}", "init x --name ARGUMENT"),
            *("init x --bounce-sender ARGUMENT", "init x --region ARGUMENT"),
            *("ses --fault ARGUMENT x", f"jobs show ARGUMENT {_REGION}", "jobs drop ARGUMENT"),
            *(f"hash ARGUMENT {_REGION}", f"forget ARGUMENT --dry-run {_REGION}", "ARGUMENT"),
            *(f"mail get ARGUMENT {_REGION}", f"mail list --since ARGUMENT {_REGION}"),
            *(f"mail release x --to ARGUMENT --dry-run {_REGION}",),
            *(f"report --days ARGUMENT {_REGION}", f"report --timezone ARGUMENT {_REGION}"),
            *(f"pause --dry-run --why ARGUMENT {_REGION}", "doctor --settings ARGUMENT"),
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
        stack.enter_context(answered(place, content.decode("utf-8", "replace")))
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


@cache
def _taken_port() -> int:
    """Return a port that the fake SES can't have, so that it ends after it has read its mails."""
    holder = socket.create_server(("127.0.0.1", 0))
    atexit.register(holder.close)
    return int(holder.getsockname()[1])


_CONTENTS = {
    "mail.eml": header_target.TARGET.examples,
    "box.mbox": header_target.TARGET.examples.map(b"From x@y Mon Nov  2 08:14:21 2026\n".__add__),
    "event.json": event_target.TARGET.examples | HOSTILE.map(encoded),
    "settings.yaml": document_target.SETTINGS,
    "staff.yaml": document_target.LISTS,
    "staff.csv": document_target.LIST_FILES,
    "rules/070-odd.yaml": document_target.RULES,
    RULE: document_target.RULES,
    HELD: document_target.HELD,
    LETTER: job_target.TARGET.examples | HOSTILE.map(encoded),
    LEDGER: HOSTILE.map(encoded),
    MAIL: HOSTILE.map(encoded),
    NAME: HOSTILE.map(encoded),
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
