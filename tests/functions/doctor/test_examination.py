"""`bouncer doctor` examines everything it can reach, and changes nothing."""

from typing import Any

import pytest

from bouncer_cli.doctor.finding import Level
from tests.functions.doctor.answers import stack_status
from tests.functions.doctor.aws import (
    FRESH,
    HEALTHY,
    NAME,
    destination,
    found,
    lines,
    parameter,
    receipt_rule,
    store,
    to_bus,
)

ASKED_FOR: dict[str, Any] = {
    "rule_set": "ours",
    "create_rule_set": True,
    "activate_rule_set": True,
    "create_identity": True,
}
NOTHING_THERE: dict[str, Any] = {
    "ses.DescribeActiveReceiptRuleSet": {},
    "ses.DescribeReceiptRuleSet": "RuleSetDoesNotExist",
    "ses.DescribeConfigurationSet": "ConfigurationSetDoesNotExist",
    "sesv2.GetConfigurationSetEventDestinations": "NotFoundException",
    "sesv2.GetEmailIdentity": "NotFoundException",
}


@pytest.mark.parametrize(
    ("status", "level"),
    [
        ("ROLLBACK_COMPLETE", Level.PROBLEM),
        ("ROLLBACK_FAILED", Level.PROBLEM),
        ("DELETE_FAILED", Level.PROBLEM),
        ("CREATE_IN_PROGRESS", Level.WARNING),
        ("DELETE_IN_PROGRESS", Level.WARNING),
    ],
)
def test_of_a_stack_that_is_not_whole_nothing_is_missed(status: str, level: Level) -> None:
    """Its resources are not reported as missing: made by hand, they would fail the deployment."""
    findings = found({**NOTHING_THERE, **stack_status(status)}, **ASKED_FOR)
    (stack,) = [finding for finding in findings if finding.level is not Level.OK]
    assert (stack.check, stack.level) == ("stack", level)


def test_no_event_destination_of_an_unfinished_stack_is_missed() -> None:
    """Event destinations are made and deleted together with the rest of the stack."""
    none: dict[str, Any] = {"sesv2.GetConfigurationSetEventDestinations": {"EventDestinations": []}}
    for status in ("CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS"):
        assert not lines(found({**none, **stack_status(status)}), Level.PROBLEM)


def test_what_may_belong_to_a_hidden_stack_is_not_known() -> None:
    """Without CloudFormation's answer nothing is announced, and nothing reported as deleted."""
    answers = {
        **NOTHING_THERE,
        "cloudformation.DescribeStacks": "AccessDenied",
        "ses.DescribeReceiptRuleSet": {"Rules": []},
        "sesv2.GetEmailIdentity": {**HEALTHY["sesv2.GetEmailIdentity"]},
    }
    del answers["sesv2.GetEmailIdentity"]["ConfigurationSetName"]
    findings = found(answers)
    assert not [finding for finding in findings if "the deployment makes" in finding.found]
    unknown = [line for line in findings if "cloudformation:DescribeStacks to" in line.next_step]
    assert [line.check for line in unknown[1:]] == ["receipt rule", "identity", "configuration set"]
    assert "deleted" not in str(findings)


def test_another_bouncer_of_the_same_mail_is_a_problem() -> None:
    """Each has its own ledger, so both may answer; the order of their rules does not matter."""
    other = receipt_rule("ses-auto-bouncer-old")

    def told(other: dict[str, Any]) -> list[str]:
        answers = {"ses.DescribeReceiptRuleSet": {"Rules": [receipt_rule(), other]}}
        return lines(found(answers), Level.PROBLEM)

    expected = (
        "receipt rule: ses-auto-bouncer-old judges the same mail and may bounce it a second time"
    )
    assert told(other) == [expected]
    before = {**FRESH, "ses.DescribeReceiptRuleSet": {"Rules": [other]}}
    assert lines(found(before), Level.PROBLEM) == [expected]
    assert not told({**other, "Enabled": False})
    assert not told({**other, "Recipients": ["example.org"]})
    assert not told({**other, "Name": "store"})
    assert not told({**other, "Actions": [store()]})  # in a stack that is named after ours


def test_the_mode_of_cdk_json_is_told_too() -> None:
    """The shipped cdk.json says mode: shadow, the usual reason for a lack of bounces."""

    def told(text: str | None) -> list[str]:
        shown = [parameter("settings", text)] if text else []
        answers = {"ssm.GetParametersByPath": {"Parameters": shown}}
        return lines(found(answers, runtime={"mode": "shadow"}), Level.WARNING)

    expected = "settings: mode is shadow, so nothing is rejected"
    assert expected in told(None)
    assert expected in told("cache: 30")
    assert expected not in told("mode: enforce")


