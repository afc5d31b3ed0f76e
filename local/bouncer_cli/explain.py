"""Explains the decision about one mail: the answer first, then what it rests on.

A brief explanation has the rules that matched with the conditions that held, and the guard's
findings; of everything else it has the number. A full one has every rule, condition and reason.
"""

from collections import defaultdict
from collections.abc import Iterator

from bouncer import guard
from bouncer.judge import Judgement, guard_context
from bouncer.mail.message import RECIPIENTS, SENDER, VERDICTS, Message
from bouncer.operator_settings import Settings
from bouncer.reasons import GUARD_REASONS
from bouncer.rules.condition import leaves
from bouncer.rules.rule import Action, Mode, Rule
from bouncer.rules.ruleset import Decision, Ruleset, ends_unknown, in_force
from bouncer_cli.explain_conditions import (
    INDENT,
    Facts,
    clean,
    every_part,
    facts_of,
    held_parts,
    holds,
    leaf_text,
    listed,
    mark,
    missing,
)

_ANSWERED = (Action.REJECT, Action.REPLY)  # the guard is asked whether they may be
_MOST_NAMES = 5  # of a message's authors and subjects in a brief explanation


def explain(
    judgement: Judgement,
    ruleset: Ruleset,
    settings: Settings,
    *,
    full: bool = False,
    goes_on: bool = False,
) -> Iterator[str]:
    """Yield the lines of an explanation.

    With `goes_on`, mail goes on that would be bounced, as sending is held (`judge`).
    """
    answers = _every_answer if full else _brief_answers
    yield from answers(judgement, ruleset, settings, goes_on=goes_on)
    yield from _disposition(judgement, settings)
    yield ""
    yield from _message(judgement.message, None if full else _MOST_NAMES)
    if judgement.completed:
        yield f"{INDENT}SES cut the headers: the stored copy of the mail has the others"
    if not full:
        yield ""
        yield "--explain=full shows every rule, condition and reason."


def _brief_answers(
    judgement: Judgement, ruleset: Ruleset, settings: Settings, *, goes_on: bool
) -> Iterator[str]:
    """Yield one answer for all recipients that were decided alike."""
    alike: defaultdict[tuple[object, ...], list[Decision]] = defaultdict(list)
    for decision in judgement.decisions:
        rules = (decision.rule, *decision.shadow, None, *decision.unknown)
        names = tuple(rule.name if rule else "" for rule in rules)
        unanswered = {**judgement.withheld, **judgement.unreplied}
        alike[(*names, unanswered.get(decision.recipient))].append(decision)
    for decisions in alike.values():
        yield from _brief_answer(decisions, ruleset, judgement.message)
        if decisions[0].action in _ANSWERED:
            yield from _guard(decisions[0], ruleset, judgement.message, settings, goes_on=goes_on)


def _brief_answer(decisions: list[Decision], ruleset: Ruleset, message: Message) -> Iterator[str]:
    decision = decisions[0]
    others = f" and {len(decisions) - 1} more" if len(decisions) > 1 else ""
    yield f"recipient {clean(decision.recipient)}{others}: {_outcome(decision)}"
    facts = facts_of(ruleset, message, decision.recipient)
    matched = [*decision.shadow, *([decision.rule] if decision.rule else [])]
    for rule in matched:
        yield _rule(rule, message, matches=True)
        if rule.condition is None:
            yield f"{INDENT * 2}yes every mail (the rule has no conditions)"
        else:
            yield from held_parts(rule.condition, facts, 2)
    for rule in decision.unknown:
        yield _rule(rule, message, matches=None)
        yield from _missing(rule, facts)
    yield from _passed_over(decision, matched, ruleset, message)


def _passed_over(
    decision: Decision, matched: list[Rule], ruleset: Ruleset, message: Message
) -> Iterator[str]:
    """Yield the rules that only their dates keep from matching, and the number of all others."""
    facts = facts_of(ruleset, message, decision.recipient)
    last = decision.rule or decision.ended_by
    asked = ruleset.rules.index(last) + 1 if last else len(ruleset.rules)
    told = {rule.name for rule in (*matched, *decision.unknown)}
    others = [rule for rule in ruleset.rules[:asked] if rule.name not in told]
    dated = [
        rule
        for rule in others
        if not in_force(rule, message) and (rule.condition is None or holds(rule.condition, facts))
    ]
    for rule in dated:
        yield _rule(rule, message, matches=False)
    if rest := len(others) - len(dated):
        before = " before it" if last else ""
        yield f"{INDENT}no  {_counted(rest, 'rule')}{before}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _every_answer(
    judgement: Judgement, ruleset: Ruleset, settings: Settings, *, goes_on: bool
) -> Iterator[str]:
    for decision in judgement.decisions:
        yield from _full_answer(decision, ruleset, judgement.message)
        if decision.action in _ANSWERED:
            yield from _guard(
                decision, ruleset, judgement.message, settings, goes_on=goes_on, full=True
            )


def _full_answer(decision: Decision, ruleset: Ruleset, message: Message) -> Iterator[str]:
    yield f"recipient {clean(decision.recipient)}: {_outcome(decision)}"
    facts = facts_of(ruleset, message, decision.recipient)
    passed = {rule.name: rule for rule in (*decision.shadow, *decision.unknown)}
    for rule in ruleset.rules:
        as_asked = passed.get(rule.name, rule)
        yield _rule(as_asked, message, matches=_matches(rule, message, facts))
        if rule.condition is not None:
            yield from every_part(rule.condition, facts, 2)
        if rule in (decision.rule, decision.ended_by):
            yield f"{INDENT}    rules after this one are not asked"
            return


