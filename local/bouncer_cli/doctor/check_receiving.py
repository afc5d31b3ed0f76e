"""Checks that mail reaches our receipt rule: the active rule set, and the rule in it."""

from collections.abc import Iterable, Mapping
from typing import Any

from bouncer.aws.exclusive_setting import SettingKind
from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import (
    NOT_KNOWN,
    REPAIR,
    Finding,
    Findings,
    ok,
    problem,
    some,
    warning,
)
from bouncer_infra.deployment_settings import NAME_PREFIX
from bouncer_infra.recipient_overlap import overlapping

Rule = Mapping[str, Any]

_ACTIVE = "active rule set"
_RULE = "receipt rule"
_MADE = "AWS::SES::ReceiptRuleSet"
_HELD = f"Custom::{SettingKind.ACTIVE_RULE_SET}"
_DEPLOY = "run cdk deploy"


def active_rule_set(context: CheckContext) -> Findings:
    """Check that the configured rule set is active; SES answers in receiving regions only."""
    try:
        answer = context.account.ask("ses", "describe_active_receipt_rule_set")
    except UnavailableError as error:
        found = f"could not be checked: {error}"
        if not error.unreachable:
            found += "; SES may not receive mail in this region"
        yield warning(_ACTIVE, found, error.next_step)
        return
    yield _judge_active(context, answer.get("Metadata", {}).get("Name"))


def _judge_active(context: CheckContext, active: str | None) -> Finding:
    wanted = context.deployment
    worse = problem if context.stack.deployed else warning
    if not wanted.activate_rule_set and _activated(context, active):
        return problem(
            _ACTIVE,
            f"{active}, which this deployment activated: without activate_rule_set the next one "
            "deactivates it, and SES receives no mail in this region",
            f"set rule_set: {active}, create_rule_set and activate_rule_set: true in cdk.json",
        )
    if active == wanted.rule_set:
        return ok(_ACTIVE, f"{active}, as configured")
    if active is None and wanted.activate_rule_set and context.stack.pending:
        return ok(_ACTIVE, f"no rule set is active yet; the deployment activates {wanted.rule_set}")
    if active is None:
        remedy = (
            f"activate it: aws ses set-active-receipt-rule-set --rule-set-name {wanted.rule_set}"
        )
        return worse(
            _ACTIVE, "no rule set is active, so SES receives no mail in this region", remedy
        )
    if wanted.activate_rule_set:
        return problem(
            _ACTIVE,
            f"{active}, which the deployment does not replace",
            f"deactivate {active}, or set rule_set: {active} in cdk.json without create_rule_set",
        )
    return worse(
        _ACTIVE,
        f"{active}, so no mail reaches the rules of {wanted.rule_set}",
        f"set rule_set: {active} in cdk.json and {_DEPLOY}, or activate {wanted.rule_set}",
    )


def _activated(context: CheckContext, active: str | None) -> bool:
    """Tell whether our stack made this rule set, and holds the setting that it is active."""
    return active in context.stack.names(_MADE) and bool(context.stack.names(_HELD))


def receipt_rule(context: CheckContext) -> Findings:
    """Check our rule in the configured set, and the rules before it."""
    wanted = context.deployment
    try:
        answer = context.account.ask(
            "ses", "describe_receipt_rule_set", RuleSetName=wanted.rule_set
        )
    except NotFoundError:
        yield _no_rule_set(context)
        return
    if context.stack.absent and wanted.create_rule_set:
        yield problem(
            _RULE,
            f"rule set {wanted.rule_set} exists already, so the deployment can't make it",
            "set another rule_set in cdk.json, or remove create_rule_set",
        )
    rules: list[Rule] = answer.get("Rules", [])
    names = [rule["Name"] for rule in rules]
    yield from _other_bouncers(context, rules)
    if wanted.full_name not in names:
        yield _no_rule(context, names)
        return
    place = names.index(wanted.full_name)
    if context.stack.absent:
        yield problem(
            _RULE,
            f"rule {wanted.full_name} exists, but the stack that made it does not",
            f"delete that rule, or set another name in cdk.json, then {_DEPLOY}",
        )
    yield ok(_RULE, f"number {place + 1} of {len(rules)} in {wanted.rule_set}")
    yield from _before(context, rules[:place])
    yield from _as_configured(context, rules[place])


def _no_rule_set(context: CheckContext) -> Finding:
    wanted = context.deployment
    if wanted.create_rule_set and context.stack.pending:
        return ok(_RULE, f"rule set {wanted.rule_set} does not exist yet; the deployment makes it")
    remedy = f"make it: aws ses create-receipt-rule-set --rule-set-name {wanted.rule_set}"
    return problem(
        _RULE,
        f"rule set {wanted.rule_set} does not exist",
        f"{remedy}, or set create_rule_set: true in cdk.json",
    )


