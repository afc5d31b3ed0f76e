"""Checks the key of `kms_key`: it exists, can encrypt, and its policy allows the services."""

from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import Findings, ok, problem
from bouncer_cli.doctor.resource_policy import allows
from bouncer_infra.key_policy import key_policy
from bouncer_infra.organization_values import read_arn

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
    arn = read_arn(context.deployment.kms_key)
    if arn is None:
        return
    named, region = str(context.deployment.kms_key), context.account.region
    if arn.region != region:
        remedy = "name a key of that region as kms_key in cdk.json, or check --region"
        yield problem(_KEY, f"the key is in {arn.region}, and the deployment in {region}", remedy)
        return
    try:
        found = context.account.ask("kms", "describe_key", KeyId=named)["KeyMetadata"]
    except NotFoundError:
        yield problem(_KEY, f"{arn.resource} does not exist", "correct kms_key in cdk.json")
        return
    state = found.get("KeyState", _ENABLED)
    if state != _ENABLED:
        remedy = f"enable it: aws kms enable-key --key-id {named}"
        yield problem(_KEY, f"it is {state}: mail can't be stored, functions don't start", remedy)
    elif found.get("KeySpec", _SYMMETRIC) != _SYMMETRIC:
        remedy = "name a symmetric key as kms_key in cdk.json"
        yield problem(_KEY, f"it is {found['KeySpec']}, with which no service encrypts", remedy)
    else:
        yield ok(_KEY, f"{arn.resource} is enabled")
    yield from _policy(context, named)


def _policy(context: CheckContext, named: str) -> Findings:
    """Name the statements that the policy lacks; its conditions are not judged.

    EventBridge meets no condition (`key_policy`), so that one with a condition does not count.
    """
    answer = context.account.ask("kms", "get_key_policy", KeyId=named, PolicyName="default")
    account = str(context.account.ask("sts", "get_caller_identity")["Account"])
    wanted = key_policy(context.deployment, account=account, region=context.account.region)
    missing = 0
    for statement in wanted:
        sid, actions = statement["Sid"], statement["Action"]
        (principal,) = statement["Principal"].values()
        if not allows(
            answer["Policy"],
            {principal, account} if sid == "Account" else {principal},
            actions if isinstance(actions, list) else [actions],
            conditions=sid != "Events",
        ):
            missing += 1
            found = f"its policy lacks the statement {sid} for {principal}: {_WITHOUT[sid]}"
            yield problem(_KEY, found, f"add {sid} to it as in docs/deploy.md#kms_key")
    if not missing:
        yield ok(_KEY, f"its policy has the {len(wanted)} statements of docs/deploy.md#kms_key")
