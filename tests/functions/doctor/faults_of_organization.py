"""The faults of the key, the topic and the place that an organization asks for."""

import json
from typing import Any

from bouncer_cli.doctor.finding import Level
from bouncer_infra.key_policy import key_policy
from tests.functions.doctor.answers import alarm, concurrency, function
from tests.functions.doctor.aws import FRESH, HEALTHY, deployment

ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
WITH_KEY: dict[str, Any] = {"kms_key": KEY, "alarm_email": "ops@example.com"}
FORMER = KEY.replace("1234abcd", "abcd1234")
EVERYBODY = {"Principal": "*"}
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:theirs"
WITH_TOPIC = {"alarm_topic": TOPIC}
PUBLISHES = {
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": ["SNS:Publish", "SNS:Subscribe"],
    "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
}


def statements() -> dict[str, dict[str, Any]]:
    wanted = key_policy(deployment(**WITH_KEY), account=ACCOUNT, region="eu-west-1")
    return {each["Sid"]: each for each in wanted}


def key(*present: dict[str, Any], **metadata: str) -> dict[str, Any]:
    """The answers about a key that has this policy."""
    found = {"KeyId": KEY, "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT", **metadata}
    return {
        "kms.DescribeKey": {"KeyMetadata": found},
        "kms.GetKeyPolicy": {"Policy": json.dumps({"Statement": list(present)})},
    }


def key_without(sid: str, **instead: Any) -> dict[str, Any]:
    """The answers about a key whose policy lacks a statement, or has it otherwise."""
    others = [each for name, each in statements().items() if name != sid]
    return key(*others, *([{**statements()[sid], **instead}] if instead else []))


def topic(*allowed: dict[str, Any], **attributes: str) -> dict[str, Any]:
    policy = json.dumps({"Statement": list(allowed)})
    return {"sns.GetTopicAttributes": {"Attributes": {"Policy": policy, **attributes}}}


def whole(**metadata: str) -> dict[str, Any]:
    return key(*statements().values(), **metadata)


