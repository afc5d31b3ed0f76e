"""Are the rules and settings in SSM valid, and may the worker do what they ask for?"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping

from bouncer.environment import DEFAULTS_KEY
from bouncer.errors import DocumentError
from bouncer.mail.address import mailbox_address
from bouncer.operator_settings import Settings
from bouncer.rules.rule import Mode, Rule
from bouncer.rules.rule_reader import read_rule
from bouncer.sources.parameters import ParameterSource
from bouncer.sources.source import Document, SourceError
from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.doctor.case import Case
from bouncer_cli.doctor.finding import Finding, Findings, ok, problem, warning
from bouncer_cli.doctor.machinery import FUNCTIONS

_RULE = "rules"
_SETTINGS = "settings"
_PLACE = ("context", "bouncer", "settings")
_CORRECT = "correct the parameter; until then its last valid version holds, or it is left out"


def rules_and_settings(case: Case) -> Findings:
    """Every parameter below the prefix, read as the functions read it."""
    account, prefix = case.account, case.deployment.prefix
    try:
        documents = ParameterSource(account.client("ssm"), prefix).read()
    except SourceError as error:
        raise account.meaning("ssm", "get_parameters_by_path", error.__cause__) from error
    yield from _rules(case, documents.rules)
    yield from _settings(case, documents.settings)


def _rules(case: Case, documents: Mapping[str, Document]) -> Findings:
    valid: list[Rule] = []
    for name, document in documents.items():
        try:
            valid.append(read_rule(name, document.text, document=document.label))
        except DocumentError as error:
            yield from _faults(_RULE, error, _CORRECT)
    where = f"below {case.deployment.prefix}/rules/"
    if not documents:
        remedy = f"bouncer replay rules on your mail, then put them {where}NAME"
        yield warning(_RULE, f"none {where}, so every mail is accepted", remedy)
    elif len(valid) == len(documents):
        yield ok(_RULE, f"{len(valid)} {where}, all valid{_modes(valid)}")
    for rule in valid:
        if rule.rejection and rule.rejection.sender:
            yield from _may_send(case, _RULE, f"{rule.name} bounces", rule.rejection.sender)


def _faults(check: str, error: DocumentError, remedy: str) -> Findings:
    return (problem(check, str(fault), remedy) for fault in error.problems)


def _modes(rules: Iterable[Rule]) -> str:
    count = Counter(rule.mode for rule in rules)
    words = [f"{count[mode]} {mode}" for mode in (Mode.SHADOW, Mode.OFF) if count[mode]]
    return f" ({', '.join(words)})" if words else ""


def _settings(case: Case, document: Document | None) -> Findings:
    """What holds: the functions' own, as deployed or to be, and the parameter's over them."""
    parameter = f"{case.deployment.prefix}/settings"
    deployed = _deployed(case)
    wanted, text = deployed or Settings(), json.dumps(case.deployment.runtime)
    try:
        wanted = Settings().overlaid(text, document="cdk.json", below=_PLACE)
    except DocumentError as error:
        yield from _faults(_SETTINGS, error, "correct cdk.json, or cdk deploy refuses it")
    if deployed and deployed != wanted:
        found = "those of the functions are not those of cdk.json"
        yield warning(_SETTINGS, found, "run cdk deploy, or correct cdk.json")
    settings = deployed or wanted
    if document:
        try:
            settings = settings.overlaid(document.text, document=document.label)
        except DocumentError as error:
            yield from _faults(_SETTINGS, error, _CORRECT)
            return
        yield ok(_SETTINGS, f"{document.label} is valid")
    else:
        yield ok(_SETTINGS, f"no {parameter}, the deployment's own hold")
    if settings.mode is not Mode.ENFORCE:
        found = f"mode is {settings.mode}, so nothing is rejected"
        yield warning(_SETTINGS, found, f"set mode: enforce in {parameter}, if that is unwanted")
    if not settings.sending:
        remedy = f"set sending: on in {parameter}, if that is unwanted"
        yield warning(_SETTINGS, "sending is paused, so no bounce is sent", remedy)
    if settings.bounce_sender:
        yield from _may_send(case, _SETTINGS, "bounces come", settings.bounce_sender)


def _deployed(case: Case) -> Settings | None:
    """What a function of the stack has been given; None if there is none to ask."""
    for name in case.stack.names(FUNCTIONS) if case.stack.deployed else ():
        try:
            answer = case.account.ask("lambda", "get_function", FunctionName=name)
            given = answer.get("Configuration", {}).get("Environment", {}).get("Variables", {})
            if DEFAULTS_KEY in given:
                return Settings().overlaid(given[DEFAULTS_KEY], document=name)
        except (NotFoundError, UnavailableError):
            return None  # told by the check of functions
    return None


def _may_send(case: Case, check: str, what: str, sender: str) -> Iterable[Finding]:
    """The worker's role may send from the addresses of cdk.json alone."""
    address = mailbox_address(sender)
    if address in case.deployment.senders:
        return ()
    found = f"{what} from {address}, which the worker may not send from"
    remedy = f"add {address} to further_senders in cdk.json and run cdk deploy"
    return (problem(check, found, remedy),)
