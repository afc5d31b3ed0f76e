"""`bouncer rules release`: shown first, asked for, done once."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bouncer.sending import brakes
from bouncer_cli.operations.operated_account import OperatedAccount
from tests.functions.operations.deployed import Deployed, Operate

RELEASE = ("rules", "release", "200-departed")


@pytest.fixture
def braked(deployed: Deployed) -> Deployed:
    """A deployment in which two rules are braked, one of them with a log."""
    for write in brakes.trip(["200-departed", "900-unknown"]):
        deployed.dynamodb.update_item(**write.parameters("ledger"))
    log = {"id": {"S": brakes.log_key("200-departed")}, "jabc": {"N": "1790000000"}}
    deployed.dynamodb.put_item(TableName="ledger", Item=log)
    return deployed


def names(deployed: Deployed) -> list[str]:
    """The rules that are braked in the ledger."""
    key = {"id": {"S": brakes.BRAKES}}
    item = deployed.dynamodb.get_item(TableName="ledger", Key=key).get("Item", {})
    return sorted(brakes.braked_rules(item))


def logs(deployed: Deployed) -> list[str]:
    """The keys of logs that the ledger has."""
    items = deployed.dynamodb.scan(TableName="ledger")["Items"]
    return [key for item in items if (key := item["id"]["S"]).startswith("brake#")]


def test_a_rule_is_released_and_counts_anew(braked: Deployed, operate: Operate) -> None:
    """Its name and its log go; the other rule stays braked. A second time says so."""
    status, out, err = operate(*RELEASE, "--yes")
    assert (status, err) == (0, "200-departed is released\n")
    assert "braked:  200-departed, 900-unknown\n" in out
    assert "release: 200-departed acts again as its document says" in out
    assert (names(braked), logs(braked)) == (["900-unknown"], [])
    status, out, err = operate(*RELEASE, "--yes")
    assert (status, err) == (2, "200-departed is not braked, expected one of 900-unknown\n")
    assert "braked:  900-unknown\n" in out


def test_a_mistyped_name_is_refused(braked: Deployed, operate: Operate) -> None:
    """The rule that was meant is still braked."""
    status, _, err = operate("rules", "release", "200-departde", "--yes")
    assert (status, err) == (
        2,
        "200-departde is not braked, expected one of 200-departed, 900-unknown\n",
    )
    assert len(names(braked)) == 2


def test_nothing_is_braked(deployed: Deployed, operate: Operate) -> None:
    """The command says so, and changes nothing."""
    status, out, err = operate(*RELEASE, "--yes")
    assert (status, err) == (0, "200-departed is not braked: nothing was changed\n")
    assert "braked:  no rule\n" in out
    assert names(deployed) == []


def test_a_name_with_control_characters_is_escaped(deployed: Deployed, operate: Operate) -> None:
    """A terminal shows it, and does not obey it."""
    assert names(deployed) == []
    _, _, err = operate("rules", "release", "\x1b[31mred", "--yes")
    assert err == "\\u001b[31mred is not braked: nothing was changed\n"


def test_a_dry_run_changes_nothing(braked: Deployed, operate: Operate) -> None:
    """It shows what would be done."""
    status, out, err = operate(*RELEASE, "--dry-run")
    assert (status, err) == (0, "--dry-run: nothing was changed\n")
    assert "release: 200-departed" in out
    assert names(braked) == ["200-departed", "900-unknown"]


def test_nobody_is_asked_without_a_terminal(braked: Deployed, operate: Operate) -> None:
    """A script has to say --yes."""
    status, _, err = operate(*RELEASE)
    assert (status, "expected --yes" in err) == (2, True)
    assert len(names(braked)) == 2


def test_the_publisher_is_asked_when_the_rule_is_released(
    braked: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only then does it read a ledger without the name."""
    braked.outputs["PublisherArn"] = "arn:publisher"
    do, asked = OperatedAccount.do, []

    def invoke(account: OperatedAccount, service: str, operation: str, **given: Any) -> Any:
        if (service, operation) != ("lambda", "invoke"):
            return do(account, service, operation, **given)
        asked.append((json.loads(given["Payload"]), names(braked)))
        return {"StatusCode": 200}

    monkeypatch.setattr(OperatedAccount, "do", invoke)
    assert operate(*RELEASE, "--yes")[0] == 0
    assert asked == [({"publish": "settings"}, ["900-unknown"])]


def test_a_missing_permission_is_one_sentence(
    braked: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule stays braked, and the sentence names the permission."""
    do = OperatedAccount.do

    def refuse(account: OperatedAccount, service: str, operation: str, **given: Any) -> Any:
        if operation != "update_item":
            return do(account, service, operation, **given)
        answer: Any = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
        raise account.meaning(service, operation, ClientError(answer, "UpdateItem"))

    monkeypatch.setattr(OperatedAccount, "do", refuse)
    status, _, err = operate(*RELEASE, "--yes")
    assert status == 1
    assert err.count("\n") == 1
    assert "dynamodb:UpdateItem" in err
    assert names(braked) == ["200-departed", "900-unknown"]
