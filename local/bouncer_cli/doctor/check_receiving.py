"""Does mail reach our rule? The active rule set, the rule as it stands there, the MX records."""

from collections.abc import Iterable, Mapping
from typing import Any

from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.doctor.check_context import Case
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

Rule = Mapping[str, Any]

_ACTIVE = "active rule set"
_RULE = "receipt rule"
_DEPLOY = "run cdk deploy"


def active_rule_set(case: Case) -> Findings:
    """Which set is active; SES receives mail only in some regions, and only there this answers."""
    try:
        answer = case.account.ask("ses", "describe_active_receipt_rule_set")
    except UnavailableError as error:
        found = f"could not be checked: {error}; perhaps SES receives no mail in this region"
        yield warning(_ACTIVE, found, error.next_step)
        return
    yield _judge_active(case, answer.get("Metadata", {}).get("Name"))


def _judge_active(case: Case, active: str | None) -> Finding:
    wanted = case.deployment
    worse = problem if case.stack.deployed else warning
    if active == wanted.rule_set:
        return ok(_ACTIVE, f"{active}, as configured")
    if active is None and wanted.activate_rule_set and case.stack.pending:
        return ok(_ACTIVE, f"none; the deployment will activate {wanted.rule_set}")
    if active is None:
        remedy = (
            f"activate it: aws ses set-active-receipt-rule-set --rule-set-name {wanted.rule_set}"
        )
        return worse(_ACTIVE, "none, so SES receives no mail here", remedy)
    if wanted.activate_rule_set:
        return problem(
            _ACTIVE,
            f"{active}, which the deployment never takes away from its owner",
            f"deactivate {active}, or name it as rule_set without create_rule_set",
        )
    return worse(
        _ACTIVE,
        f"{active}, so no rule of {wanted.rule_set} sees mail",
        f"name {active} as rule_set in cdk.json and deploy, or activate {wanted.rule_set}",
    )


def receipt_rule(case: Case) -> Findings:
    """Our rule in the configured set, and what may happen to mail before it gets there."""
    wanted = case.deployment
    try:
        answer = case.account.ask("ses", "describe_receipt_rule_set", RuleSetName=wanted.rule_set)
    except NotFoundError:
        yield _no_rule_set(case)
        return
    if case.stack.absent and wanted.create_rule_set:
        yield problem(
            _RULE,
            f"a rule set {wanted.rule_set} exists, so the deployment can't make it",
            "choose another rule_set, or leave out create_rule_set",
        )
    rules: list[Rule] = answer.get("Rules", [])
    names = [rule["Name"] for rule in rules]
    yield from _other_bouncers(case, rules)
    if wanted.full_name not in names:
        yield _no_rule(case, names)
        return
    place = names.index(wanted.full_name)
    if case.stack.absent:
        yield problem(
            _RULE,
            f"a rule {wanted.full_name} exists, and no stack that made it",
            f"delete that rule, or choose another name in cdk.json, then {_DEPLOY}",
        )
    yield ok(_RULE, f"number {place + 1} of {len(rules)} in {wanted.rule_set}")
    yield from _before(case, rules[:place])
    yield from _as_configured(case, rules[place])


def _no_rule_set(case: Case) -> Finding:
    wanted = case.deployment
    if wanted.create_rule_set and case.stack.pending:
        return ok(_RULE, f"no rule set {wanted.rule_set} yet; the deployment makes it")
    remedy = f"make it: aws ses create-receipt-rule-set --rule-set-name {wanted.rule_set}"
    return problem(_RULE, f"no rule set {wanted.rule_set}", f"{remedy}, or set create_rule_set")


def _no_rule(case: Case, names: list[str]) -> Finding:
    wanted = case.deployment
    missing = f"no rule {wanted.full_name} in {wanted.rule_set}"
    if case.stack.deployed:
        return problem(_RULE, missing, REPAIR)
    if case.stack.hidden:
        return warning(_RULE, missing, NOT_KNOWN)
    if wanted.after and wanted.after not in names:
        found = f"no rule {wanted.after} in {wanted.rule_set} to stand after"
        return problem(_RULE, found, f"set after to one of {', '.join(names) or '(none)'}")
    place = f"after {wanted.after}" if wanted.after else "in front"
    return ok(_RULE, f"none yet; the deployment puts it {place} in {wanted.rule_set}")


