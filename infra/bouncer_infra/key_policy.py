"""The statements that the policy of `kms_key` needs: docs/deploy.md shows them, the doctor asks.

A service that calls us, and no role of ours, is allowed by the key's own policy only. Nothing here
imports CDK or asks AWS.
"""

from typing import Any

from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.service_arn import partition_of

Statement = dict[str, Any]


def key_policy(settings: DeploymentSettings, *, account: str, region: str) -> list[Statement]:
    """Return the statements that a deployment in this account and region needs."""
    partition = partition_of(region)
    root = f"arn:{partition}:iam::{account}:root"
    ours = {"StringEquals": {"aws:SourceAccount": account}}
    groups = f"arn:{partition}:logs:{region}:{account}:log-group:{settings.full_name}-*"
    statements = [
        # Without it, the policies of our roles have no effect on the key.
        _allow("Account", {"AWS": root}, "kms:*"),
        _service(
            "Logs",
            f"logs.{region}.amazonaws.com",
            *("kms:Encrypt", "kms:ReEncrypt*", "kms:DescribeKey"),
            condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        ),
        # EventBridge does not say for whom it calls: with a condition every event would be lost
        # (SQS Developer Guide, "Key management").
        _service("Events", "events.amazonaws.com"),
    ]
    if settings.store:
        statements.append(_service("StoredMail", "ses.amazonaws.com", condition=ours))
    if settings.alarm_email:
        statements.append(_service("Alarms", "cloudwatch.amazonaws.com", condition=ours))
    return statements


def _service(
    sid: str, principal: str, *further: str, condition: Statement | None = None
) -> Statement:
    actions = ["kms:Decrypt", "kms:GenerateDataKey*", *further]
    statement = _allow(sid, {"Service": principal}, actions)
    return {**statement, "Condition": condition} if condition else statement


def _allow(sid: str, principal: dict[str, str], actions: str | list[str]) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": actions,
        "Resource": "*",
    }
