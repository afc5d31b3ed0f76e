"""Checks if SES could refuse unknown mailboxes itself, in SMTP and without a bounce.

A rule that rejects all of a domain but some mailboxes knows every mailbox. Named as recipients of
the receipt rule, these leave nothing to bounce: SES refuses an address that no rule names.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta

from bouncer.errors import DocumentError
from bouncer.mail.address import domain
from bouncer.metric_names import DEPLOYMENT, NAMESPACE, SERVICE, Metric
from bouncer.rules.condition import All, Any, Condition, Matcher, Not, Text, leaves
from bouncer.rules.rule import Action, Mode, Rule
from bouncer.rules.rule_reader import read_rule
from bouncer.sources.parameters import ParameterSource
from bouncer.sources.source import Document, SourceError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import Findings, ok, warning

_CHECK = "unknown mailboxes"
_MOST_RECIPIENTS = 100  # of a receipt rule (SES Developer Guide, service quotas)
_DAYS = 30


def unknown_mailboxes(context: CheckContext) -> Findings:
    """Report rules whose bounces SES could save, with the bounces of the last 30 days."""
    if not context.stack.deployed:
        return
    rules = list(_rules(context))
    for name in context.deployment.recipients:
        closing = next((rule for rule in rules if _mailboxes(rule, name)), None)
        if closing is None:
            continue
        others = len(context.deployment.recipients) - 1
        named = _mailboxes(closing, name) | _addresses(rules, name)
        if len(named) + others <= _MOST_RECIPIENTS:
            yield from _saving(context, closing, name, len(named))


def _saving(context: CheckContext, rule: Rule, name: str, mailboxes: int) -> Findings:
    found = f"{rule.name} and the other rules name {mailboxes} addresses of {name}"
    sent = _sent(context)
    if not sent:
        yield ok(_CHECK, f"{found}; no bounce was sent in the last {_DAYS} days")
        return
    saved = f"{found}: as recipients, they would have saved at most {sent} bounces in {_DAYS} days"
    remedy = (
        "read README.md#if-you-can-name-all-mailboxes; the saved query bounces-by-rule has the "
        f"bounces of {rule.name} alone"
    )
    yield warning(_CHECK, saved, remedy)


def _rules(context: CheckContext) -> Iterator[Rule]:
    try:
        documents = ParameterSource(context.account.client("ssm"), context.deployment.prefix).read()
    except SourceError as error:
        raise context.account.meaning("ssm", "get_parameters_by_path", error.__cause__) from error
    yield from _valid(documents.rules)


def _valid(documents: Mapping[str, Document]) -> Iterator[Rule]:
    """Yield the rules that can be read; the check of rules reports the others."""
    for name, document in documents.items():
        with suppress(DocumentError):
            yield read_rule(name, document.text, document=document.label)


def _mailboxes(rule: Rule, name: str) -> set[str]:
    """Return the mailboxes of a domain, if the rule rejects everything else there; else nothing."""
    if rule.action is not Action.REJECT or rule.mode is not Mode.ENFORCE or not rule.condition:
        return set()
    parts = list(_needed(rule.condition))
    spared = [part.part for part in parts if isinstance(part, Not)]
    rest = [part for part in parts if not isinstance(part, Not)]
    if rest != [Text("recipient_domain", Matcher.EQUALS, name.lower())] or len(spared) != 1:
        return set()
    alternatives = list(_alternatives(spared[0]))
    named = {_address(part) for part in alternatives} - {""}
    return named if len(named) == len(set(alternatives)) else set()


def _needed(condition: Condition) -> Iterator[Condition]:
    """Yield the parts that must all hold."""
    match condition:
        case All(parts):
            for part in parts:
                yield from _needed(part)
        case Any((only,)):
            yield from _needed(only)
        case _:
            yield condition


def _alternatives(condition: Condition) -> Iterator[Condition]:
    """Yield the parts of which one must hold."""
    match condition:
        case Any(parts) | All((_,) as parts):
            for part in parts:
                yield from _alternatives(part)
        case _:
            yield condition


def _address(condition: Condition) -> str:
    match condition:
        case Text("recipient", Matcher.EQUALS, pattern):
            return pattern.lower()
    return ""


def _addresses(rules: Iterable[Rule], name: str) -> set[str]:
    """Return the addresses of a domain that any rule names; a rule may answer them differently."""
    found = {
        _address(leaf)
        for rule in rules
        if rule.condition is not None and rule.mode is not Mode.OFF
        for leaf in leaves(rule.condition)
    }
    return {address for address in found if domain(address) == name.lower()}


def _sent(context: CheckContext) -> int:
    """Return the bounces of all rules in the last 30 days: the metric is not kept by rule."""
    answer = context.account.ask(
        "cloudwatch",
        "get_metric_statistics",
        Namespace=NAMESPACE,
        MetricName=Metric.SENT,
        Dimensions=[
            {"Name": DEPLOYMENT, "Value": context.deployment.name},
            {"Name": SERVICE, "Value": "worker"},
        ],
        StartTime=context.now - timedelta(days=_DAYS),
        EndTime=context.now,
        Period=24 * 3600,
        Statistics=["Sum"],
    )
    return int(sum(point.get("Sum", 0.0) for point in answer.get("Datapoints", [])))
