"""The cells of a result, by the names of their columns."""

from collections import Counter
from collections.abc import Iterable

from bouncer.judge import Judgement
from bouncer.mail.message import RECIPIENTS, SENDER, Message
from bouncer.rules.ruleset import Decision
from bouncer_cli.replay import ReplyEnd, Result
from bouncer_cli.replay_layout import BOUNCE, DECISION, FROM, MAIL, TO, Cell
from bouncer_cli.replay_report import clean

_ASSUMED = " (assumed)"
_ASSUMED_SHORT = "?"
_GOES_ON = "mail goes on"


def cells_of(result: Result) -> dict[str, Cell]:
    """Return the cells of a result, by the names of their columns."""
    judgement = result.judgement
    decisions = judgement.decisions if judgement else ()
    return {
        MAIL: Cell(clean(result.source)),
        FROM: _sender(judgement.message) if judgement else Cell("<>"),
        TO: _recipients(judgement) if judgement else Cell("nobody"),
        DECISION: Cell(_decided(decisions)),
        BOUNCE: _sent(result),
    }


def _sender(message: Message) -> Cell:
    """Return the sender for a row: `<>` is the null sender, `unknown` one that nothing names."""
    if message.sender_unknown:
        return Cell("unknown")
    return _address(clean(message.sender) or "<>", assumed=SENDER in message.assumed)


def _recipients(judgement: Judgement) -> Cell:
    names = [decision.recipient for decision in judgement.decisions]
    if not names:
        return Cell("nobody")
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return _address(clean(names[0]), more, assumed=RECIPIENTS in judgement.message.assumed)


def _address(text: str, more: str = "", *, assumed: bool) -> Cell:
    """Return an address, the number of those behind it, and a mark if it is a guess."""
    if not assumed:
        return Cell(text, more, more)
    return Cell(text, more + _ASSUMED, more + _ASSUMED_SHORT)


def _decided(decisions: Iterable[Decision]) -> str:
    """Return each distinct decision once, the most frequent first, with its count."""
    counts = Counter(_verb(decision) for decision in decisions).most_common()
    alone = len(counts) == 1
    texts = [text if alone or count == 1 else f"{count}x {text}" for text, count in counts]
    return ", ".join(texts)


def _verb(decision: Decision) -> str:
    action = f"{decision.action} {decision.rule.name}" if decision.rule else "no rule"
    notes: dict[str, list[str]] = {}
    for rule in decision.shadow:
        notes.setdefault(rule.recorded_as, []).append(f"{rule.action} {rule.name}")
    for rule in decision.unknown:
        notes.setdefault("unknown", []).append(f"{rule.action} {rule.name}")
    return " ".join((action, *(f"({note}: {', '.join(rules)})" for note, rules in notes.items())))


def _sent(result: Result) -> Cell:
    """Return the state of a bounce and of replies."""
    bounced, replied = _bounced(result), ", ".join(map(_replied, result.replies))
    if not replied or not bounced.text:
        return Cell(replied) if replied else bounced
    return bounced._replace(text=f"{bounced.text}, {replied}")


def _replied(end: ReplyEnd) -> str:
    return f"reply {end.status}: {clean(end.reason)}" if end.reason else f"reply {end.status}"


def _bounced(result: Result) -> Cell:
    """Return the state of a bounce, and the words that the mail goes on if it does so for it."""
    bounce = result.bounce
    if bounce.status == "none":
        return Cell("")
    text = f"{bounce.status}: {clean(bounce.reason)}" if bounce.reason else bounce.status
    reason = result.judgement.went_on if result.judgement else None
    if reason is None:
        return Cell(text)
    goes_on = _GOES_ON if reason == bounce.reason else f"{_GOES_ON}: {reason}"
    return Cell(text, f", {goes_on}", f"\n{goes_on}")
