"""Checks the rules and settings in SSM, and that the worker may send from the senders they name."""

import json
from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from dataclasses import replace

from bouncer.environment import DEFAULTS_KEY
from bouncer.errors import DocumentError
from bouncer.held_document import read_held
from bouncer.mail.address import mailbox_address
from bouncer.operator_settings import Settings
from bouncer.rules.rejection import Rejection
from bouncer.rules.reply_form import ReplyForm
from bouncer.rules.rule import Mode, Rule
from bouncer.rules.rule_reader import read_rule
from bouncer.settings_reader import overlaid
from bouncer.sources.parameters import ParameterSource
from bouncer.sources.source import Document, SourceError
from bouncer_cli.doctor.account import Account, NotFoundError, UnavailableError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.check_functions import FUNCTIONS
from bouncer_cli.doctor.check_lists import fetch_upload, lists_and_doubts
from bouncer_cli.doctor.deployed_stack import Stack
from bouncer_cli.doctor.finding import Finding, Findings, ok, problem, warning

_RULE = "rules"
_SETTINGS = "settings"
_HELD = "held"
_PLACE = ("context", "bouncer", "settings")
_CORRECT = "correct this parameter; until then what was in force before, if anything, stays so"


def rules_and_settings(context: CheckContext) -> Findings:
    """Check every parameter below the prefix as the functions read it."""
    account, prefix = context.account, context.deployment.prefix
    try:
        fetch = fetch_upload(context)
        documents = ParameterSource(account.client("ssm"), prefix, fetch).read()
    except SourceError as error:
        raise account.meaning("ssm", "get_parameters_by_path", error.__cause__) from error
    yield from _held(documents.held)
    rules = yield from _rules(context, documents.rules)
    settings = yield from _settings(context, documents.settings)
    senders = frozenset(map(str.lower, context.deployment.reply_addresses))
    settings = replace(settings, reply_senders=senders)
    yield from lists_and_doubts(rules, documents, settings, context.now)


def _rules(
    context: CheckContext, documents: Mapping[str, Document]
) -> Generator[Finding, None, list[Rule]]:
    valid: list[Rule] = []
    for name, document in documents.items():
        try:
            valid.append(read_rule(name, document.plain_text, document=document.label))
        except DocumentError as error:
            yield from _faults(_RULE, error, _CORRECT)
    where = f"below {context.deployment.prefix}/rules/"
    if not documents:
        remedy = f"bouncer replay your rules on your mail, then put each {where}NAME"
        yield warning(_RULE, f"no rules {where}, so every mail is accepted", remedy)
    elif len(valid) == len(documents):
        count = "1 rule" if len(valid) == 1 else f"{len(valid)} rules"
        yield ok(_RULE, f"{count} {where}, all valid{_modes(valid)}")
    for rule in valid:
        if rule.rejection and rule.rejection.sender:
            yield from _may_send(context, _RULE, f"{rule.name} bounces", rule.rejection.sender)
            yield from _names_identity(context, rule.name, rule.rejection)
        if rule.reply:
            yield from _reply_names_identity(context, rule.name, rule.reply)
    return valid


def _faults(check: str, error: DocumentError, remedy: str) -> Findings:
    return (problem(check, str(fault), remedy) for fault in error.problems)


def _modes(rules: Iterable[Rule]) -> str:
    count = Counter(rule.mode for rule in rules)
    words = [f"{count[mode]} {mode}" for mode in (Mode.SHADOW, Mode.OFF) if count[mode]]
    return f" ({', '.join(words)})" if words else ""


