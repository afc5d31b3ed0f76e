"""Counts results for the line that ends a table."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from bouncer.rules.rule import Action
from bouncer_cli.replay import Result
from bouncer_cli.replay_guesses import Guesses
from bouncer_cli.replay_report import clean


class Summary:
    """The number of mails, by action and by the end of their bounce and their replies."""

    def __init__(self) -> None:
        self.total = 0
        self.errors = 0
        self.guesses = Guesses()
        self._actions: Counter[str] = Counter()
        self._went_on: Counter[str] = Counter()
        self._bounces: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._replies: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, result: Result) -> None:
        """Count one result."""
        self.total += 1
        self.errors += result.error is not None
        if result.bounce.status != "none":
            self._bounces[result.bounce.status][clean(result.bounce.reason or "")] += 1
        for end in result.replies:
            self._replies[end.status][clean(end.reason or "")] += 1
        if result.judgement is not None:
            self.guesses.add(result.judgement)
            if result.judgement.went_on:
                self._went_on[result.judgement.went_on] += 1
            actions = {str(decision.action or "no rule") for decision in result.judgement.decisions}
            self._actions[next(iter(actions)) if len(actions) == 1 else "mixed"] += 1

    def __str__(self) -> str:
        mails = "1 mail" if self.total == 1 else f"{self.total} mails"
        order = (*map(str, Action), "mixed", "no rule")
        words = {"accept": "accepted", "reject": "rejected", "drop": "dropped", "reply": "replied"}
        actions = [
            f"{self._actions[key]} {words.get(key, key)}" for key in order if self._actions[key]
        ]
        if self.errors:
            actions.append(f"{self.errors} not read")
        ends = _ends("bounces", self._bounces) + _ends("replies", self._replies)
        return f"{mails}: {', '.join(actions)}{ends}{self._gone_on()}{self.guesses}"

    def _gone_on(self) -> str:
        """Return the number of mails that go on because too little is known to answer them."""
        count = self._went_on.total()
        if not count:
            return ""
        words = "rejected mail goes on" if count == 1 else "rejected mails go on"
        return f"; {count} {words} ({_list(self._went_on)})"


def _ends(kind: str, counts: Mapping[str, Counter[str]]) -> str:
    """Return the ends of bounces or replies: `; replies: 3 queued`."""
    ends = [_counted(status, reasons) for status, reasons in sorted(counts.items())]
    return f"; {kind}: {', '.join(ends)}" if ends else ""


def _counted(status: str, reasons: Counter[str]) -> str:
    """Return the number of a status and of its reasons: `3 withheld (2 lists, 1 spam)`."""
    detail = _list(reasons)
    return f"{reasons.total()} {status}" + (f" ({detail})" if detail else "")


def _list(reasons: Counter[str]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in reasons.most_common() if reason)
