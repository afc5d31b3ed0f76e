"""What the intake is measured against: the handler one writes first, with the whole tool box.

`bench/functions.py` bundles it as the functions are bundled and starts it under the same runtime.
It reads the same rules and decides nothing, so it does less than any real one.
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
    """Let every mail through, with a line about it."""
    rules.get_multiple(os.environ["BOUNCER_PREFIX"], max_age=60)
    logger.info("mail", message_id=SESEvent(event).mail.message_id)
    return {"disposition": "CONTINUE"}