def _no_rule(context: CheckContext, names: list[str]) -> Finding:
    wanted = context.deployment
    missing = f"rule {wanted.full_name} is not in {wanted.rule_set}"
    if context.stack.deployed:
        return problem(_RULE, missing, REPAIR)
    if context.stack.hidden:
        return warning(_RULE, missing, NOT_KNOWN)
    if wanted.after and wanted.after not in names:
        found = f"rule {wanted.after} is not in {wanted.rule_set}, but after names it"
        return problem(_RULE, found, _after_one_of(names))
    place = f"after {wanted.after}" if wanted.after else "first"
    return ok(
        _RULE, f"our rule does not exist yet; the deployment puts it {place} in {wanted.rule_set}"
    )


def _after_one_of(names: list[str]) -> str:
    if not names:
        return "remove after from cdk.json: that rule set has no rules"
    return f"set after in cdk.json to one of {', '.join(names)}"


def _before(context: CheckContext, rules: Iterable[Rule]) -> Findings:
    """Report rules before ours that stop its mail, or bounce it as well."""
    for rule in rules:
        theirs = rule.get("Recipients", [])
        if not rule.get("Enabled", False) or not overlapping(theirs, context.deployment.recipients):
            continue
        actions = rule.get("Actions", [])
        move = f"move {rule['Name']} behind ours (aws ses set-receipt-rule-position)"
        if any("StopAction" in action for action in actions):
            stops = f"{rule['Name']} stands before ours and stops mail for "
            whom = ", ".join(theirs) or "everybody"
            yield (warning if theirs else problem)(
                _RULE, stops + whom, f"{move}, unless this is wanted"
            )
        if any("BounceAction" in action for action in actions):
            found = f"{rule['Name']} stands before ours and bounces too: one mail gets two bounces"
            yield warning(_RULE, found, f"remove its bounce action, or {move}")


def _calls(rule: Rule) -> bool:
    """Tell whether a rule invokes a function; CloudFormation may name other rules like ours."""
    return any("LambdaAction" in action for action in rule.get("Actions", []))


def _other_bouncers(context: CheckContext, rules: Iterable[Rule]) -> Findings:
    """Report other deployments that judge the same mail: each has its own ledger."""
    wanted = context.deployment
    for rule in rules:
        name = rule["Name"]
        if name == wanted.full_name or not name.startswith(NAME_PREFIX) or not _calls(rule):
            continue
        if rule.get("Enabled", False) and overlapping(
            rule.get("Recipients", []), wanted.recipients
        ):
            remedy = "give the two deployments different recipients, or destroy one of them"
            yield problem(
                _RULE, f"{name} judges the same mail and may bounce it a second time", remedy
            )


def _as_configured(context: CheckContext, rule: Rule) -> Findings:
    """Compare the rule with the settings: somebody may have changed it by hand."""
    wanted = context.deployment
    again = f"change the rule back in the SES console, or change cdk.json and {_DEPLOY}"
    if not rule.get("Enabled", False):
        yield problem(_RULE, "disabled, so no mail is judged", "enable it in the SES console")
    recipients = sorted(map(str.lower, rule.get("Recipients", [])))
    if recipients == sorted(map(str.lower, wanted.recipients)):
        yield ok(_RULE, f"recipients are {some(recipients)}, as configured")
    else:
        found = (
            f"recipients are {some(recipients)}, cdk.json says {some(sorted(wanted.recipients))}"
        )
        yield problem(_RULE, found, again)
    if rule.get("ScanEnabled", False) != wanted.scan:
        now = "on" if rule.get("ScanEnabled") else "off, so the verdicts spam and virus are missing"
        yield problem(_RULE, f"scanning is {now}", again)
    if rule.get("TlsPolicy", "Optional") != ("Require" if wanted.require_tls else "Optional"):
        yield problem(_RULE, f"TLS policy is {rule.get('TlsPolicy', 'Optional')}", again)
    yield _lambda_action(context, rule, again)


def _lambda_action(context: CheckContext, rule: Rule, again: str) -> Finding:
    calls = [
        action["LambdaAction"] for action in rule.get("Actions", []) if "LambdaAction" in action
    ]
    ours = context.stack.names("AWS::Lambda::Function")
    mine = [call for call in calls if not ours or _function(call["FunctionArn"]) in ours]
    if not mine:
        others = ", ".join(_function(call["FunctionArn"]) for call in calls) or "no function"
        return problem(_RULE, f"calls {others}, not our intake", again)
    wanted = "Event" if context.deployment.invocation == "event" else "RequestResponse"
    found = mine[0].get("InvocationType", "Event")  # SES API reference, LambdaAction
    if found != wanted:
        return problem(_RULE, f"it calls the intake by {found}, cdk.json says {wanted}", again)
    return ok(_RULE, f"calls {_function(mine[0]['FunctionArn'])} by {found}")


def _function(arn: str) -> str:
    """Return the function's name in an ARN with or without a version."""
    parts = arn.split(":")
    return parts[6] if len(parts) > 6 else arn  # noqa: PLR2004  # arn:aws:lambda:R:A:function:NAME
