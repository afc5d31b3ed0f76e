"""A deployment in an account that moto imitates, and the command that operates it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from moto import mock_aws

from bouncer_cli import command_line as cli
from bouncer_cli.commands import document_push
from bouncer_cli.operations import dead_letter_queue, parameter_calls
from tests.functions.operations.cloudformation import cloudformation
from tests.functions.operations.deployed import CDK, REGION, STACK, Deployed, Operate
from tests.functions.operations.published import Published


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """The queues, ledger and outputs of a stack, and its cdk.json in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dead_letter_queue, "_WAIT_S", 0)  # moto has one server
    (tmp_path / "cdk.json").write_text(json.dumps(CDK))
    keys = {"AWS_DEFAULT_REGION": REGION, "AWS_CONFIG_FILE": os.devnull}
    with mock_aws(), patch.dict(os.environ, keys):
        made = Deployed()
        with cloudformation(STACK, made.outputs, made.resources) as endpoint:
            monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", endpoint)
            yield made


@pytest.fixture
def operate(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> Operate:
    """Run a command in that account: exit status, stdout, stderr."""
    assert deployed

    def bouncer(*words: str) -> tuple[int, str, str]:
        try:
            status = cli.main(list(words))
        except SystemExit as stopped:
            status = int(stopped.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return bouncer


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch, deployed: Deployed) -> Published:
    """The publisher of that deployment, and an SSM without limits."""
    monkeypatch.setattr(parameter_calls, "WRITES_A_SECOND", 1000)
    monkeypatch.setattr(document_push, "_SECOND_LOOK_S", 0)
    return Published(monkeypatch, deployed)
