"""`bouncer doctor` finds each thing that is wrong and says what to do."""

import re
from typing import Any

import pytest

from bouncer_cli.doctor.finding import Level
from tests.functions.doctor.answers import (
    account,
    active,
    age,
    alarm,
    attributes,
    call,
    concurrency,
    destinations,
    expiry,
    failed_events,
    function,
    identity,
    mapping,
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
    HEALTHY,
    NAME,
    QUEUE_ARN,
    UUID,
    archive,
    destination,
    found,
    lines,
    receipt_rule,
)

FOREIGN = {
    "Name": "theirs",
    "Enabled": True,
    "MatchingEventTypes": ["COMPLAINT"],
    "SnsDestination": {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:theirs"},
}
FOREIGN_SENDER = {
    "address": "b@other.example",
    "arn": "arn:aws:ses:eu-west-1:111122223333:identity/other.example",
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
    # Functions
    (
        Level.PROBLEM,
        "function: intake does not exist",
        {"lambda.GetFunction": "ResourceNotFoundException"},
        {},
    ),
    (Level.PROBLEM, "the stack has no worker", without("AWS::Lambda::Function"), {}),
    (Level.PROBLEM, "failed: broken", function(State="Failed", StateReason="broken"), {}),
    (Level.PROBLEM, "failed: Lambda gives no reason", function(LastUpdateStatus="Failed"), {}),
    (Level.WARNING, "is being updated", function(LastUpdateStatus="InProgress"), {}),
    (
        Level.PROBLEM,
        "worker never runs: its reserved concurrency is 0",
        {
            "lambda.GetFunction": lambda asked: {
                **HEALTHY["lambda.GetFunction"](asked),
                "Concurrency": {"ReservedConcurrentExecutions": 0},
            }
        },
        {},
    ),
    # Queue mapping
    (
        Level.PROBLEM,
        "the stack has no event source mapping",
        without("AWS::Lambda::EventSourceMapping"),
        {},
    ),
    (
        Level.PROBLEM,
        f"queue mapping: {UUID} does not exist",
        {"lambda.GetEventSourceMapping": "ResourceNotFoundException"},
        {},
    ),
    (Level.PROBLEM, "jobs.fifo to worker is disabled", mapping(State="Disabled"), {}),
    (Level.WARNING, "to worker is enabling", mapping(State="Enabling"), {}),
    (Level.PROBLEM, "are not both the stack's", mapping(FunctionArn=f"{ARN}other"), {}),
    (Level.PROBLEM, "are not both the stack's", mapping(EventSourceArn=f"{QUEUE_ARN}2"), {}),
    (Level.PROBLEM, "one failed job fails its whole batch", mapping(FunctionResponseTypes=[]), {}),
    (
        Level.PROBLEM,
        "PROBLEM: Function call failed",
        mapping(LastProcessingResult="PROBLEM: Function call failed"),
        {},
    ),
    # Concurrency
    (
        Level.WARNING,
        "concurrency: Lambda runs at most 10 functions at a time here, 10 of them without",
        concurrency(10, 10),
        {},
    ),
    (Level.WARNING, "at most 1000 .*, 99 of them without a reserve", concurrency(1000, 99), {}),
    (Level.OK, "at most 1000 .*, 100 of them without a reserve", concurrency(1000, 100), {}),
    # Queues
    (
        Level.PROBLEM,
        "failed events: 2 in failed: these mails went on without being judged",
        failed_events(2),
        {"invocation": "event"},
    ),
    (Level.OK, "failed events: failed is empty", failed_events(0), {"invocation": "event"}),
    (
        Level.PROBLEM,
        "queue: jobs.fifo does not exist",
        {"sqs.GetQueueAttributes": "QueueDoesNotExist"},
        {},
    ),
    (
        Level.PROBLEM,
        "queue: dead.fifo does not exist",
        {"sqs.GetQueueAttributes": "AWS.SimpleQueueService.NonExistentQueue"},
        {},
    ),
    (Level.WARNING, "the oldest for 12.0 h", age(12), {}),
    (Level.PROBLEM, "the oldest for 20.5 h", age(20.5), {}),
    (Level.WARNING, "43200 jobs wait in jobs.fifo, 12:00:00 of sending", attributes(43200), {}),
    (Level.PROBLEM, "72000 jobs wait", attributes(72000), {}),
    (
        Level.OK,
        "0 jobs wait in jobs.fifo, 0:00:00 of sending$",
        {**attributes(0), "cloudwatch.GetMetricStatistics": {"Datapoints": []}},
        {},
    ),
    (Level.PROBLEM, "dead letters: 2 in dead.fifo", attributes(0, dead=2), {}),
    (Level.PROBLEM, "has no dead-letter queue", attributes(0, RedrivePolicy=""), {}),
    # Ledger
    (
        Level.PROBLEM,
        "ledger: ledger does not exist",
        {"dynamodb.DescribeTable": "ResourceNotFoundException"},
        {},
    ),
    (
        Level.WARNING,
        "ledger is UPDATING",
        {"dynamodb.DescribeTable": {"Table": {"TableStatus": "UPDATING"}}},
        {},
    ),
    (
        Level.PROBLEM,
        "ledger is ARCHIVED",
        {"dynamodb.DescribeTable": {"Table": {"TableStatus": "ARCHIVED"}}},
        {},
    ),
    (Level.WARNING, r"stay forever \(time to live is DISABLED\)", expiry("DISABLED"), {}),
    (
        Level.WARNING,
        r"stay forever \(time to live is ENABLED on until",
        expiry("ENABLED", "until"),
        {},
    ),
    (
        Level.OK,
        "ledger: ledger is ACTIVE",
        {"dynamodb.DescribeTimeToLive": "ResourceNotFoundException"},
        {},
    ),
    # Rules and settings
    (Level.WARNING, "rules: no rules below /ses-auto-bouncer/main/rules/", parameters(), {}),
    (
        Level.PROBLEM,
        "rules: /ses-auto-bouncer/main/rules/a:1: .*unknown key",
        parameters(rules__a="dorp: {}", rules__b="drop: {}"),
        {},
    ),
    (
        Level.OK,
        r"2 rules below .*, all valid \(1 shadow\)",
        parameters(rules__a="drop: {}", rules__b="mode: shadow\ndrop: {}"),
        {},
    ),
    (
        Level.PROBLEM,
        "a bounces from ann@example.com, which the worker may not send from",
        parameters(rules__a="reject: {type: Undefined, sender: ann@example.com}"),
        {},
    ),
    (
        Level.PROBLEM,
        "a bounces from b@other.example, whose identity is another account's",
        parameters(rules__a="reject: {type: Undefined, sender: B@Other.example}"),
        {"further_senders": [FOREIGN_SENDER]},
    ),
    (
        Level.OK,
        "settings is valid",
        parameters(settings="bounce_sender: B <mailer-daemon@example.com>"),
        {},
    ),
    (Level.OK, "settings is valid", parameters(settings="mode: enforce"), {}),
    (Level.PROBLEM, "settings: .*settings:1: mode: found", parameters(settings="mode: no"), {}),
    (Level.WARNING, "mode is shadow, so nothing", parameters(settings="mode: shadow"), {}),
    (Level.WARNING, "sending is paused", parameters(settings="sending: paused"), {}),
    (
        Level.PROBLEM,
        "bounces come from ann@example.com",
        parameters(settings="bounce_sender: Ann <ann@example.com>"),
        {},
    ),
    # The account's sending
    (Level.PROBLEM, "in the sandbox", account(ProductionAccessEnabled=False), {}),
    (Level.PROBLEM, "sending is paused", account(SendingEnabled=False), {}),
    (Level.WARNING, "status PROBATION", account(EnforcementStatus="PROBATION"), {}),
    (Level.PROBLEM, "status SHUTDOWN", account(EnforcementStatus="SHUTDOWN"), {}),
    (Level.WARNING, "sent 900 of 1000 in 24 hours", quota(1000, 900), {}),
    (Level.OK, "sending is enabled", quota(0, 0), {}),
    (Level.OK, "sent 900 in 24 hours, no quota", quota(-1, 900), {}),
    # The identity
    (
        Level.PROBLEM,
        "example.com does not exist, so",
        {"sesv2.GetEmailIdentity": "NotFoundException"},
        {},
    ),
    (
        Level.PROBLEM,
        "mx.example.com does not exist; SES verifies a@mx.example.com by example.com$",
        {
            "sesv2.GetEmailIdentity": lambda request: (
                HEALTHY["sesv2.GetEmailIdentity"]
                if "identities/example.com" in request
                else "NotFoundException"
            )
        },
        {"bounce_sender": "a@mx.example.com"},
    ),
    (Level.PROBLEM, "example.com exists already", BEFORE, {"create_identity": True}),
    (
        Level.PROBLEM,
        r"not verified for sending \(PENDING\)",
        identity(VerifiedForSendingStatus=False, VerificationStatus="PENDING"),
        {},
    ),
    (
        Level.WARNING,
        r"DKIM \(PENDING\)",
        identity(DkimAttributes={"SigningEnabled": True, "Status": "PENDING"}),
        {},
    ),
    (Level.WARNING, "signing is off", identity(DkimAttributes={"SigningEnabled": False}), {}),
    (
        Level.PROBLEM,
        "example.com has no default configuration set, so",
        identity(ConfigurationSetName=None),
        {},
    ),
    (
        Level.PROBLEM,
        "the default configuration set of example.com is news; the deployment does",
        identity(ConfigurationSetName="news"),
        {},
    ),
    (
        Level.WARNING,
        "as the stack does not attach ours",
        {**identity(ConfigurationSetName=None), **without("Custom::DefaultConfigurationSet")},
        {},
    ),
    (
        Level.OK,
        "set of example.com is news, and attach_configuration_set: false leaves it so",
        identity(ConfigurationSetName="news"),
        {"attach_configuration_set": False},
    ),
    (
        Level.OK,
        "no default configuration set, and attach_configuration_set: false leaves it so",
        {**identity(ConfigurationSetName=None), **without("Custom::DefaultConfigurationSet")},
        {"attach_configuration_set": False},
    ),
    (
        Level.WARNING,
        "SES then refuses mail from roles that may use example.com only",
        FRESH,
        {},
    ),
    (
        Level.OK,
        "the deployment attaches ours$",
        FRESH,
        {"identity": "mailer-daemon@example.com"},
    ),
    (Level.OK, "b@example.com .* is verified", {}, {"further_senders": ["b@example.com"]}),
    (
        Level.OK,
        "further sender: account 111122223333 verifies b@other.example, and was not asked",
        {"sesv2.GetEmailIdentity": HEALTHY["sesv2.GetEmailIdentity"]},
        {"further_senders": [FOREIGN_SENDER]},
    ),
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
    (Level.PROBLEM, "Metrics .* is disabled", destinations(destination(Enabled=False)), {}),
    (
        Level.OK,
        r"theirs \(SNS\) was not made by the deployment",
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
        r"X \(unknown kind\) was not made by the deployment",
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