def _before(case: Case, rules: Iterable[Rule]) -> Findings:
    """Rules that keep mail from ours, or answer its senders as well."""
    for rule in rules:
        theirs = rule.get("Recipients", [])
        if not rule.get("Enabled", False) or not _overlap(theirs, case.deployment.recipients):
            continue
        actions = rule.get("Actions", [])
        move = f"put {rule['Name']} behind ours (aws ses set-receipt-rule-position)"
        if any("StopAction" in action for action in actions):
            stops = f"{rule['Name']} stands before ours and stops mail for "
            whom = ", ".join(theirs) or "everybody"
            yield (warning if theirs else problem)(_RULE, stops + whom, f"{move}, if unwanted")
        if any("BounceAction" in action for action in actions):
            found = f"{rule['Name']} stands before ours and bounces, too: two answers to one mail"
            yield warning(_RULE, found, f"take out its bounce action, or {move}")


def _other_bouncers(case: Case, rules: Iterable[Rule]) -> Findings:
    """Other deployments that judge the same mail: each has a ledger of its own."""
    wanted = case.deployment
    for rule in rules:
        name = rule["Name"]
        if name == wanted.full_name or not name.startswith("ses-auto-bouncer-"):
            continue
        if rule.get("Enabled", False) and _overlap(rule.get("Recipients", []), wanted.recipients):
            remedy = "let their recipients not overlap, or destroy one of the two deployments"
            yield problem(_RULE, f"{name} judges the same mail, and may bounce it again", remedy)


def _overlap(some: Iterable[str], others: Iterable[str]) -> bool:
    """May a mail be meant by both? No recipients: everybody (SES API reference, ReceiptRule)."""
    some, others = list(some), list(others)
    if not some or not others:
        return True
    return any(_meets(one.lower(), other.lower()) for one in some for other in others)


def _meets(one: str, other: str) -> bool:
    return one == other or _within(one, other) or _within(other, one)


def _within(narrow: str, wide: str) -> bool:
    """An address in a domain; a domain or address below `.domain`."""
    domain = narrow.rpartition("@")[2]
    if wide.startswith("."):
        return domain.endswith(wide)
    return "@" in narrow and domain == wide


def _as_configured(case: Case, rule: Rule) -> Findings:
    """Everything about the rule that somebody may have changed by hand."""
    wanted = case.deployment
    again = f"change it back, or {_DEPLOY} with the settings you want"
    if not rule.get("Enabled", False):
        yield problem(_RULE, "it is disabled, so nothing is judged", "enable it in the SES console")
    recipients = sorted(map(str.lower, rule.get("Recipients", [])))
    if recipients == sorted(map(str.lower, wanted.recipients)):
        yield ok(_RULE, f"it is for {some(recipients)}, as configured")
    else:
        found = f"it is for {some(recipients)}, configured are {some(sorted(wanted.recipients))}"
        yield problem(_RULE, found, again)
    if rule.get("ScanEnabled", False) != wanted.scan:
        now = "on" if rule.get("ScanEnabled") else "off, so rules find spam and virus disabled"
        yield problem(_RULE, f"scanning is {now}", again)
    if rule.get("TlsPolicy", "Optional") != ("Require" if wanted.require_tls else "Optional"):
        yield problem(_RULE, f"its TLS policy is {rule.get('TlsPolicy', 'Optional')}", again)
    yield _lambda_action(case, rule, again)


def _lambda_action(case: Case, rule: Rule, again: str) -> Finding:
    calls = [
        action["LambdaAction"] for action in rule.get("Actions", []) if "LambdaAction" in action
    ]
    ours = case.stack.names("AWS::Lambda::Function")
    mine = [call for call in calls if not ours or _function(call["FunctionArn"]) in ours]
    if not mine:
        others = ", ".join(_function(call["FunctionArn"]) for call in calls) or "no function"
        return problem(_RULE, f"it calls {others}, not our intake", again)
    wanted = "Event" if case.deployment.invocation == "event" else "RequestResponse"
    found = mine[0].get("InvocationType", "Event")  # SES API reference, LambdaAction
    if found != wanted:
        return problem(_RULE, f"it calls the intake by {found}, configured is {wanted}", again)
    return ok(_RULE, f"it calls {_function(mine[0]['FunctionArn'])} by {found}")


def _function(arn: str) -> str:
    """The function's name in an ARN, with or without a version."""
    parts = arn.split(":")
    return parts[6] if len(parts) > 6 else arn  # noqa: PLR2004  # arn:aws:lambda:R:A:function:NAME