def _settings(
    context: CheckContext, document: Document | None
) -> Generator[Finding, None, Settings]:
    """Check the settings in force: the functions' own, and the parameter's over them."""
    parameter = f"{context.deployment.prefix}/settings"
    deployed = deployed_settings(context.account, context.stack)
    wanted, text = deployed or Settings(), json.dumps(context.deployment.runtime)
    try:
        wanted = overlaid(Settings(), text, document="cdk.json", below=_PLACE)
    except DocumentError as error:
        yield from _faults(_SETTINGS, error, "correct cdk.json: cdk deploy refuses it")
    if deployed and deployed != wanted:
        found = "the settings the functions were deployed with differ from those in cdk.json"
        yield warning(_SETTINGS, found, "run cdk deploy, or change cdk.json back")
    settings = deployed or wanted
    if document:
        try:
            settings = overlaid(settings, document.plain_text, document=document.label)
        except DocumentError as error:
            yield from _faults(_SETTINGS, error, _CORRECT)
            return settings
        yield ok(_SETTINGS, f"{document.label} is valid")
    else:
        yield ok(_SETTINGS, f"{parameter} does not exist, so the settings of cdk.json hold")
    yield from _held_back(settings, parameter)
    if settings.bounce_sender:
        yield from _may_send(context, _SETTINGS, "bounces come", settings.bounce_sender)
    return settings


def _held(document: Document | None) -> Findings:
    """Report that sending is held, by whom and since when."""
    if document is None:
        return
    try:
        held = read_held(document.plain_text, document=document.label)
    except DocumentError as error:
        remedy = "run bouncer resume, which deletes it; until then no bounce is sent"
        yield from _faults(_HELD, error, remedy)
        return
    remedy = "run bouncer resume as soon as bounces may be sent again"
    yield warning(_HELD, f"{document.label}: {held}, so no bounce is sent", remedy)


def _held_back(settings: Settings, parameter: str) -> Findings:
    if settings.mode is not Mode.ENFORCE:
        found = f"mode is {settings.mode}, so nothing is rejected"
        yield warning(_SETTINGS, found, f"to reject mail, set mode: enforce in {parameter}")
    if not settings.sending:
        remedy = f"to send bounces, set sending: on in {parameter}"
        yield warning(_SETTINGS, "sending is paused, so no bounce is sent", remedy)


def deployed_settings(account: Account, stack: Stack) -> Settings | None:
    """Return the settings in a function's environment; None if no function can be asked."""
    for name in stack.names(FUNCTIONS) if stack.deployed else ():
        try:
            answer = account.ask("lambda", "get_function", FunctionName=name)
            given = answer.get("Configuration", {}).get("Environment", {}).get("Variables", {})
            if DEFAULTS_KEY in given:
                return overlaid(Settings(), given[DEFAULTS_KEY], document=name)
        except (NotFoundError, UnavailableError):
            return None  # the check of functions has reported it
    return None


def _may_send(context: CheckContext, check: str, what: str, sender: str) -> Iterable[Finding]:
    """Check that a sender is among those of cdk.json, from which alone the worker may send.

    Case does not matter, as it does not in the worker's policy.
    """
    address = mailbox_address(sender)
    if address.lower() in map(str.lower, context.deployment.senders):
        return ()
    found = f"{what} from {address}, which the worker may not send from"
    remedy = f"add {address} to further_senders in cdk.json and run cdk deploy"
    return (problem(check, found, remedy),)


def _names_identity(context: CheckContext, name: str, rejection: Rejection) -> Findings:
    """Check that a rule names another account's identity where its sender needs that."""
    address = mailbox_address(rejection.sender or "").lower()
    for sender in context.deployment.further_senders:
        if sender.arn and sender.address.lower() == address and not rejection.sender_arn:
            found = f"{name} bounces from {sender.address}, whose identity is another account's"
            yield problem(_RULE, found, f"add sender_arn: {sender.arn} to the rule's reject")


def _reply_names_identity(context: CheckContext, name: str, form: ReplyForm) -> Findings:
    """Check that a rule that replies names another account's identity where its From needs that."""
    address = mailbox_address(form.sender).lower()
    for sender in context.deployment.reply_senders:
        if sender.arn and sender.address.lower() == address and not form.sender_arn:
            found = f"{name} replies from {sender.address}, whose identity is another account's"
            yield problem(_RULE, found, f"add from_arn: {sender.arn} to the rule's reply")
