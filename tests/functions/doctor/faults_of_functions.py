"""Faults of functions, queues, ledger, rules, settings and identities."""

from typing import Any

from bouncer_cli.doctor.finding import Level
from bouncer_infra.report_setting import ReportSetting
from tests.functions.doctor.answers import (
    age,
    attributes,
    concurrency,
    expiry,
    failed_events,
    function,
    further_stacks,
    having,
    identity,
    mapping,
    parameters,
    scheduled,
    settings_of,
    without,
)
from tests.functions.doctor.aws import (
    ARN,
    BEFORE,
    FRESH,
    HEALTHY,
    NAME,
    QUEUE_ARN,
    UUID,
)

FOREIGN_SENDER = {
    "address": "b@other.example",
    "arn": "arn:aws:ses:eu-west-1:111122223333:identity/other.example",
}

REPORT = {"report": ReportSetting(to=("ops@example.com",))}

FAULTS_OF_FUNCTIONS: list[tuple[Level, str, dict[str, Any], dict[str, Any]]] = [
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
    # The daily report
    (Level.PROBLEM, "the stack has no reporter", {}, REPORT),
    (Level.PROBLEM, "report: the stack has no schedule for it", {}, REPORT),
    (
        Level.PROBLEM,
        "report: the schedule daily does not exist",
        {**scheduled("DISABLED"), "scheduler.GetSchedule": "ResourceNotFoundException"},
        REPORT,
    ),
    (
        Level.PROBLEM,
        "report: the schedule daily is DISABLED: no report is sent",
        scheduled("DISABLED"),
        REPORT,
    ),
    (
        Level.PROBLEM,
        "report: mailer-daemon@example.com .by example.com. is not verified",
        identity(VerifiedForSendingStatus=False),
        REPORT,
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
    (
        Level.PROBLEM,
        "events to feedback is disabled, so nobody is suppressed",
        mapping(
            State="Disabled",
            EventSourceArn=QUEUE_ARN.replace("jobs.fifo", "events"),
            FunctionArn=f"{ARN}feedback",
        ),
        {},
    ),
    (
        Level.PROBLEM,
        "changes to publisher is disabled, so changed rules are in force up to 15 minutes late",
        mapping(
            State="Disabled",
            EventSourceArn=QUEUE_ARN.replace("jobs.fifo", "changes"),
            FunctionArn=f"{ARN}publisher",
            FunctionResponseTypes=[],
        ),
        {},
    ),
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
        Level.WARNING,
        'reply.from: found "n@example.com", expected an address of reply_senders in cdk.json',
        parameters(rules__a="when: {spf: pass}\nreply: {from: n@example.com, text: Hi}"),
        {},
    ),
    (
        Level.PROBLEM,
        "a replies from b@other.example, whose identity is another account's",
        parameters(rules__a="when: {spf: pass}\nreply: {from: B@other.example, text: Hi}"),
        {"reply_senders": [FOREIGN_SENDER]},
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
        Level.WARNING,
        r"held: .*/held: sending is held since 2026-11-21 08:00 UTC by ann \(a bad rule\), so no",
        parameters(held="since: 2026-11-21T08:00:00Z\nby: ann\nwhy: a bad rule"),
        {},
    ),
    (Level.PROBLEM, "held: .*/held:1: since: found", parameters(held="since: soon\nby: a"), {}),
    # The rate of all deployments
    (Level.OK, rf"rate: .*at most: 1 \({NAME} 1\)$", {}, {}),
    (Level.OK, rf"rate: .*at most: 0.5 \({NAME} 0.5\)$", parameters(settings="rate: 0.5"), {}),
    (Level.OK, "rate: .*at most: 1 ", parameters(settings="rate: much"), {}),
    (
        Level.WARNING,
        rf"rate: .*at most: 2 \({NAME} 1, ses-auto-bouncer-news 1\); SES takes 1$",
        further_stacks("ses-auto-bouncer-news", "website"),
        {},
    ),
    (
        Level.OK,
        rf"rate: .*at most: 1 \({NAME} 0.5, ses-auto-bouncer-news 0.5\)$",
        {**further_stacks("ses-auto-bouncer-news"), **settings_of("main", "news", "rate: 0.5")},
        {},
    ),
    (
        Level.PROBLEM,
        "bounces come from ann@example.com",
        parameters(settings="bounce_sender: Ann <ann@example.com>"),
        {},
    ),
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
        Level.WARNING,
        "as the stack does not attach ours",
        {
            **identity(ConfigurationSetName=None),
            **having("Custom::DefaultConfigurationSet", "of-news"),
        },
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
    (Level.OK, "reply sender: b@example.com .* is ver", {}, {"reply_senders": ["b@example.com"]}),
    (Level.PROBLEM, "the stack has no replier", {}, {"reply_senders": ["b@example.com"]}),
    (
        Level.OK,
        "further sender: account 111122223333 verifies b@other.example, and was not asked",
        {"sesv2.GetEmailIdentity": HEALTHY["sesv2.GetEmailIdentity"]},
        {"further_senders": [FOREIGN_SENDER]},
    ),
]
