"""The commands of the pages for operators, as the rehearsal finds and runs them."""

import os
from pathlib import Path

import pytest

from bouncer_rehearsal.runbook_commands import RunbookCommands, RunbookError, commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / page for page in ("deploy.md", "operations.md")]


@pytest.fixture
def runbooks(tmp_path: Path) -> RunbookCommands:
    """The pages' commands, with an `aws` that notes its arguments and knows no settings."""
    tools = tmp_path / "tools"
    tools.mkdir()
    aws = tools / "aws"
    aws.write_text(
        '#!/bin/sh\nshift 2\necho "$*" >> calls\n'
        'case "$*" in *get-parameter\\ *) echo ParameterNotFound >&2; exit 254;; esac\n'
    )
    aws.chmod(0o755)
    environment = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "AWS_ENDPOINT_URL": "x"}
    return RunbookCommands(
        PAGES, folder=tmp_path, environment=environment, name="local", words={"QUEUE_ARN": "q"}
    )


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def test_a_page_shows_lines_and_blocks() -> None:
    """Code that begins with a command, and blocks of shell; each once, in order."""
    page = "x\n\n    aws s3 ls\n    bouncer replay\n\n   ```sh\n   for a\n   ```\n\n    aws s3 ls\n"
    assert commands(page) == ["   for a\n", "aws s3 ls", "bouncer replay"]


def test_settings_that_nobody_wrote_are_read_first(runbooks: RunbookCommands) -> None:
    """The page says what the error means; the command must end with that one."""
    runbooks.run("ssm get-parameter --name", "/settings", fails="ParameterNotFound")
    with pytest.raises(RunbookError, match=r"found exit status 254 .* expected exit status 0"):
        runbooks.run("ssm get-parameter --name", "/settings")
    with pytest.raises(RunbookError, match="expected AccessDenied"):
        runbooks.run("ssm get-parameter --name", "/settings", fails="AccessDenied")


def test_words_in_capitals_are_values(runbooks: RunbookCommands, tmp_path: Path) -> None:
    """Those of the stack, and those that the step before has shown."""
    runbooks.run("list-event-source-mappings")
    runbooks.run("update-event-source-mapping", "--no-enabled", UUID="u1")
    assert calls(tmp_path) == [
        "lambda list-event-source-mappings --event-source-arn q --query EventSourceMappings[].UUID",
        "lambda update-event-source-mapping --uuid u1 --no-enabled",
    ]
    assert not [each for each in runbooks.unused() if "event-source-mappings" in each]
    assert len(runbooks) == 2


def test_a_command_that_left_the_pages_is_missed(runbooks: RunbookCommands) -> None:
    """A step of the rehearsal that no page has any more must not pass."""
    with pytest.raises(RunbookError, match=r"sqs eat-queue: found no such command in the pages"):
        runbooks.run("sqs eat-queue")
