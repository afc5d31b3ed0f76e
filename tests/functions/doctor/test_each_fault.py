"""`bouncer doctor` finds each thing that is wrong and says what to do."""

import re
from typing import Any

import pytest

from bouncer_cli.doctor.finding import Level
from tests.functions.doctor.answers import (
    account,
    activated,
    active,
    alarm,
    call,
    destinations,
    function,
    our_rule,
    parameters,
    quota,
    reputation,
    rules,
    stack_status,
    stops,
    subscriptions,
    without,
)
from tests.functions.doctor.aws import (
    ARN,
    BEFORE,
    EVENTS,
    FRESH,
    NAME,
    archive,
    destination,
    found,
    lines,
    receipt_rule,
    to_bus,
)
from tests.functions.doctor.faults_of_functions import FAULTS_OF_FUNCTIONS
from tests.functions.doctor.faults_of_organization import FAULTS_OF_ORGANIZATION
from tests.functions.doctor.faults_of_stored_mail import FAULTS_OF_STORED_MAIL

FOREIGN = {
    "Name": "theirs",
    "Enabled": True,
    "MatchingEventTypes": ["COMPLAINT"],
    "SnsDestination": {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:theirs"},
}
BEFORE_MADE = {"rule_set": "ours", "create_rule_set": True}

FAULTS: list[tuple[Level, str, dict[str, Any], dict[str, Any]]] = [
    # The stack
    (Level.WARNING, f"stack: {NAME} is not deployed", BEFORE, {}),
    (Level.WARNING, "stack: .* is not deployed", stack_status("REVIEW_IN_PROGRESS"), {}),
    (Level.WARNING, "rolled back", stack_status("UPDATE_ROLLBACK_COMPLETE"), {}),
    (Level.WARNING, "is UPDATE_IN_PROGRESS", stack_status("UPDATE_IN_PROGRESS"), {}),
    (Level.PROBLEM, "is ROLLBACK_COMPLETE", stack_status("ROLLBACK_COMPLETE"), {}),
    (Level.PROBLEM, "is DELETE_FAILED", stack_status("DELETE_FAILED"), {}),
    (Level.PROBLEM, "is UPDATE_FAILED", stack_status("UPDATE_FAILED"), {}),
    (Level.PROBLEM, "is UPDATE_ROLLBACK_FAILED", stack_status("UPDATE_ROLLBACK_FAILED"), {}),
    # The brakes
    (
        Level.PROBLEM,
        "rules: 200-departed passed its at_most, so it only records",
        {"dynamodb.GetItem": {"Item": {"braked": {"SS": ["200-departed"]}}}},
        {},
    ),
    # The active rule set
    (Level.PROBLEM, "active rule set: no rule set is active", active(None), {}),
    (Level.WARNING, "active rule set: no rule set is active", {**FRESH, **active(None)}, {}),
    (
        Level.PROBLEM,
        "theirs, so no mail reaches the rules of default-rule-set",
        active("theirs"),
        {},
    ),
    (Level.WARNING, "theirs, so no mail reaches the rules of", {**FRESH, **active("theirs")}, {}),
    (
        Level.PROBLEM,
        "theirs, which the deployment does not replace",
        {**FRESH, **active("theirs")},
        {**BEFORE_MADE, "activate_rule_set": True},
    ),
    (
        Level.PROBLEM,
        "ours, which this deployment activated: without activate_rule_set the next one deactivates",
        activated("ours"),
        {"rule_set": "ours"},
    ),
    (
        Level.OK,
        "active rule set: ours, as configured",
        activated("ours"),
        {**BEFORE_MADE, "activate_rule_set": True},
    ),
    (
        Level.OK,
        "set: theirs, as conf",
        {**activated("ours"), **active("theirs")},
        {"rule_set": "theirs"},
    ),
    # The rule set and the rule
    (
        Level.PROBLEM,
        "rule set default-rule-set does not exist$",
        {"ses.DescribeReceiptRuleSet": "RuleSetDoesNotExist"},
        {},
    ),
    (Level.PROBLEM, "rule set ours exists already", {**FRESH, **active("ours")}, BEFORE_MADE),
    (Level.PROBLEM, f"rule {NAME} is not in default-rule-set", rules(receipt_rule("store")), {}),
    (Level.PROBLEM, "rule archive is not in .*, but after names it", FRESH, {"after": "archive"}),
    (Level.OK, "puts it after store", FRESH, {"after": "store"}),
    (Level.PROBLEM, f"rule {NAME} exists, but the stack that made it does not", BEFORE, {}),
    (Level.OK, "number 2 of 2", stops("other.example"), {}),
    (Level.PROBLEM, "first stands before ours and stops mail for everybody", stops(), {}),
    (Level.WARNING, "stops mail for ann@example.com", stops("ann@example.com"), {}),
    (Level.WARNING, "stops mail for Example.com", stops("Example.com"), {}),
    (
        Level.WARNING,
        "bounces too: one mail gets two bounces",
        rules(
            receipt_rule(
                "first",
                Actions=[
                    {
                        "BounceAction": {
                            "SmtpReplyCode": "550",
                            "Message": "no",
                            "Sender": "a@example.com",
                        }
                    }
                ],
            ),
            receipt_rule(),
        ),
        {},
    ),
    (Level.PROBLEM, "receipt rule: disabled", our_rule(Enabled=False), {}),
    (
        Level.PROBLEM,
        "recipients are elsewhere.example, cdk.json says example.com",
        our_rule(Recipients=["elsewhere.example"]),
        {},
    ),
    (Level.PROBLEM, "recipients are everybody", our_rule(Recipients=[]), {}),
    (Level.PROBLEM, "scanning is off", our_rule(ScanEnabled=False), {}),
    (Level.PROBLEM, "scanning is on", {}, {"scan": False}),
    (Level.PROBLEM, "TLS policy is Optional", {}, {"require_tls": True}),
    (Level.PROBLEM, "by Event, cdk.json says RequestResponse", call(InvocationType="Event"), {}),
    (Level.PROBLEM, "by RequestResponse, cdk.json says Event", {}, {"invocation": "event"}),
    (
        Level.OK,
        "receipt rule: calls intake by Event",
        call(InvocationType="Event"),
        {"invocation": "event"},
    ),
    (
        Level.PROBLEM,
        "receipt rule: calls other, not our intake",
        call(FunctionArn=f"{ARN}other:live"),
        {},
    ),
    (Level.PROBLEM, "receipt rule: calls no function", our_rule(Actions=[]), {}),
    # The account's sending
    (Level.PROBLEM, "in the sandbox", account(ProductionAccessEnabled=False), {}),
    (Level.PROBLEM, "sending is paused", account(SendingEnabled=False), {}),
    (Level.WARNING, "status PROBATION", account(EnforcementStatus="PROBATION"), {}),
    (Level.PROBLEM, "status SHUTDOWN", account(EnforcementStatus="SHUTDOWN"), {}),
    (Level.WARNING, "sent 900 of 1000 in 24 hours", quota(1000, 900), {}),
    (Level.OK, "sending is enabled", quota(0, 0), {}),
    (Level.OK, "sent 900 in 24 hours, no quota", quota(-1, 900), {}),
    # Configuration set and event destinations
    (
        Level.PROBLEM,
        f"configuration set: {NAME} does not exist",
        {"ses.DescribeConfigurationSet": "ConfigurationSetDoesNotExist"},
        {},
    ),
    (
        Level.PROBLEM,
        f"configuration set: {NAME} exists, but the stack that made it does not",
        BEFORE,
        {},
    ),
    (Level.PROBLEM, "does not send", reputation(SendingEnabled=False), {}),
    (Level.WARNING, "no reputation metrics", reputation(ReputationMetricsEnabled=False), {}),
    (
        Level.PROBLEM,
        "event destination: our set has no CloudWatch destination",
        destinations(archive()),
        {},
    ),
    (
        Level.PROBLEM,
        "event destination: our set has no Firehose destination",
        destinations(destination()),
        {},
    ),
    (
        Level.PROBLEM,
        "event destination: our set has no EventBridge destination, so senders to whom",
        destinations(destination(), archive()),
        {},
    ),
    (
        Level.WARNING,
        "Feedback .EventBridge. gets no complaint events",
        destinations(destination(), archive(), to_bus(MatchingEventTypes=["BOUNCE"])),
        {},
    ),
    (Level.PROBLEM, "Metrics .* is disabled", destinations(destination(Enabled=False)), {}),
    (
        Level.OK,
        r"theirs \(SNS\) is not in cdk.json",
        destinations(destination(), archive(), FOREIGN),
        {},
    ),
    (
        Level.WARNING,
        "gets no reject, send events",
        destinations(destination(MatchingEventTypes=EVENTS[2:])),
        {},
    ),
    (
        Level.OK,
        r"X \(unknown kind\) is not in cdk.json",
        destinations({"Name": "X", "Enabled": True, "MatchingEventTypes": ["SEND"]}),
        {"events": ["send"]},
    ),
    # Alarms
    (
        Level.PROBLEM,
        "alarm: dead-letters does not exist",
        {"cloudwatch.DescribeAlarms": {"MetricAlarms": []}},
        {},
    ),
    (
        Level.WARNING,
        "dead-letters has no actions, so nobody is notified",
        alarm(AlarmActions=[]),
        {},
    ),
    (Level.OK, "ops@example.com is notified", {}, {}),
    (
        Level.PROBLEM,
        "ops@example.com is not notified: the subscription is unconfirmed",
        subscriptions({"Endpoint": "ops@example.com", "SubscriptionArn": "PendingConfirmation"}),
        {},
    ),
    (Level.PROBLEM, "no subscription, so nobody is notified", subscriptions(), {}),
    (
        Level.PROBLEM,
        r"is not notified: the subscription is Deleted",
        subscriptions({"Endpoint": "ops@example.com", "SubscriptionArn": "Deleted"}),
        {},
    ),
    (
        Level.PROBLEM,
        "alarm: the SNS topic does not exist",
        {"sns.ListSubscriptionsByTopic": "NotFound"},
        {},
    ),
    (
        Level.WARNING,
        "alarm: nobody is notified: the stack was deployed without alarm_email",
        without("AWS::SNS::Topic"),
        {"alarm_email": "ops@example.com"},
    ),
    # Settings, as deployed and as wanted
    (
        Level.WARNING,
        "the functions were deployed with differ from those in cdk.json",
        function(Environment={"Variables": {"BOUNCER_SETTINGS": '{"mode": "shadow"}'}}),
        {},
    ),
    (
        Level.WARNING,
        "mode is shadow",
        function(Environment={"Variables": {"BOUNCER_SETTINGS": '{"mode": "shadow"}'}}),
        {},
    ),
    (
        Level.PROBLEM,
        r"settings: cdk.json: context.bouncer.settings.cache: found \"x\"",
        {},
        {"runtime": {"cache": "x"}},
    ),
    (
        Level.PROBLEM,
        "settings: /ses-auto-bouncer/main/settings",
        parameters(settings="cache: y"),
        {"runtime": {"cache": "x"}},
    ),
    (Level.WARNING, "the stack has no alarms", without("AWS::CloudWatch::Alarm"), {}),
    (
        Level.PROBLEM,
        "dead-letters is in ALARM: look",
        alarm(StateValue="ALARM", AlarmDescription="look"),
        {},
    ),
    (Level.WARNING, "dead-letters has its actions disabled", alarm(ActionsEnabled=False), {}),
    *FAULTS_OF_FUNCTIONS,
    *FAULTS_OF_STORED_MAIL,
    *FAULTS_OF_ORGANIZATION,
]


@pytest.mark.parametrize(
    ("level", "expected", "answers", "settings"),
    FAULTS,
    ids=[f"{level}-{expected}" for level, expected, _, _ in FAULTS],
)
def test_each_fault_is_found(
    level: Level, expected: str, answers: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Every fault has its line, its level and its next step."""
    settled = found(answers, **settings)
    assert [line for line in lines(settled, level) if re.search(expected, line)]
    assert not [line for line in lines(settled, Level.WARNING) if "could not be checked" in line]


def test_only_rules_that_mails_for_us_meet_count_as_before() -> None:
    """A rule before ours stops its mail if it is enabled and the recipients of both overlap."""
    stop = [{"StopAction": {"Scope": "RuleSet"}}]

    def warned(recipients: list[str], ours: str, *, enabled: bool = True) -> bool:
        first = receipt_rule("first", Recipients=recipients, Actions=stop, Enabled=enabled)
        answers = rules(first, receipt_rule(Recipients=[ours]))
        findings = lines(found(answers, recipients=[ours]), Level.WARNING)
        return any("first stands before" in line for line in findings)

    assert warned(["example.com"], "ann@example.com")
    assert warned([".example.com"], "sub.example.com")
    assert warned([".example.com"], ".sub.example.com")
    assert warned(["ann@sub.example.com"], ".example.com")
    assert not warned(["example.com"], ".example.com")
    assert not warned(["bob@example.com"], "ann@example.com")
    assert not warned(["example.com"], "example.com", enabled=False)
