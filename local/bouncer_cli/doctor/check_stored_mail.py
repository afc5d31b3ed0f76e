"""Checks that every mail is stored before the intake is called, and that it does not stay."""

from collections.abc import Mapping
from typing import Any

from bouncer.sources.stopped_mail import STOPPED
from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import REPAIR, Finding, Findings, ok, problem, warning

BUCKETS = "AWS::S3::Bucket"

_CHECK = "stored mail"
_LOST = "so rejected mail goes on, and is not bounced"


def stored_mail(context: CheckContext) -> Findings:
    """Check the receipt rule's action that stores mail, and the bucket's times."""
    store = context.deployment.store
    if store is None:
        yield ok(
            _CHECK,
            "none, as configured (store: false): stopped mail can't be brought back, and headers "
            "beyond 10 KB are not known",
        )
        return
    rule = _our_rule(context)
    if not context.stack.deployed or rule is None:
        return
    action = _before_the_intake(rule)
    if action is None:
        yield problem(_CHECK, f"the receipt rule does not store mail, {_LOST}", REPAIR)
        return
    bucket, prefix = action["BucketName"], action.get("ObjectKeyPrefix", "")
    if bucket not in context.stack.names(BUCKETS) or prefix != store.prefix:
        found = f"the receipt rule stores mail below s3://{bucket}/{prefix}, {_LOST}"
        yield problem(_CHECK, found, REPAIR)
        return
    yield from _times(context, bucket)


def _our_rule(context: CheckContext) -> Mapping[str, Any] | None:
    wanted = context.deployment
    try:
        answer = context.account.ask(
            "ses", "describe_receipt_rule_set", RuleSetName=wanted.rule_set
        )
    except NotFoundError:
        return None  # the check of the rule has reported it
    named = (rule for rule in answer.get("Rules", []) if rule["Name"] == wanted.full_name)
    return next(named, None)


def _before_the_intake(rule: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the action that stores mail, if it stands before the one that calls a function."""
    for action in rule.get("Actions", []):
        if "LambdaAction" in action:
            return None
        if "S3Action" in action:
            return action["S3Action"]  # type: ignore[no-any-return]  # an answer of AWS
    return None


def _times(context: CheckContext, bucket: str) -> Findings:
    try:
        answer = context.account.ask("s3", "get_bucket_lifecycle_configuration", Bucket=bucket)
    except NotFoundError as error:
        if "NoSuchBucket" in str(error):
            yield problem(_CHECK, f"bucket {bucket} does not exist, {_LOST}", REPAIR)
        else:
            yield _stays(bucket)
        return
    expire = {
        rule.get("Filter", {}).get("Prefix", rule.get("Prefix", ""))
        for rule in answer.get("Rules", [])
        if rule["Status"] == "Enabled" and rule.get("Expiration", {}).get("Days")
    }
    wanted = context.deployment
    if STOPPED in expire and "" in expire and wanted.store:
        days = f"{wanted.store.days} day{'s' * (wanted.store.days > 1)}"
        yield ok(_CHECK, f"in {bucket} for {days}, stopped mail for {wanted.stopped_days} days")
    else:
        yield _stays(bucket)


def _stays(bucket: str) -> Finding:
    return warning(_CHECK, f"the mail in bucket {bucket} does not expire", REPAIR)
