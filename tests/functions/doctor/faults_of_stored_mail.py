"""The faults of the bucket of mail, and of the receipt rule that stores mail in it."""

from typing import Any

from bouncer_cli.doctor.finding import Level
from tests.functions.doctor.answers import our_rule
from tests.functions.doctor.aws import ARN, expiring, store

CALL = {
    "LambdaAction": {"FunctionArn": f"{ARN}intake", "InvocationType": "RequestResponse"},
}

FAULTS_OF_STORED_MAIL: list[tuple[Level, str, dict[str, Any], dict[str, Any]]] = [
    (Level.OK, "stored mail: in mails for 1 day, stopped mail for 14 days", {}, {}),
    (Level.OK, "stored mail: none, as configured", {}, {"store": None}),
    (
        Level.PROBLEM,
        "the receipt rule does not store mail, so rejected mail goes on, and is not bounced",
        our_rule(Actions=[CALL]),
        {},
    ),
    (
        Level.PROBLEM,
        "the receipt rule does not store mail",
        our_rule(Actions=[CALL, store()]),
        {},
    ),
    (
        Level.PROBLEM,
        "stores mail below s3://mails/elsewhere/, so rejected mail goes on",
        our_rule(Actions=[store(ObjectKeyPrefix="elsewhere/"), CALL]),
        {},
    ),
    (
        Level.PROBLEM,
        "stores mail below s3://theirs/mail/",
        our_rule(Actions=[store(BucketName="theirs"), CALL]),
        {},
    ),
    (
        Level.PROBLEM,
        "bucket mails does not exist, so rejected mail goes on",
        {"s3.GetBucketLifecycleConfiguration": "NoSuchBucket"},
        {},
    ),
    (
        Level.WARNING,
        "the mail in bucket mails does not expire",
        {"s3.GetBucketLifecycleConfiguration": "NoSuchLifecycleConfiguration"},
        {},
    ),
    (Level.WARNING, "the mail in bucket mails does not expire", expiring(**{"stopped/": 0}), {}),
]
