"""Fixtures for the tests beside this file."""

import pytest

from bouncer_cli import command_line as cli
from tests.functions.cli.command_runs import ROOT, Run


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
