"""`bouncer doctor` as a command: exit status, table, JSON, help."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bouncer_cli import command_line as cli
from bouncer_cli.doctor.examination import examine
from bouncer_cli.doctor.finding import Finding, ok, problem
from bouncer_cli.doctor.findings_report import TableReport
from bouncer_infra.deployment_settings import DeploymentSettings
from tests.functions.doctor.answers import (
    account,
)
from tests.functions.doctor.aws import (
    FRESH,
    INBOUND,
    MINIMAL,
    NAME,
    REGION,
    Aws,
)


def run(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any], *arguments: str) -> int:
    """Run the command in a folder with a cdk.json, in an account that answers so."""
    aws = Aws(answers)

    def before_account(wanted: DeploymentSettings, **options: Any) -> Iterator[Finding]:
        return examine(wanted, **options, session=aws.session, look_up=lambda _: (INBOUND,))

    monkeypatch.setattr("bouncer_cli.doctor.examination.examine", before_account)
    Path("cdk.json").write_text(json.dumps({"context": {"bouncer": MINIMAL}}))
    return cli.main(["doctor", "--region", REGION, *arguments])


def test_the_exit_status_tells_problems_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The status is 0 with warnings and 1 with a problem; the table ends with a count."""
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, FRESH) == 0
    out, err = capsys.readouterr()
    assert err.strip().endswith(" ok, 2 warnings, 0 problems")
    assert (
        f"warning  stack               {NAME} is not deployed -> resolve the problems below" in out
    )
    assert run(monkeypatch, account(SendingEnabled=False)) == 1
    out, err = capsys.readouterr()
    assert err.strip().endswith(" ok, 0 warnings, 1 problem")
    assert "problem  ses account         sending is paused -> read AWS" in out


def test_json_is_one_object_per_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Programs get the same findings, and nothing else on stdout or stderr."""
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, FRESH, "--format", "json") == 0
    out, err = capsys.readouterr()
    objects = [json.loads(line) for line in out.splitlines()]
    assert err == ""
    assert {"level": "warning", "check": "stack"}.items() <= objects[1].items()
    assert all(set(line) == {"check", "level", "found", "next"} for line in objects)
    assert objects[0]["next"] is None


def test_a_terminal_folds_what_is_found_within_its_column() -> None:
    """Long lines stay readable, a next step begins a line, and AWS's text controls no terminal."""
    console = Console(force_terminal=True, width=60, no_color=True, record=True, quiet=False)
    with console.capture() as captured:
        report = TableReport(console)
        report.add(ok("mx", "fine"))
        report.add(problem("rules", "bad \x1b[2J " + "word " * 20, "mend it"))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", captured.get())
    assert "\x1b" not in shown
    assert all(len(line) <= 60 for line in shown.splitlines())
    assert all(line.startswith(" " * 29) for line in shown.splitlines()[2:])


def test_the_example_in_the_help_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The help of the command ends with an example that runs as it stands."""
    with pytest.raises(SystemExit):
        cli.main(["doctor", "--help"])
    example = re.search(r"example: bouncer doctor (.+)", capsys.readouterr().out)
    assert example
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, {}, *shlex.split(example[1])) == 0
