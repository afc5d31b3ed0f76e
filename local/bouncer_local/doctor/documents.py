"""Are the rules and settings in SSM valid, and may the worker do what they ask for?"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping

from bouncer.address import mailbox_address
from bouncer.errors import DocumentError
from bouncer.parameters import Document, ParameterSource, SourceError
from bouncer.rule import Mode, Rule, read_rule
from bouncer.settings import Settings
from bouncer_local.doctor.case import Case
from bouncer_local.doctor.finding import Finding, Findings, ok, problem, warning

_RULE = "rules"
_SETTINGS = "settings"


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
            yield from _faults(_RULE, error)
    where = f"below {case.deployment.prefix}/rules/"
    if not documents:
        remedy = f"bouncer replay rules on your mail, then put them {where}NAME"
        yield warning(_RULE, f"none {where}, so every mail is accepted", remedy)
    elif len(valid) == len(documents):
        yield ok(_RULE, f"{len(valid)} {where}, all valid{_modes(valid)}")
    for rule in valid:
        if rule.rejection and rule.rejection.sender:
            yield from _may_send(case, _RULE, f"{rule.name} bounces", rule.rejection.sender)


def _faults(check: str, error: DocumentError) -> Findings:
    remedy = "correct the parameter; until then its last valid version holds, or it is left out"
    return (problem(check, str(fault), remedy) for fault in error.problems)


def _modes(rules: Iterable[Rule]) -> str:
    count = Counter(rule.mode for rule in rules)
    words = [f"{count[mode]} {mode}" for mode in (Mode.SHADOW, Mode.OFF) if count[mode]]
    return f" ({', '.join(words)})" if words else ""


def _settings(case: Case, document: Document | None) -> Findings:
    """What holds: those of cdk.json, and the parameter's over them."""
    parameter = f"{case.deployment.prefix}/settings"
    try:
        settings = Settings().overlaid(json.dumps(case.deployment.runtime), document="cdk.json")
        if document:
            settings = settings.overlaid(document.text, document=document.label)
    except DocumentError as error:
        yield from _faults(_SETTINGS, error)
        return
    if document:
        yield ok(_SETTINGS, f"{document.label} is valid")
    else:
        yield ok(_SETTINGS, f"no {parameter}, those of cdk.json hold")
    if settings.mode is not Mode.ENFORCE:
        found = f"mode is {settings.mode}, so nothing is rejected"
        yield warning(_SETTINGS, found, f"set mode: enforce in {parameter}, if that is unwanted")
    if not settings.sending:
        remedy = f"set sending: on in {parameter}, if that is unwanted"
        yield warning(_SETTINGS, "sending is paused, so no bounce is sent", remedy)
    if settings.bounce_sender:
        yield from _may_send(case, _SETTINGS, "bounces come", settings.bounce_sender)


def _may_send(case: Case, check: str, what: str, sender: str) -> Iterable[Finding]:
    """The worker's role may send from the addresses of cdk.json alone."""
    address = mailbox_address(sender)
    if address in case.deployment.senders:
        return ()
    found = f"{what} from {address}, which the worker may not send from"
    remedy = f"add {address} to further_senders in cdk.json and run cdk deploy"
    return (problem(check, found, remedy),)
