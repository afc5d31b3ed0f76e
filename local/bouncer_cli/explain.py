"""Explains for one mail, rule by rule and condition by condition, why it matched or not.

It also shows what the guard found. The answers come from the compiled ruleset itself, so that an
explanation can't differ from a decision.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bouncer import guard
from bouncer.judge import Judgement, guard_context
from bouncer.mail.message import VERDICTS, Message
from bouncer.mail.mime import decode_words
from bouncer.mail.text import printable
from bouncer.operator_settings import Settings
from bouncer.reasons import GUARD_REASONS
from bouncer.rules.condition import HEADER, All, Any, Condition, Leaf, Not, Present, Text, Window
from bouncer.rules.fields import FIELDS
from bouncer.rules.rule import Action, Mode, Rule
from bouncer.rules.ruleset import Decision, Ruleset, in_force

_INDENT = "  "
# Fields whose values stand in the lines about the message or the recipient.
_SHOWN_ABOVE = {
    *("sender", "sender_domain", "recipient", "recipient_domain", "from", "from_domain"),
    *("subject", "source_ip", "helo", *VERDICTS, "dmarc_policy"),
}


def explain(judgement: Judgement, ruleset: Ruleset, settings: Settings) -> Iterator[str]:
    """Yield the lines of an explanation."""
    message = judgement.message
    yield from _message(message)
    if settings.mode is not Mode.ENFORCE:
        yield f"settings: mode is {settings.mode}, so nothing is stopped or bounced"
    for decision in judgement.decisions:
        yield ""
        yield from _recipient(decision, ruleset, message)
        if decision.action is Action.REJECT:
            yield from _guard(decision, ruleset, message, settings)
    yield ""
    yield f"disposition: {judgement.disposition}" + _went_on(judgement)
    for job in judgement.jobs:
        yield f"bounce: from {job.bounce_sender} to {_clean(job.sender)}, reference {job.reference}"
        yield f"{_INDENT}{job.explanation or '(without a message: SES writes its own text)'}"


def _message(message: Message) -> Iterator[str]:
    yield f"message {_clean(message.message_id)}"
    shown = {
        "received": message.received_at.isoformat() if message.received_at else "not known",
        "sender": _clean(message.sender) or "<> (null sender)",
        "from": ", ".join(map(_clean, message.from_)),
        "subject": ", ".join(map(_clean, message.subject)),
        "source": f"{message.source_ip or 'not known'} ({_clean(message.helo or 'no HELO')})",
        "verdicts": ", ".join(f"{name} {message.verdicts[name]}" for name in VERDICTS),
        "dmarc policy": message.dmarc_policy,
    }
    for name, value in shown.items():
        yield f"{_INDENT}{name + ':':<14}{value}"
    if message.headers_truncated:
        yield f"{_INDENT}SES cut the headers: conditions see only those that are left"


def _recipient(decision: Decision, ruleset: Ruleset, message: Message) -> Iterator[str]:
    outcome = f"{decision.action} by {decision.rule.name}" if decision.rule else "no rule matches"
    yield f"recipient {_clean(decision.recipient)}: {outcome}"
    facts = ruleset.facts(message, decision.recipient)
    for rule in ruleset.rules:
        matches = _matches(rule, message, facts)
        notes = _mode(rule) + _dates(rule, message)
        yield f"{_INDENT}{_mark(matches)} {rule.name}: {rule.action}{notes}"
        if rule.condition is not None:
            yield from _condition(rule.condition, facts, message, 2)
        if rule is decision.rule:
            yield f"{_INDENT}    rules after this one are not asked"
            return


def _matches(rule: Rule, message: Message, facts: Mapping[Leaf, bool]) -> bool:
    return in_force(rule, message) and (rule.condition is None or holds(rule.condition, facts))


def holds(condition: Condition, facts: Mapping[Leaf, bool]) -> bool:
    """Tell whether a condition holds, given the answer to each of its leaves."""
    match condition:
        case All(parts):
            return all(holds(part, facts) for part in parts)
        case Any(parts):
            return any(holds(part, facts) for part in parts)
        case Not(part):
            return not holds(part, facts)
        case _:
            return facts[condition]


def _condition(
    condition: Condition, facts: Mapping[Leaf, bool], message: Message, depth: int
) -> Iterator[str]:
    start = f"{_INDENT * depth}{_mark(holds(condition, facts))} "
    match condition:
        case All(parts) | Any(parts):
            yield start + ("all of" if isinstance(condition, All) else "any of")
            for part in parts:
                yield from _condition(part, facts, message, depth + 1)
        case Not(part):
            yield start + "not"
            yield from _condition(part, facts, message, depth + 1)
        case _:
            found = ", ".join(map(_clean, found_values(condition, message)))
            yield start + str(condition) + (f" (found {found})" if found else "")


def found_values(leaf: Leaf, message: Message) -> list[str]:
    """Return the values a leaf was compared with, unless the lines above show them."""
    match leaf:
        case Present():
            return []
        case Text(field) if field.startswith(HEADER):
            return list(map(decode_words, message.header(field.removeprefix(HEADER))))
    if leaf.field in _SHOWN_ABOVE:
        return []
    values = FIELDS[leaf.field].values(message)
    if isinstance(leaf, Window):
        return [f"{moment.astimezone(leaf.zone):%a %H:%M}" for moment in values]
    return list(map(str, values))


def _mark(held: bool) -> str:
    return "yes" if held else "no "


def _mode(rule: Rule) -> str:
    return " (shadow)" if rule.mode is Mode.SHADOW else ""


def _dates(rule: Rule, message: Message) -> str:
    return "" if in_force(rule, message) else " (not in force when the mail was received)"


def _went_on(judgement: Judgement) -> str:
    reason = judgement.went_on
    return f" ({reason} says nothing about the sender, so the mail goes on)" if reason else ""


def _guard(
    decision: Decision, ruleset: Ruleset, message: Message, settings: Settings
) -> Iterator[str]:
    context = guard_context(message, decision, ruleset, settings)
    found = dict(guard.findings(message, replace(context, answer=())))
    waived = {reason for reason in found if guard.waived(reason, message, context)}
    withheld = next((reason for reason in found if reason not in waived), None)
    yield f"{_INDENT}guard: " + (f"withheld, {withheld}" if withheld else "may be answered")
    for reason in GUARD_REASONS:
        line = f"{_INDENT * 2}{_mark(reason in found)} {reason}"
        if reason in found:
            answered = " (the rule or settings answer it)" if reason in waived else ""
            line += f": {_clean(found[reason])}{answered}"
        yield line


def _clean(text: str) -> str:
    return printable(text, 300)
