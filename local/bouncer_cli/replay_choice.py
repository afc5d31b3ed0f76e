"""Chooses the results that a report shows: `replay --only rejected` and its kind."""

from collections.abc import Callable, Mapping

from bouncer.rules.rule import Action
from bouncer_cli.replay import Result
from bouncer_cli.replay_report import Report


def _rejected(result: Result) -> bool:
    decisions = result.judgement.decisions if result.judgement else ()
    return any(decision.action is Action.REJECT for decision in decisions)


def _replied(result: Result) -> bool:
    decisions = result.judgement.decisions if result.judgement else ()
    return any(decision.action is Action.REPLY for decision in decisions)


def _bounced(result: Result) -> bool:
    return result.bounce.status in ("queued", "sent")


def _withheld(result: Result) -> bool:
    """Tell whether a bounce or a reply, or that of one of several recipients, is withheld."""
    acting = result.bounce.status != "none"
    some = acting and result.judgement is not None and bool(result.judgement.withheld)
    ends = (result.bounce.status, *(end.status for end in result.replies))
    return some or "withheld" in ends


def _shadow(result: Result) -> bool:
    decisions = result.judgement.decisions if result.judgement else ()
    return any(decision.shadow for decision in decisions)


CHOICES: Mapping[str, Callable[[Result], bool]] = {
    "rejected": _rejected,
    "bounced": _bounced,
    "replied": _replied,
    "withheld": _withheld,
    "shadow": _shadow,
}


class ChosenReport:
    """Passes the chosen results on; an input that was not read is always shown."""

    def __init__(self, report: Report, only: str) -> None:
        self._report = report
        self._chosen = CHOICES[only]
        self.shown = 0

    def add(self, result: Result) -> None:
        """Show a result if it is chosen."""
        if result.error is not None or self._chosen(result):
            self.shown += result.error is None
            self._report.add(result)

    def close(self) -> None:
        """Show the chosen results that are not shown yet."""
        self._report.close()
