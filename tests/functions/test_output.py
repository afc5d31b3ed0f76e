"""Nothing that a stranger wrote controls the terminal, whatever command prints it and however."""

import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from bouncer_cli import command_line as cli
from bouncer_cli.commands.terminal import open_console
from bouncer_cli.doctor import findings_report
from bouncer_cli.doctor.finding import Finding, Level, problem
from tests.functions.doctor.aws import HEALTHY, found, parameter
from tests.harmless import assert_harmless

CONTROLS = "\0\x07\x08\x0b\x0c\x1b\x7f\x85\x9b\u200b\u2028\u202e\u2066\ufeff\ud800\udc80\U000e0041"
HOSTILE = st.text(st.sampled_from([*CONTROLS, *"\t\r\n", *"a é日[31m@<>,;=?\"'\\#"]), max_size=30)
ARGUMENT = HOSTILE.map(lambda text: re.sub("[\0\ud800]", "", text))  # the system passes neither
EVERYBODY = """
when: {recipient: "*"}
reject: {type: DoesNotExist, message: "{subject} {sender}"}
"""
WORDS = "mode: shadow\nwhen: {subject: {contains: x}, dmarc_policy: none}\ndrop: {}"
FORMATS = [[], ["--format", "json"], ["--explain"]]
SENT = {"Return-Path", "Received", "Authentication-Results", "Received-SPF", "DKIM-Signature"}
FIELDS = ["From", "To", "Subject", "Message-ID", "Date", "List-Id", "X-Other", *sorted(SENT)]


@contextmanager
def folder() -> Iterator[Path]:
    """Go to a new folder that has rules."""
    with tempfile.TemporaryDirectory() as name, chdir(name):
        Path("rules").mkdir()
        Path("rules/050-words.yaml").write_text(WORDS)
        Path("rules/100-everybody.yaml").write_text(EVERYBODY)
        yield Path()


def printed(*arguments: str) -> str:
    """Run a command line and return all that it wrote."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), suppress(SystemExit):  # argparse's
        cli.main(arguments)
    return out.getvalue() + err.getvalue()


@pytest.mark.threat
@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(FIELDS), HOSTILE, min_size=1), st.sampled_from(FORMATS))
def test_a_raw_mail_reaches_no_terminal(fields: dict[str, str], shape: list[str]) -> None:
    """Every header that a report could show may hold anything, trace headers included."""
    lines = (f"{name}: {value}" for name, value in fields.items())
    with folder():
        Path("mail.eml").write_bytes("\n".join([*lines, "", "x"]).encode("utf-8", "surrogatepass"))
        assert_harmless(printed("replay", *shape, "--recipient", "ann@example.com", "mail.eml"))


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an event of SES in which every text is a stranger's."""
    verdicts = ("spf", "dkim", "dmarc", "spam", "virus")
    receipt: dict[str, Any] = {f"{name}Verdict": {"status": draw(HOSTILE)} for name in verdicts}
    receipt["recipients"] = draw(st.lists(HOSTILE, min_size=1, max_size=3))
    receipt["dmarcPolicy"] = draw(HOSTILE)
    headers = [{"name": draw(st.sampled_from(FIELDS)), "value": draw(HOSTILE)} for _ in range(3)]
    times = st.sampled_from(["2026-11-02T08:00:00Z", "\x1b"])
    mail = {"source": draw(HOSTILE), "messageId": draw(HOSTILE), "timestamp": draw(times)}
    return {"Records": [{"ses": {"mail": {**mail, "headers": headers}, "receipt": receipt}}]}


@pytest.mark.threat
@settings(max_examples=80)
@given(events(), st.sampled_from(FORMATS))
def test_an_event_reaches_no_terminal(event: dict[str, Any], shape: list[str]) -> None:
    """Sender, recipients, verdict words and policy are shown with escapes in every format."""
    with folder():
        Path("event.json").write_text(json.dumps(event))
        assert_harmless(printed("replay", *shape, "event.json"))


@given(HOSTILE, st.sampled_from(FORMATS))
def test_a_file_that_is_not_a_mail_reaches_no_terminal(text: str, shape: list[str]) -> None:
    """Neither its content nor its name is printed as it is."""
    name = re.sub(r"[\0/\ud800]", "", f"a{text}.json")
    with folder():
        Path(name).write_bytes(text.encode("utf-8", "surrogatepass"))
        assert_harmless(printed("replay", *shape, name))
        assert_harmless(printed("replay", *shape, f"missing{name}"))


