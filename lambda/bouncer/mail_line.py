"""The `mail` line of the journal: what it says and counts of one received mail."""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from bouncer.judge import Judgement
from bouncer.metric_names import Metric, withheld_for
from bouncer.operator_settings import Settings
from bouncer.rules.rule import Action

_ACTIONS = {
    None: Metric.UNMATCHED,
    Action.ACCEPT: Metric.ACCEPTED,
    Action.REJECT: Metric.REJECTED,
    Action.DROP: Metric.DROPPED,
}


class QueueAnswer(StrEnum):
    """The answer of the queue to one job of the intake, as the `mail` line has it."""

    TAKEN = "taken"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # no answer came: the job may be on the queue, and its bounce be sent
    NOT_ASKED = "not_asked"  # a job before it was not taken


def mail_fields(
    judgement: Judgement,
    settings: Settings,
    *,
    revision: str,
    answers: Sequence[QueueAnswer],
    kept: str,
) -> dict[str, Any]:
    """Return the members of the line; `Journal.mail` says what the arguments are."""
    shown = settings.addresses
    fields: dict[str, Any] = {
        "message_id": judgement.message.message_id,
        "sender": shown.address(judgement.message.sender),
        "decisions": [
            {
                "recipient": shown.address(decision.recipient),
                "action": decision.action,
                "rule": decision.rule.name if decision.rule else None,
                "shadow": [rule.name for rule in decision.shadow],
                "withheld": judgement.withheld.get(decision.recipient),
            }
            for decision in judgement.decisions
        ],
        "disposition": judgement.disposition,
        "went_on": judgement.went_on,
        "mode": settings.mode,
        "revision": revision,
        "references": [job.reference for job in judgement.jobs],
        "queue_answers": answers,
    }
    fields |= {**judgement.passed_over, **({"kept": kept} if kept else {})}
    if judgement.completed:
        fields["headers_completed"] = True
    if unknown := _unknown(judgement):  # rules whose list or content is missing
        fields["unknown"] = sorted(set(unknown))
        if (content := judgement.message.content) and content.bounds:
            fields["bounds"] = list(content.bounds)
    return fields


def _unknown(judgement: Judgement) -> list[str]:
    """Return the rules that are unknown for one recipient or several, once for each."""
    return [rule.name for each in judgement.decisions for rule in each.unknown]


def mail_counts(judgement: Judgement, answers: Sequence[QueueAnswer]) -> dict[str, int]:
    """Return the metrics of one mail; `answers` are the queue's to each of its jobs."""
    metrics: dict[str, int] = {Metric.MAILS: 1}
    for decision in judgement.decisions:
        name = _ACTIONS[decision.action]
        metrics[name] = metrics.get(name, 0) + 1
        if decision.shadow:
            shadows = metrics.get(Metric.SHADOW_MATCHES, 0) + len(decision.shadow)
            metrics[Metric.SHADOW_MATCHES] = shadows
    if judgement.withheld:
        metrics |= withheld_counts(judgement.withheld.values())
    if judgement.jobs:
        answered = zip(judgement.jobs, answers, strict=True)
        taken = [job for job, answer in answered if answer is QueueAnswer.TAKEN]
        if taken:
            metrics[Metric.QUEUED] = sum(len(job.refusals) for job in taken)
    if judgement.went_on:
        metrics[Metric.WENT_ON] = 1
    if unknown := _unknown(judgement):
        metrics[Metric.UNKNOWN_CONDITIONS] = len(unknown)
    return metrics


def withheld_counts(reasons: Iterable[str]) -> dict[str, int]:
    """Return the metrics of bounces that are withheld for these reasons."""
    counts = Counter(map(withheld_for, reasons))
    return {Metric.WITHHELD: counts.total(), **counts}