LACKS = "key: its policy lacks the statement"
FAULTS_OF_ORGANIZATION: list[tuple[Level, str, dict[str, Any], dict[str, Any]]] = [
    (Level.OK, "key: key/1234abcd-.* is enabled", whole(), WITH_KEY),
    (
        Level.OK,
        "key: its policy names the 5 statements of docs/deploy.md#kms_key; conditions are not jud",
        whole(),
        WITH_KEY,
    ),
    *(
        (Level.PROBLEM, f"{LACKS} {sid} for {principal}: ", key_without(sid), WITH_KEY)
        for sid, principal in (
            ("Account", "arn:aws:iam::123456789012:root"),
            ("Logs", "logs.eu-west-1.amazonaws.com"),
            ("Events", "events.amazonaws.com"),
            ("StoredMail", "ses.amazonaws.com"),
            ("Alarms", "cloudwatch.amazonaws.com"),
        )
    ),
    (
        Level.PROBLEM,
        f"{LACKS} Events for events.amazonaws.com: changed rules and events of bounces are lost",
        key_without("Events", Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}),
        WITH_KEY,
    ),
    (
        Level.PROBLEM,
        f"{LACKS} StoredMail",
        key_without("StoredMail", Action="kms:Decrypt"),
        WITH_KEY,
    ),
    (Level.PROBLEM, f"{LACKS} Alarms", key_without("Alarms", Effect="Deny"), WITH_KEY),
    (
        Level.OK,
        "names the 5 statements",
        key_without("Account", Principal={"AWS": [ACCOUNT]}),
        WITH_KEY,
    ),
    (Level.OK, "names the 5 statements", key_without("Logs", Action=["kms:*"]), WITH_KEY),
    (
        Level.OK,
        "names the 5 statements",
        key_without("Account", Action=["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]),
        WITH_KEY,
    ),
    (
        Level.PROBLEM,
        f"{LACKS} Account for",
        key_without("Account", Action=["kms:Decrypt"]),
        WITH_KEY,
    ),
    (
        Level.PROBLEM,
        f"{LACKS} StoredMail for",
        key_without("StoredMail", Resource=KEY.replace("1234abcd", "00000000")),
        WITH_KEY,
    ),
    (
        Level.PROBLEM,
        f"{LACKS} StoredMail for",
        key_without("StoredMail", Condition={"StringEquals": {"aws:SourceAccount": "1" * 12}}),
        WITH_KEY,
    ),
    (Level.OK, "names the 5 statements", key_without("StoredMail", Resource=KEY), WITH_KEY),
    *(
        (
            Level.WARNING,
            f"key: {sid} of its policy may deny what {principal} needs: then",
            key(*statements().values(), {"Effect": "Deny", **denying}),
            WITH_KEY,
        )
        for sid, principal, denying in (
            ("Shut", "ses.amazonaws.com", {"Sid": "Shut", **EVERYBODY, "Action": "kms:*"}),
            (
                "a statement without Sid",
                "ses.amazonaws.com",
                {"Principal": {"Service": "ses.amazonaws.com"}, "Action": "kms:Decrypt"},
            ),
            (
                "Most",
                "events.amazonaws.com",
                {"Sid": "Most", **EVERYBODY, "NotAction": "kms:List*"},
            ),
            (
                "Others",
                "arn:aws:iam::123456789012:root",
                {"Sid": "Others", "NotPrincipal": {"AWS": ACCOUNT}, "Action": "kms:Decrypt"},
            ),
        )
    ),
    (
        Level.PROBLEM,
        "key: key/abcd1234-.* is Disabled: what it encrypted can't be read",
        whole(KeyState="Disabled"),
        {"former_kms_keys": (FORMER,)},
    ),
    (
        Level.PROBLEM,
        "key: key/abcd1234-.* does not exist: what it encrypted is lost",
        {"kms.DescribeKey": "NotFoundException"},
        {"former_kms_keys": (FORMER,)},
    ),
    (
        Level.PROBLEM,
        "key: key/abcd1234-.* is that of the deployed functions, and cdk.json does not name it",
        {**whole(), **function(KMSKeyArn=FORMER)},
        WITH_KEY,
    ),
    (Level.OK, "names the 4 statements", key_without("StoredMail"), {**WITH_KEY, "store": None}),
    (Level.PROBLEM, "key: it is Disabled: mail can't be", whole(KeyState="Disabled"), WITH_KEY),
    (Level.PROBLEM, "key: it is PendingDel", whole(KeyState="PendingDeletion"), WITH_KEY),
    (Level.PROBLEM, "key: it is RSA_2048, with which", whole(KeySpec="RSA_2048"), WITH_KEY),
    (
        Level.PROBLEM,
        "key: key/1234abcd-.* does not exist",
        {"kms.DescribeKey": "NotFoundException"},
        WITH_KEY,
    ),
    (
        Level.PROBLEM,
        "key: cdk.json: context.bouncer.kms_key: found .* expected an ARN of region eu-west-1, whe",
        {},
        {"kms_key": KEY.replace("eu-west-1", "us-east-1")},
    ),
    (Level.OK, f"alarm: {TOPIC} is notified, as far as", topic(PUBLISHES), WITH_TOPIC),
    (Level.PROBLEM, f"alarm: {TOPIC} does not let CloudWatch publish", topic(), WITH_TOPIC),
    (
        Level.PROBLEM,
        f"alarm: {TOPIC} has AWS's key, by which no alarm can publish",
        topic(PUBLISHES, KmsMasterKeyId="alias/aws/sns"),
        WITH_TOPIC,
    ),
    (
        Level.PROBLEM,
        f"alarm: {TOPIC} does not exist, so nobody is notified by it",
        {"sns.GetTopicAttributes": "NotFound"},
        WITH_TOPIC,
    ),
    (
        Level.WARNING,
        "dead-letters has no actions, so nobody is notified",
        {**topic(PUBLISHES), **alarm(AlarmActions=[])},
        WITH_TOPIC,
    ),
    (
        Level.PROBLEM,
        "concurrency: intake_concurrency is 200, and Lambda keeps 100 of 250 unreserved: the depl",
        {**FRESH, **concurrency(1000, 250)},
        {"intake_concurrency": 200},
    ),
    (
        Level.WARNING,
        "function: intake has no executions reserved, cdk.json says 50",
        {},
        {"intake_concurrency": 50},
    ),
    (
        Level.WARNING,
        "function: intake has 50 executions reserved, cdk.json says none",
        {
            "lambda.GetFunction": lambda asked: {
                **HEALTHY["lambda.GetFunction"](asked),
                "Concurrency": {"ReservedConcurrentExecutions": 50},
            }
        },
        {},
    ),
    (
        Level.PROBLEM,
        "credentials: account 123456789012, and cdk.json says 111122223333",
        {},
        {"account": "111122223333"},
    ),
]