def test_recipients_and_identities_are_compared_as_mail_does() -> None:
    """SES may show a domain in lower case that cdk.json has in capitals."""
    findings = found(recipients=["Example.com"], bounce_sender="bounces@Example.COM")
    assert not lines(findings, Level.PROBLEM)
    assert "identity: example.com is verified" in lines(findings, Level.OK)


def test_a_healthy_deployment_is_all_ok() -> None:
    """Every check reports ok, in the order of a mail's journey."""
    findings = found()
    assert not lines(findings, Level.PROBLEM) + lines(findings, Level.WARNING)
    checks = list(dict.fromkeys(finding.check for finding in findings))
    assert checks == [
        *("credentials", "stack", "mx", "active rule set", "receipt rule"),
        *("stored mail", "function"),
        *(
            "concurrency",
            "rules",
            "settings",
            "queue mapping",
            "queue",
            "dead letters",
            "rate",
            "ledger",
            "ses account",
        ),
        *(
            "identity",
            "configuration sets",
            "configuration set",
            "event destination",
            "feedback",
            "alarm",
        ),
    ]
    text = "\n".join(lines(findings, Level.OK))
    assert "account 123456789012 as arn:aws:iam::123:user/ann in eu-west-1" in text
    assert "intake: python3.13, changed 2026-11-20T10:00:00" in text
    assert "3 jobs wait in jobs.fifo, 0:00:03 of sending, the oldest for 2.0 h" in text
    assert f"configuration set: {NAME} sends, with event destinations Metrics" in text
    assert f"configuration sets: 2 in this region: {NAME}, news" in text
    assert "Metrics (CloudWatch) is enabled for send, reject" in text


def test_before_deploying_it_says_what_is_ready_and_what_comes_next() -> None:
    """Without a stack its resources are not missed; the one thing to do is to deploy."""
    findings = found(FRESH, attach_configuration_set=True)
    assert not lines(findings, Level.PROBLEM)
    (next_step,) = [finding for finding in findings if finding.level is Level.WARNING]
    assert next_step.check == "stack"
    assert "cdk deploy" in next_step.next_step
    assert {finding.check for finding in findings}.isdisjoint(
        {"function", "queue", "queue mapping", "dead letters", "ledger", "alarm"}
    )
    text = "\n".join(lines(findings, Level.OK))
    assert "our rule does not exist yet; the deployment puts it first in default-rule-set" in text
    assert f"{NAME} does not exist yet; the deployment makes it" in text
    assert "no default configuration set; the deployment attaches ours" in text


def test_what_the_deployment_will_make_is_not_missed() -> None:
    """A rule set, its activation and an identity that the settings ask for are announced."""
    findings = found(
        {
            **FRESH,
            "ses.DescribeActiveReceiptRuleSet": {},
            "ses.DescribeReceiptRuleSet": "RuleSetDoesNotExist",
            "sesv2.GetEmailIdentity": "NotFoundException",
        },
        rule_set="ours",
        create_rule_set=True,
        activate_rule_set=True,
        create_identity=True,
    )
    assert lines(findings, Level.PROBLEM) == []
    text = "\n".join(lines(findings, Level.OK))
    assert "active rule set: no rule set is active yet; the deployment activates ours" in text
    assert "rule set ours does not exist yet; the deployment makes it" in text
    assert "example.com does not exist yet; the deployment makes it" in text


@pytest.mark.parametrize("sender", ["Mailer-Daemon@Example.com", "MAILER-DAEMON@EXAMPLE.COM"])
def test_senders_are_compared_without_case(sender: str) -> None:
    """As the worker's policy compares them: no rule and no settings are reported for their case."""
    shown = [
        parameter("rules/a", f"reject: {{type: Undefined, sender: {sender}}}"),
        parameter("settings", f"bounce_sender: {sender}"),
    ]
    findings = found({"ssm.GetParametersByPath": {"Parameters": shown}})
    assert not lines(findings, Level.PROBLEM)


def test_without_an_archive_no_stream_is_missing() -> None:
    """`archive: false` makes no Firehose destination, so none is asked for."""
    shown = [destination(), to_bus()]
    only = {"sesv2.GetConfigurationSetEventDestinations": {"EventDestinations": shown}}
    assert not lines(found(only, archive=False), Level.PROBLEM)
    assert lines(found(only), Level.PROBLEM)
