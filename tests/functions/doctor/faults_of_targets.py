"""Faults of topics, streams and roles: the level, the line, its next step, and AWS's answers."""

from typing import Any

from bouncer_cli.doctor.finding import Level
from tests.functions.doctor.destination_answers import (
    ACCOUNT,
    ROLE,
    STREAM,
    TOPIC,
    encrypted,
    may_write,
    only_from,
    policy,
    stream_is,
    trust,
)

DENIED = {"Effect": "Deny", "Principal": "*", "Action": "sns:*", "Resource": TOPIC}

TARGETS: list[tuple[Level, str, str, dict[str, Any]]] = [
    (
        Level.PROBLEM,
        f"topic {TOPIC} does not let SES publish, so events are lost",
        "let ses.amazonaws.com publish in its policy, as docs/deploy.md#event-dest",
        policy(Principal={"Service": "s3.amazonaws.com"}),
    ),
    (Level.PROBLEM, "does not let SES publish", "let ses", policy(Effect="Deny")),
    (Level.PROBLEM, "does not let SES publish", "let ses", policy(Action="SNS:Subscribe")),
    (Level.PROBLEM, "does not let SES publish", "let ses", policy(Resource=f"{TOPIC}2")),
    (Level.PROBLEM, "does not let SES publish", "let ses", policy(**only_from("999999999999"))),
    (Level.PROBLEM, "does not let SES publish", "let ses", policy(DENIED)),
    (Level.OK, f"topic {TOPIC} lets SES publish", "", policy(Action="sns:Pub*", Resource="*")),
    (Level.OK, f"topic {TOPIC} lets SES publish", "", policy(**only_from(ACCOUNT))),
    (
        Level.OK,
        f"the policy of topic {TOPIC} names SES; its conditions were not evaluated",
        "",
        policy(**only_from(ACCOUNT, "StringLike")),
    ),
    (
        Level.OK,
        f"the policy of topic {TOPIC} names SES; its conditions were not evaluated",
        "",
        policy({**DENIED, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
    ),
    (
        Level.WARNING,
        f"the policy of topic {TOPIC} does not name SES, and may let it publish or not",
        "let ses",
        policy(Principal={"AWS": "*"}),
    ),
    (
        Level.PROBLEM,
        "does not let SES publish",
        "let ses",
        {"sns.GetTopicAttributes": {"Attributes": {}}},
    ),
    (
        Level.PROBLEM,
        f"topic {TOPIC} is encrypted with the key alias/aws/sns, which SES may not use",
        "encrypt it with a key of yours that lets ses.amazonaws.com use it",
        encrypted("alias/aws/sns"),
    ),
    (Level.OK, "lets SES publish, if its key alias/ours lets SES enc", "", encrypted("alias/ours")),
    (
        Level.PROBLEM,
        f"topic {TOPIC} does not exist",
        "create it",
        {"sns.GetTopicAttributes": "NotFound"},
    ),
    (Level.PROBLEM, "stream warehouse is DELETING", "look at it", stream_is("DELETING")),
    (
        Level.PROBLEM,
        "stream warehouse is KinesisStreamAsSource: it takes records from its source only",
        "name a stream of the type DirectPut",
        stream_is("ACTIVE", "KinesisStreamAsSource"),
    ),
    (
        Level.PROBLEM,
        "stream warehouse does not exist",
        "create it",
        {"firehose.DescribeDeliveryStream": "ResourceNotFoundException"},
    ),
    (
        Level.PROBLEM,
        "role warehouse can't be assumed by SES, so events are lost",
        "let ses.amazonaws.com assume it",
        trust(Principal={"AWS": "*"}),
    ),
    (
        Level.PROBLEM,
        "role warehouse can't be assumed by SES",
        "let ses.amazonaws.com assume it",
        trust(**only_from("999999999999")),
    ),
    (
        Level.OK,
        "role warehouse names SES; its conditions were not evaluated, and may write",
        "",
        trust(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:ses:*"}}),
    ),
    (
        Level.PROBLEM,
        f"role warehouse may not write into {STREAM}, so events are lost",
        "allow it firehose:PutRecordBatch on that stream",
        may_write("implicitDeny"),
    ),
    (
        Level.WARNING,
        f"{ROLE} could not be checked: iam:SimulatePrincipalPolicy was answered with AccessDenied",
        "allow iam:SimulatePrincipalPolicy to these credentials in IAM",
        {"iam.SimulatePrincipalPolicy": "AccessDenied"},
    ),
    (Level.PROBLEM, "role warehouse does not exist", "create it", {"iam.GetRole": "NoSuchEntity"}),
    (
        Level.WARNING,
        f"{ROLE} could not be checked: iam:GetRole was answered with AccessDenied",
        "allow iam:GetRole to these credentials in IAM",
        {"iam.GetRole": "AccessDenied"},
    ),
]