def _outcome(decision: Decision) -> str:
    if decision.ended_by:
        return f"accepted, as {decision.ended_by.name} may match (its condition is unknown)"
    return f"{decision.action} by {decision.rule.name}" if decision.rule else "no rule matches"


def _missing(rule: Rule, facts: Facts) -> Iterator[str]:
    """Yield the conditions of a rule that are unknown, each with the cause."""
    for leaf in dict.fromkeys(leaves(rule.condition) if rule.condition else ()):
        if facts[leaf] is None:
            yield f"{INDENT * 2}{mark(None)} {leaf_text(leaf)} ({missing(leaf, facts)})"


def _rule(rule: Rule, message: Message, *, matches: bool | None) -> str:
    shadow = f" ({rule.recorded_as})" if rule.mode is Mode.SHADOW else ""
    dates = "" if in_force(rule, message) else " (not in force when the mail was received)"
    passed = "the mail goes on" if ends_unknown(rule) else "passed over"
    unknown = f" (unknown, so {passed})" if matches is None else ""
    return f"{INDENT}{mark(matches)} {rule.name}: {rule.action}{shadow}{dates}{unknown}"


def _matches(rule: Rule, message: Message, facts: Facts) -> bool | None:
    if not in_force(rule, message):
        return False
    return rule.condition is None or holds(rule.condition, facts)


def _guard(
    decision: Decision,
    ruleset: Ruleset,
    message: Message,
    settings: Settings,
    *,
    goes_on: bool,
    full: bool = False,
) -> Iterator[str]:
    context = guard_context(message, decision, ruleset, settings, goes_on=goes_on)
    found = dict(guard.findings(message, context._replace(answer=())))
    waived = {reason for reason in found if guard.waived(reason, message, context)}
    withheld = guard.withheld(message, context)
    yield f"{INDENT}guard: " + (f"withheld, {withheld}" if withheld else "may be answered")
    asked = [each for each in GUARD_REASONS if context.for_reply or not each.of_replies]
    for reason in asked:
        line = f"{INDENT * 2}{mark(reason in found)} {reason}"
        if reason in found:
            line += f": {clean(found[reason])}{_answered(reason in waived, reason is withheld)}"
        if full or reason in found:
            yield line
    if not full and found:
        yield f"{INDENT * 2}no  {_counted(len(asked) - len(found), 'other reason')}"


def _answered(waived: bool, held: bool) -> str:  # two facts about one reason
    if not waived:
        return ""
    unless = ", unless something else withholds the bounce" if held else ""
    return f" (the rule or settings answer it{unless})"


def _went_on(judgement: Judgement) -> str:
    reason = judgement.went_on
    return f" ({reason} says nothing about the sender, so the mail goes on)" if reason else ""


def _disposition(judgement: Judgement, settings: Settings) -> Iterator[str]:
    yield f"disposition: {judgement.disposition}" + _went_on(judgement)
    if settings.mode is not Mode.ENFORCE:
        yield f"settings: mode is {settings.mode}, so nothing is stopped or bounced"
    for job in judgement.jobs:
        sender, receiver = clean(job.bounce_sender), clean(job.sender)
        yield f"bounce: from {sender} to {receiver}, reference {job.reference}"
        yield f"{INDENT}{job.explanation or '(without a message: SES writes its own text)'}"
    for reply in judgement.replies:
        sender, receiver = clean(reply.from_), clean(reply.sender)
        yield f"reply: from {sender} to {receiver}, reference {reply.reference}"
        if reply.reply_to:
            yield f"{INDENT}answers go to: {clean(reply.reply_to)}"
        yield f"{INDENT}subject: {clean(reply.subject)}"
        yield from (f"{INDENT}{clean(line)}".rstrip() for line in reply.text.split("\n"))
    if judgement.reply_error:
        yield f"reply: not made, as we {clean(str(judgement.reply_error))}"


def _message(message: Message, most: int | None) -> Iterator[str]:
    yield f"message {clean(message.message_id)}"
    shown = {
        "received": message.received_at.isoformat() if message.received_at else "not known",
        "sender": _sender(message),
        "from": listed(message.from_, most),
        "subject": listed(message.subject, most),
        "source": f"{message.source_ip or 'not known'} ({clean(message.helo or 'no HELO')})",
        "verdicts": ", ".join(f"{name} {clean(message.verdicts[name])}" for name in VERDICTS),
        "dmarc policy": clean(message.dmarc_policy),
    }
    for name, value in shown.items():
        yield f"{INDENT}{name + ':':<14}{value}"
    if RECIPIENTS in message.assumed:
        yield f"{INDENT}the recipients are assumed to be those in To and Cc"
    if message.headers_truncated:
        yield f"{INDENT}SES cut the headers: conditions see only those that are left"


def _sender(message: Message) -> str:
    if message.sender_unknown:
        return "unknown: the mail has no sender in its headers"
    assumed = " (assumed)" if SENDER in message.assumed else ""
    return (clean(message.sender) or "<> (null sender)") + assumed
