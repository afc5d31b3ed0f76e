"""Checks the key of `kms_key`: it exists, can encrypt, and its policy allows the services.

And the keys before it, with which something may still be encrypted.
"""

import json

from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.check_functions import FUNCTIONS
from bouncer_cli.doctor.finding import Findings, ok, problem, warning
from bouncer_cli.doctor.policy_statements import allows, may_deny
from bouncer_infra.key_policy import key_policy

_KEY = "key"

_ENABLED = "Enabled"
_SYMMETRIC = "SYMMETRIC_DEFAULT"
_BY_ROLES = ["kms:Decrypt", "kms:GenerateDataKey"]  # all that ours ask of the account's statement
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
    shown = _shown(named)
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


def former_keys(context: CheckContext) -> Findings:
    """Check that what the keys before have encrypted can be read, before and after deploying."""
    wanted = context.deployment
    for each in wanted.former_kms_keys:
        yield from _former(context, each)
    for each in sorted(_deployed(context) - {wanted.kms_key, *wanted.former_kms_keys}):
        yield problem(
            _KEY,
            f"{_shown(each)} is that of the deployed functions, and cdk.json does not name it: "
            "after the next deployment they could read neither rules nor jobs",
            f"add {each} to former_kms_keys in cdk.json",
        )


def _former(context: CheckContext, named: str) -> Findings:
    if named.split(":")[3] != context.account.region:
        return
    drop = "or take it out of former_kms_keys if nothing is encrypted with it"
    try:
        found = context.account.ask("kms", "describe_key", KeyId=named)["KeyMetadata"]
    except NotFoundError:
        lost = "what it encrypted is lost"
        yield problem(_KEY, f"{_shown(named)} does not exist: {lost}", f"correct it, {drop}")
        return
    state = found.get("KeyState", _ENABLED)
    if state != _ENABLED:
        remedy = f"enable it: aws kms enable-key --key-id {named}, {drop}"
        yield problem(_KEY, f"{_shown(named)} is {state}: what it encrypted can't be read", remedy)


def _deployed(context: CheckContext) -> set[str]:
    """Return the keys of the deployed functions' environments."""
    keys = set()
    for name in context.stack.names(FUNCTIONS):
        try:
            answer = context.account.ask("lambda", "get_function", FunctionName=name)
        except NotFoundError:
            continue
        keys.add(answer.get("Configuration", {}).get("KMSKeyArn", ""))
    return keys - {""}


def _shown(named: str) -> str:
    return named.rpartition(":")[2]


def _policy(context: CheckContext, named: str) -> Findings:
    """Name the statements that the policy lacks, and those that deny; conditions are not judged.

    EventBridge meets no condition (`key_policy`), so that one with a condition does not count.
    """
    answer = context.account.ask("kms", "get_key_policy", KeyId=named, PolicyName="default")
    account = str(context.account.ask("sts", "get_caller_identity")["Account"])
    policy = json.loads(answer["Policy"])
    wanted = key_policy(context.deployment, account=account, region=context.account.region)
    missing = 0
    for statement in wanted:
        sid = statement["Sid"]
        (principal,) = statement["Principal"].values()
        who = {principal, account} if sid == "Account" else {principal}
        actions = _BY_ROLES if sid == "Account" else statement["Action"]
        actions = [each.removesuffix("*") for each in actions]
        conditions = sid != "Events"
        if not allows(policy, who, actions, conditions=conditions, account=account, resource=named):
            missing += 1
            found = f"its policy lacks the statement {sid} for {principal}: {_WITHOUT[sid]}"
            yield problem(_KEY, found, f"add {sid} to it as in docs/deploy.md#kms_key")
        for denying in may_deny(policy, who, actions, account=account):
            found = f"{denying} of its policy may deny what {principal} needs: then {_WITHOUT[sid]}"
            yield warning(_KEY, found, f"except {principal} from it, unless its conditions do")
    if not missing:
        all_of_them = f"the {len(wanted)} statements of docs/deploy.md#kms_key"
        yield ok(_KEY, f"its policy names {all_of_them}; conditions are not judged")
