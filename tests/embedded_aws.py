"""The AWS services of a deployment, inside this process: queues, ledger, parameters, bucket.

moto plays SQS, DynamoDB, SSM and S3; SES is our own fake, reached through `AWS_ENDPOINT_URL_SES`.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import boto3
from moto import mock_aws

from bouncer.environment import (
    BUCKET_KEY,
    DEAD_LETTER_KEY,
    DOMAIN_KEY,
    LEDGER_KEY,
    PREFIX_KEY,
    QUEUE_KEY,
    REGION_KEY,
)
from bouncer.function_limits import LEDGER_KEY_NAME, VISIBILITY_TIMEOUT_S, default_prefix

REGION = "us-east-1"
PREFIX = default_prefix("local")
BUCKET = "rules-bucket"
_TABLE = "ledger"
_MOTO_KEYS = dict.fromkeys(
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedAws:
    """The environment of the functions, as a stack would set it, and the queue's ARN."""

    environ: Mapping[str, str]
    queue_arn: str


@contextmanager
def embedded_aws(ses_endpoint: str | None = None) -> Iterator[EmbeddedAws]:
    """Provide AWS for the length of a `with`; nothing leaves this machine."""
    keys = {"AWS_DEFAULT_REGION": REGION, REGION_KEY: REGION, "NO_PROXY": "*"}
    keys |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    if ses_endpoint:
        keys["AWS_ENDPOINT_URL_SES"] = ses_endpoint
    with patch.dict(os.environ), mock_aws(), patch.dict(os.environ, keys):
        for name in list(os.environ):
            foreign = name.startswith("AWS_") and name not in keys | _MOTO_KEYS
            if foreign or name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
                del os.environ[name]
        sqs = boto3.client("sqs")
        dead = sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        queue = sqs.create_queue(
            QueueName="bounces.fifo",
            Attributes={"FifoQueue": "true", "VisibilityTimeout": str(VISIBILITY_TIMEOUT_S)},
        )["QueueUrl"]
        boto3.client("dynamodb").create_table(
            TableName=_TABLE,
            KeySchema=[{"AttributeName": LEDGER_KEY_NAME, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": LEDGER_KEY_NAME, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        yield EmbeddedAws(
            environ={
                PREFIX_KEY: PREFIX,
                BUCKET_KEY: BUCKET,
                QUEUE_KEY: queue,
                DOMAIN_KEY: "amazonaws.com",
                DEAD_LETTER_KEY: dead,
                LEDGER_KEY: _TABLE,
                REGION_KEY: REGION,
            },
            queue_arn=arn["Attributes"]["QueueArn"],
        )
