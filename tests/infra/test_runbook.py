"""The runbook's commands exist, and the functions accept the settings it names."""

import json
import re

import pytest

from bouncer.operator_settings import Settings
from bouncer.rules.rule import Mode
from bouncer.settings_reader import overlaid
from tests.infra.monitoring_parts import (
    OPERATIONS,
    ROOT,
)

DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["sending: paused", "mode: shadow"])
def test_the_kill_switches_are_settings_that_exist(name: str) -> None:
    """The functions accept the settings that the runbook has operators write."""
    assert name in OPERATIONS
    overlaid(Settings(), name)


def test_the_kill_switch_pauses_and_changes_nothing_else() -> None:
    """The runbook's settings leave the mode as it was, though cdk.json says shadow."""
    shipped = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    deployed = overlaid(Settings(), json.dumps(shipped["context"]["bouncer"]["settings"]))
    assert deployed.mode is Mode.SHADOW
    commands = re.findall(r"put-parameter --name \S+/settings .*--value \$?'(.+)'", OPERATIONS)
    pause, resume = (overlaid(deployed, text.replace("\\n", "\n")) for text in commands)
    assert (pause.mode, pause.sending) == (Mode.ENFORCE, False)
    assert (resume.mode, resume.sending) == (Mode.ENFORCE, True)


def test_commands_of_the_runbooks_exist() -> None:
    """Every `aws` command of both pages is one of botocore's, with options of its operation."""
    import botocore.session  # noqa: PLC0415  # beside its only use
    from botocore import xform_name  # noqa: PLC0415

    session = botocore.session.get_session()
    found = re.findall(
        r"^ *aws ([a-z0-9-]+) ([a-z-]+)((?:.|\\\n)*?)(?<!\\)$", DEPLOY + OPERATIONS, re.MULTILINE
    )
    assert found
    for service, command, rest in found:
        if service == "s3":
            continue  # the CLI's own, no operation of the service
        model = session.get_service_model(service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        shape = model.operation_model(names[command]).input_shape
        assert shape
        options = {xform_name(member, "-") for member in shape.members} | {"query", "output"}
        given = {option.removeprefix("no-") for option in re.findall(r"--([a-z-]+)", rest)}
        assert given <= options, command
