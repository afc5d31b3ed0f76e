"""`--deployment NAME` picks one of several deployments, for every command that reads cdk.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.functions.operations.deployed import CDK, Operate

OTHER: dict[str, Any] = {
    "recipients": ["other.example"],
    "bounce_sender": "mailer-daemon@other.example",
    "settings": {"rate": 0.2},
}


@pytest.fixture
def several(operate: Operate) -> Operate:
    """The deployed one, and another that is not."""
    main = {**CDK["context"]["bouncer"], "settings": {"rate": 0.5}}
    document = {"context": {"bouncer": {"deployments": {"main": main, "other": OTHER}}}}
    Path("cdk.json").write_text(json.dumps(document), encoding="utf-8")
    return operate


def test_a_command_needs_the_name(several: Operate) -> None:
    """Without it nothing is asked, and the error has the names and the option."""
    for words in (("jobs", "list"), ("pause", "--dry-run"), ("doctor",), ("hash", "a@b.example")):
        status, _, error = several(*words)
        assert status == 2, words
        assert error.strip() == (
            "cdk.json: found 2 deployments, expected the name of one: "
            "add --deployment main or other"
        )


def test_a_command_works_on_the_one_that_is_named(several: Operate) -> None:
    """The deployed one answers, and the other is missed by its own name."""
    assert several("jobs", "list", "--deployment", "main")[0] == 0
    status, _, error = several("jobs", "list", "--deployment", "other")
    assert status != 0
    assert "stack ses-auto-bouncer-other: found none" in error
    status, _, error = several("jobs", "list", "--deployment", "x")
    assert (status, error.strip()) == (
        2,
        'deployment: found "x", expected main or other, as in cdk.json',
    )


def test_another_account_is_not_operated_on(operate: Operate) -> None:
    """A stack of the same name may exist there: nothing of it is read."""
    for account, status in (("111122223333", 1), ("123456789012", 0)):  # moto's is the second
        block = {**CDK["context"]["bouncer"], "account": account}
        Path("cdk.json").write_text(json.dumps({"context": {"bouncer": block}}), encoding="utf-8")
        done, _, error = operate("jobs", "list")
        assert (done == 0) == (status == 0), error
        assert ("account: found 123456789012, expected 111122223333" in error) == bool(status)


RULE = "when: {virus: fail}\ndrop: {}\n"
KEY = "bnc-abcdefghij234567"
COMMANDS = (
    *("doctor", "pause", "resume", "forget ann@example.com", "hash ann@example.com", "report"),
    *(
        "replay mail --rules revision:current",
        "rules push rules",
        "rules release 300-x",
        "rules check revision:current",
    ),
    *("lists push lists", "jobs list", f"jobs show {KEY}", f"jobs retry {KEY}", f"jobs drop {KEY}"),
    *("mail list", "mail get mail-1", "mail release mail-1 --to out"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_looks_for_the_deployment_that_is_named(
    several: Operate, command: str
) -> None:
    """A name that cdk.json does not have is refused before anything is asked."""
    for name, text in (("lists/a.txt", "a@example.com\n"), ("rules/300-x.yaml", RULE)):
        Path(name).parent.mkdir()
        Path(name).write_text(text, encoding="utf-8")
    status, _, error = several(*command.split(), "--deployment", "x")
    assert (status, error.strip()) == (
        2,
        'deployment: found "x", expected main or other, as in cdk.json',
    )
