"""The cells of a result, by the names of their columns."""

from collections import Counter
from collections.abc import Iterable

from bouncer.judge import Judgement
from bouncer.mail.message import RECIPIENTS, SENDER, Message
from bouncer.rules.ruleset import Decision
from bouncer_cli.replay import Result
from bouncer_cli.replay_layout import ASSUMED, BOUNCE, DECISION, FROM, MAIL, TO
from bouncer_cli.replay_report import clean


def cells_of(result: Result) -> dict[str, str]:
    """Return the cells of a result, by the names of their columns."""
    judgement = result.judgement
    decisions = judgement.decisions if judgement else ()
    return {
        MAIL: clean(result.source),
        FROM: _sender(judgement.message) if judgement else "<>",
        TO: _recipients(judgement) if judgement else "nobody",
        DECISION: _decided(decisions),
        BOUNCE: _bounced(result),
    }


def _sender(message: Message) -> str:
    """Return the sender for a row: `<>` is the null sender, `unknown` one that nothing names."""
    if message.sender_unknown:
        return "unknown"
    assumed = ASSUMED if SENDER in message.assumed else ""
    return (clean(message.sender) or "<>") + assumed


def _recipients(judgement: Judgement) -> str:
    names = [decision.recipient for decision in judgement.decisions]
    if not names:
        return "nobody"
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    assumed = ASSUMED if RECIPIENTS in judgement.message.assumed else ""
    return clean(names[0]) + more + assumed


def _decided(decisions: Iterable[Decision]) -> str:
    """Return each distinct decision once, the most frequent first, with its count."""
    counts = Counter(_verb(decision) for decision in decisions).most_common()
    alone = len(counts) == 1
    texts = [text if alone or count == 1 else f"{count}x {text}" for text, count in counts]
    return ", ".join(texts)


def _verb(decision: Decision) -> str:
    action = f"{decision.action} {decision.rule.name}" if decision.rule else "no rule"
    shadow = ", ".join(f"{rule.action} {rule.name}" for rule in decision.shadow)
    return f"{action} (shadow: {shadow})" if shadow else action


def _bounced(result: Result) -> str:
    bounce = result.bounce
    if bounce.status == "none":
        return ""
    return f"{bounce.status}: {clean(bounce.reason)}" if bounce.reason else bounce.status