@pytest.mark.threat
@given(
    st.sampled_from(
        ["{}", "when: {{sender: '{}'}}\ndrop: {{}}", '{{"drop": {{}}, "{}": 1}}', "drop: !{} x"]
    ),
    HOSTILE,
)
def test_a_rule_reaches_no_terminal(template: str, text: str) -> None:
    """The errors and warnings of a rules folder show what they found with escapes."""
    with folder():
        data = template.format(text).encode("utf-8", "surrogatepass")
        Path("rules/070-odd.yaml").write_bytes(data)
        Path("settings.yaml").write_bytes(data)
        Path("mail.eml").write_text("Subject: x\n\nx")
        assert_harmless(printed("replay", "mail.eml"))
        assert_harmless(printed("replay", "--explain", "mail.eml"))
        assert_harmless(printed("replay", "--settings", "settings.yaml", "mail.eml"))
        assert_harmless(printed("doctor", "--settings", "settings.yaml"))


ARGUMENTS = [
    [],
    ["replay", "--verdict"],
    ["replay", "--rules"],
    ["replay", "x.eml", "--rules"],
    ["replay", "x.eml", "--rules", "rules", "--format"],
    ["replay", "x.eml", "--explain", "--sender"],
    ["replay", "x.eml", "--settings"],
    ["replay", "x.eml", "--send", "--out"],
    ["demo", "--nothing"],
    ["ses", "--port"],
    ["ses", "x.eml", "--fault"],
    ["ses", "--out"],
    ["ses"],
    ["doctor", "--settings"],
]


@pytest.mark.parametrize("words", ARGUMENTS, ids=" ".join)
@settings(max_examples=15)
@given(text=ARGUMENT)
def test_an_argument_reaches_no_terminal(words: list[str], text: str) -> None:
    """Wrong usage, argparse's own errors included, is told with escapes."""
    with folder():
        assert_harmless(printed(*words, f"\x1b{text}/x", "missing.eml"))


@pytest.mark.threat
@settings(max_examples=30)
@given(st.sampled_from(sorted(HEALTHY)), HOSTILE, HOSTILE)
def test_an_answer_of_aws_reaches_no_terminal(operation: str, code: str, text: str) -> None:
    """Every report of the doctor shows codes, texts and documents with escapes."""
    rule = {"ssm.GetParametersByPath": {"Parameters": [parameter(f"rules/{code}", text)]}}
    refusal = {operation: (code, text)}
    for answers in (rule, refusal):
        for kind in (findings_report.TableReport, findings_report.JsonReport):
            out = io.StringIO()
            with redirect_stdout(out):
                report: findings_report.Report = kind(open_console())
                for finding in (*found(answers), problem(code, text, code)):
                    report.add(finding)
            assert_harmless(out.getvalue())


class Screen(io.StringIO):
    """A terminal that keeps what is written on it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("show", [Console.print, findings_report.TableReport.add])
@given(text=HOSTILE)
def test_a_terminal_gets_only_the_styles_of_a_report(show: Callable[..., None], text: str) -> None:
    """On a terminal, too: escape sequences are those that the report has for its colours."""
    screen = Screen()
    with redirect_stdout(screen):
        console = open_console()
        if show is Console.print:
            console.print(text, markup=False)
        else:
            findings_report.TableReport(console).add(
                Finding(check=text, level=Level.OK, found=text)
            )
    assert_harmless(re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()))


@pytest.mark.threat
def test_the_log_of_the_fake_ses_reaches_no_terminal(tmp_path: Path) -> None:
    """A file it can't read is named on stderr, the endpoint on stdout, both with escapes."""
    (tmp_path / "odd\x1b[2J\u202e.json").write_text("{")
    event = {"mail": {"messageId": "a\x7f\x1b"}, "receipt": {"recipients": ["b@example.com"]}}
    (tmp_path / "event.json").write_text(json.dumps({"Records": [{"ses": event}]}))
    command = [sys.executable, "-m", "bouncer_cli.command_line", "ses", str(tmp_path)]
    with subprocess.Popen(  # noqa: S603  # our own command
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        ready = running.stdout.readline()
        running.terminate()
        _, said = running.communicate(timeout=30)
    assert json.loads(ready)["message_ids"] == ["a\x7f\x1b"]
    assert_harmless(ready + said)
    assert r"odd\u001b[2J\u202e.json" in said


def test_an_encoding_that_lacks_a_character_gets_its_escape(tmp_path: Path) -> None:
    """A Latin-1 terminal, or none at all, ends no replay."""
    event = {
        "mail": {"messageId": "m", "source": "日本@x.example"},
        "receipt": {"recipients": ["b@example.com"]},
    }
    (tmp_path / "event.json").write_text(json.dumps({"Records": [{"ses": event}]}))
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/100-everybody.yaml").write_text(EVERYBODY)
    command = [sys.executable, "-m", "bouncer_cli.command_line", "replay", "--explain"]
    done = subprocess.run(  # noqa: S603  # our own command
        [*command, "--rules", "rules", "event.json"],
        capture_output=True,
        cwd=tmp_path,
        env={"PYTHONIOENCODING": "latin-1"},
        check=False,
    )
    assert done.returncode == 0
    assert rb"\u65e5\u672c@x.example" in done.stdout
