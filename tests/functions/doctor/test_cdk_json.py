"""`bouncer doctor` reads the settings from which the stack is made."""

import json
from pathlib import Path
from typing import Any

import pytest

from bouncer.errors import BouncerError
from bouncer_cli import command_line as cli
from bouncer_infra.deployment_settings_reader import read_cdk_json, read_settings
from tests.functions.doctor.aws import (
    MINIMAL,
)


def test_settings_are_those_the_stack_is_made_from(tmp_path: Path) -> None:
    """The doctor reads cdk.json as synth does: same keys, same defaults."""
    contexts: list[dict[str, Any]] = [
        MINIMAL,
        {
            **MINIMAL,
            "name": "second",
            "bounce_sender": "Mail system <bounces@mail.example.org>",
            "further_senders": ["a@example.net"],
            "identity": "example.org",
            "prefix": "/mail/second",
            "rule_set": "ours",
            "create_rule_set": True,
            "activate_rule_set": True,
            "invocation": "event",
            "scan": False,
            "require_tls": True,
            "attach_configuration_set": False,
            "events": ["send", "bounce"],
            "log_days": 7,
        },
        {**MINIMAL, "after": "archive", "create_identity": True},
    ]
    path = tmp_path / "cdk.json"
    for context in contexts:
        path.write_text(json.dumps({"context": {"bouncer": context}}))
        assert read_cdk_json(path) == read_settings(context)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "can't be read"),
        ("{", "found no JSON"),
        ("[" * 200_000, "found values nested too deeply"),
        ("[" + "1" * 5000 + "]", "found a number with thousands of digits"),
        ("[]", "context.bouncer: found nothing, expected a mapping with recipients"),
        ('{"context": {"bouncer": []}}', "context.bouncer: found an empty list"),
        ('{"context": {"bouncer": {"name": 5}}}', "context.bouncer.recipients: found nothing"),
        ('{"context": {"bouncer": {"name": 5}}}', "context.bouncer.name: found 5"),
    ],
)
def test_settings_that_cannot_be_read_are_wrong_usage(
    text: str | None, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each error is one sentence with what was expected; the exit status is 2."""
    path = tmp_path / "cdk.json"
    if text is not None:
        path.write_text(text)
    assert cli.main(["doctor", "--settings", str(path)]) == 2
    assert expected in capsys.readouterr().err
    with pytest.raises(BouncerError):
        read_cdk_json(path)
