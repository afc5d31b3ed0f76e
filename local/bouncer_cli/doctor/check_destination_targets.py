"""Checks what destinations publish to: topics, streams and roles, and that they are of this place.

SES checks a topic and a role when a destination is made, if at all; what changes later loses events
without a word.
"""

import json
from collections.abc import Iterator

from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.check_destinations import EVENTS
from bouncer_cli.doctor.finding import Finding, Findings, ok, problem, warning
from bouncer_cli.doctor.policy_statements import Named, named
from bouncer_infra.destination_settings import ARCHIVE, Destination
from bouncer_infra.misplaced_arns import misplaced_arns
from bouncer_infra.service_arn import Home

_CHECK_OF = {"kms_key": "key", "alarm_topic": "alarm", "permissions_boundary": "stack"}
_SES = "ses.amazonaws.com"
_SNS_KEY = "alias/aws/sns"  # nobody can change its policy (SES Developer Guide, SNS action)
_WRITE = "firehose:PutRecordBatch"
_DIRECT = "DirectPut"
_NOT_EVALUATED = "; its conditions were not evaluated"
_LET_SES = (
    "let ses.amazonaws.com publish in its policy, as "
    "docs/deploy.md#event-destinations-and-configuration-sets shows"
)


def destination_places(context: CheckContext) -> Findings:
    """Report ARNs of another account, region or partition, in the words of cdk synth."""
    wanted = context.deployment
    named = (wanted.kms_key, wanted.alarm_topic, wanted.permissions_boundary)
    if not any(named) and not any(_destinations(context)):
        return
    for each in misplaced_arns(wanted, _home(context), document="cdk.json"):
        check = _CHECK_OF.get(each.place.rpartition(".")[2], EVENTS)
        yield problem(check, str(each), "correct the ARN in cdk.json")


def destination_targets(context: CheckContext) -> Findings:
    """Check each topic, stream and role once; one that can't be asked about hides no other.

    (GetTopicAttributes, DescribeDeliveryStream, GetRole, SimulatePrincipalPolicy)
    """
    found = list(_destinations(context))
    account = _home(context).account if found else None
    checks = {
        **{each.topic: _topic for each in found if each.topic},
        **{each.stream: _stream for each in found if each.stream and each.stream != ARCHIVE},
        **{each.role: _role for each in found if each.role},
    }
    for arn, check in checks.items():
        owner = arn.split(":")[4]
        if account and owner != account:
            yield ok(EVENTS, f"{arn} is of account {owner}, and was not asked")
            continue
        try:
            yield check(context, arn, account)
        except UnavailableError as error:
            yield warning(EVENTS, f"{arn} could not be checked: {error}", error.next_step)


def _destinations(context: CheckContext) -> Iterator[Destination]:
    yield from context.deployment.destinations
    for each in context.deployment.configuration_sets:
        yield from each.destinations


def _home(context: CheckContext) -> Home:
    """Return the place that is looked at; without an answer of STS, its region."""
    try:
        caller = context.account.ask("sts", "get_caller_identity")
    except UnavailableError:
        return Home(region=context.account.region)
    partition = str(caller.get("Arn", "")).split(":")[1:2]
    return Home(
        partition=partition[0] if partition else None,
        region=context.account.region,
        account=caller.get("Account"),
    )


def _topic(context: CheckContext, arn: str, account: str | None) -> Finding:
    try:
        answer = context.account.ask("sns", "get_topic_attributes", TopicArn=arn)
    except NotFoundError:
        return problem(EVENTS, f"topic {arn} does not exist", "create it, or correct cdk.json")
    attributes = answer.get("Attributes", {})
    key = attributes.get("KmsMasterKeyId", "")
    if key.endswith(_SNS_KEY):
        said = f"topic {arn} is encrypted with the key {_SNS_KEY}, which SES may not use"
        return problem(EVENTS, said, f"encrypt it with a key of yours that lets {_SES} use it")
    too = f", if its key {key} lets SES encrypt" if key else ""
    policy = json.loads(attributes.get("Policy") or "{}")
    match named(policy, _SES, "sns:Publish", account=account, resource=arn):
        case Named.SERVICE:
            return ok(EVENTS, f"topic {arn} lets SES publish{too}")
        case Named.CONDITIONAL:
            return ok(EVENTS, f"the policy of topic {arn} names SES{_NOT_EVALUATED}{too}")
        case Named.EVERYBODY:
            said = f"the policy of topic {arn} does not name SES, and may let it publish or not"
            return warning(EVENTS, said, _LET_SES)
        case Named.NOT:
            said = f"topic {arn} does not let SES publish, so events are lost"
            return problem(EVENTS, said, _LET_SES)


def _stream(context: CheckContext, arn: str, _: str | None) -> Finding:
    name = arn.rpartition("/")[2]
    try:
        answer = context.account.ask(
            "firehose", "describe_delivery_stream", DeliveryStreamName=name
        )
    except NotFoundError:
        return problem(EVENTS, f"stream {name} does not exist", "create it, or correct cdk.json")
    described = answer.get("DeliveryStreamDescription", {})
    status = described.get("DeliveryStreamStatus", "unknown")
    if status != "ACTIVE":
        return problem(EVENTS, f"stream {name} is {status}", "look at it in the Firehose console")
    kind = described.get("DeliveryStreamType", _DIRECT)
    if kind != _DIRECT:
        said = f"stream {name} is {kind}: it takes records from its source only, not from SES"
        return problem(EVENTS, said, f"name a stream of the type {_DIRECT} in cdk.json")
    return ok(EVENTS, f"stream {name} is ACTIVE")


def _role(context: CheckContext, arn: str, account: str | None) -> Finding:
    name = arn.rpartition("/")[2]
    try:
        role = context.account.ask("iam", "get_role", RoleName=name).get("Role", {})
    except NotFoundError:
        return problem(EVENTS, f"role {name} does not exist", "create it, or correct cdk.json")
    trust = named(role.get("AssumeRolePolicyDocument"), _SES, "sts:AssumeRole", account=account)
    # Only a principal of its own lets a service assume a role: everybody means every account.
    if trust not in (Named.SERVICE, Named.CONDITIONAL):
        remedy = f"let {_SES} assume it (sts:AssumeRole) in its trust policy"
        return problem(EVENTS, f"role {name} can't be assumed by SES, so events are lost", remedy)
    if missed := _not_writable(context, arn):
        said = f"role {name} may not write into {', '.join(missed)}, so events are lost"
        return problem(EVENTS, said, f"allow it {_WRITE} on that stream")
    if trust is Named.CONDITIONAL:
        return ok(EVENTS, f"role {name} names SES{_NOT_EVALUATED}, and may write")
    return ok(EVENTS, f"role {name} can be assumed by SES, and may write")


def _not_writable(context: CheckContext, role: str) -> list[str]:
    """Return the streams that destinations use with a role which may not write there."""
    streams = sorted({each.stream or "" for each in _destinations(context) if each.role == role})
    answer = context.account.ask(
        "iam",
        "simulate_principal_policy",
        PolicySourceArn=role,
        ActionNames=[_WRITE],
        ResourceArns=streams,
    )
    return [
        str(each.get("EvalResourceName", "its stream"))
        for each in answer.get("EvaluationResults", [])
        if each.get("EvalDecision") != "allowed"
    ]
