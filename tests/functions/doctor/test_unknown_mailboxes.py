"""The doctor's finding about bounces that SES could save by refusing unknown mailboxes."""

from pathlib import Path
from typing import Any

import pytest

from bouncer_cli.commands.demo_command import SHIPPED_RULES
from bouncer_cli.doctor.finding import Finding, Level
from tests.functions.doctor.answers import parameters
from tests.functions.doctor.aws import BEFORE, NOW, found

CLOSING = """
when: {recipient_domain: example.com}
unless: {recipient: [ann@example.com, Bob@example.com]}
reject: {type: DoesNotExist}
"""


def sent(*sums: float) -> dict[str, Any]:
    """Return the answers of an account in which these bounces were sent, day by day."""
    points = [{"Timestamp": NOW, "Sum": number, "Maximum": 1.0} for number in sums]
    return {"cloudwatch.GetMetricStatistics": {"Datapoints": points}}


def finding(rules: dict[str, str], *sums: float, **settings: Any) -> list[Finding]:
    documents = parameters(**{f"rules__{name}": text for name, text in rules.items()})
    findings = found({**documents, **sent(*sums)}, **settings)
    return [each for each in findings if each.check == "unknown mailboxes"]


def test_the_bounces_that_ses_could_save_are_counted() -> None:
    """A rule that knows all mailboxes is named with the bounces of the last 30 days."""
    (told,) = finding({"900": CLOSING, "200": "when: {recipient: c@example.com}\ndrop: {}"}, 3, 4)
    assert told.level is Level.WARNING
    assert told.found == (
        "900 and the other rules name 3 addresses of example.com: as recipients, they would have "
        "saved at most 7 bounces in 30 days"
    )
    assert "README.md#if-you-can-name-all-mailboxes" in told.next_step


def test_the_starter_rules_are_understood() -> None:
    """The shipped rule for unknown mailboxes is such a rule."""
    rules = {path.stem: path.read_text("utf-8") for path in Path(SHIPPED_RULES).glob("*.yaml")}
    (told,) = finding(rules, 5)
    assert told.found.startswith("900-unknown-mailbox and the other rules name 1")


def test_without_bounces_there_is_nothing_to_save() -> None:
    """The finding is then that all is well."""
    (told,) = finding({"900": CLOSING})
    assert told.level is Level.OK


@pytest.mark.parametrize(
    "rule",
    [
        CLOSING.replace("[ann@example.com, Bob@example.com]", "['*@example.com']"),
        CLOSING.replace("{recipient: [", "{sender: ["),
        CLOSING.replace("recipient_domain", "sender_domain"),
        CLOSING.replace("example.com}\nunless", "example.com, spf: pass}\nunless"),
        CLOSING.replace("reject: {type: DoesNotExist}", "drop: {}"),
        "mode: shadow" + CLOSING,
        "mode: 'off'" + CLOSING,
        CLOSING.replace("example.com", "elsewhere.example"),
        "reject: {type: DoesNotExist}",
        "rejcet: {}",
    ],
)
def test_other_rules_do_not_know_all_mailboxes(rule: str) -> None:
    """Patterns, other conditions and other actions are not such a list."""
    assert finding({"900": rule}, 9) == []


def test_more_mailboxes_than_a_receipt_rule_takes_are_not_advised() -> None:
    """SES takes 100 recipients in a rule."""
    names = [f"a{number}@example.com" for number in range(98)]
    rules = {"900": CLOSING, "200": f"when: {{recipient: [{', '.join(names)}]}}\ndrop: {{}}"}
    assert finding(rules, 9) != []
    assert finding({**rules, "300": "when: {recipient: z@example.com}\ndrop: {}"}, 9) == []


def test_before_a_deployment_nothing_is_asked() -> None:
    """There were no bounces yet."""
    answers = {**parameters(rules__900=CLOSING), **BEFORE}
    assert [each for each in found(answers) if each.check == "unknown mailboxes"] == []


def test_mailboxes_that_are_named_already_are_not_advised() -> None:
    """The recipients are addresses, so SES refuses the others as it is."""
    assert finding({"900": CLOSING}, 9, recipients=["ann@example.com"]) == []
