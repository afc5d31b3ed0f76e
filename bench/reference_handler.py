"""The peer of the intake: a handler as one writes it first, with boto3 and Powertools.

`bench/functions.py` bundles it as our functions are bundled and starts it under the same runtime
client. It reads the same 100 rules and decides nothing, so it does less than any real handler.
"""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.data_classes import SESEvent

logger = Logger(service="reference")
metrics = Metrics(namespace="Reference", service="reference")
tracer = Tracer(service="reference")
queue = boto3.client("sqs")
rules = parameters.SSMProvider(boto3_client=boto3.client("ssm"))


def handler(event: dict[str, Any], context: object) -> dict[str, str]:  # noqa: ARG001  # Lambda's
    """Let every mail go on, and log one line about it."""
    rules.get_multiple(os.environ["BOUNCER_PREFIX"], max_age=60)
    logger.info("mail", message_id=SESEvent(event).mail.message_id)
    return {"disposition": "CONTINUE"}
