"""Checks the key of `kms_key`: it exists, can encrypt, and its policy allows the services."""

import json

from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import Findings, ok, problem
from bouncer_cli.doctor.policy_statements import allows
from bouncer_infra.key_policy import key_policy

_KEY = "key"

_ENABLED = "Enabled"
_SYMMETRIC = "SYMMETRIC_DEFAULT"
_WITHOUT = {
    "Account": "the policies of our roles have no effect on it",
    "Logs": "no log group can be encrypted, and the deployment fails",
    "Events": "changed rules and events of bounces are lost",
    "StoredMail": "SES can't store mail, and the deployment fails",
    "Alarms": "alarms notify nobody by alarm_email",
}


def key(context: CheckContext) -> Findings:
    """Check the key that the deployment names, before and after deploying."""
    named = context.deployment.kms_key
    if named is None or named.split(":")[3] != context.account.region:
        return  # one of another region is reported with all misplaced ARNs
    shown = named.rpartition(":")[2]
    try:
        found = context.account.ask("kms", "describe_key", KeyId=named)["KeyMetadata"]
    except NotFoundError:
        yield problem(_KEY, f"{shown} does not exist", "correct kms_key in cdk.json")
        return
    state = found.get("KeyState", _ENABLED)
    if state != _ENABLED:
        remedy = f"enable it: aws kms enable-key --key-id {named}"
        yield problem(_KEY, f"it is {state}: mail can't be stored, functions don't start", remedy)
    elif found.get("KeySpec", _SYMMETRIC) != _SYMMETRIC:
        remedy = "name a symmetric key as kms_key in cdk.json"
        yield problem(_KEY, f"it is {found['KeySpec']}, with which no service encrypts", remedy)
    else:
        yield ok(_KEY, f"{shown} is enabled")
    yield from _policy(context, named)


def _policy(context: CheckContext, named: str) -> Findings:
    """Name the statements that the policy lacks; its conditions are not judged.

    EventBridge meets no condition (`key_policy`), so that one with a condition does not count.
    """
    answer = context.account.ask("kms", "get_key_policy", KeyId=named, PolicyName="default")
    account = str(context.account.ask("sts", "get_caller_identity")["Account"])
    policy = json.loads(answer["Policy"])
    wanted = key_policy(context.deployment, account=account, region=context.account.region)
    missing = 0
    for statement in wanted:
        sid, actions = statement["Sid"], statement["Action"]
        actions = [actions] if isinstance(actions, str) else actions
        (principal,) = statement["Principal"].values()
        if not allows(
            policy,
            {principal, account} if sid == "Account" else {principal},
            [each.removesuffix("*") for each in actions],
            conditions=sid != "Events",
        ):
            missing += 1
            found = f"its policy lacks the statement {sid} for {principal}: {_WITHOUT[sid]}"
            yield problem(_KEY, found, f"add {sid} to it as in docs/deploy.md#kms_key")
    if not missing:
        yield ok(_KEY, f"its policy has the {len(wanted)} statements of docs/deploy.md#kms_key")
