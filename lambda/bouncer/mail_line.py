"""The `mail` line of the journal: what it says and counts of one received mail."""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from bouncer.journal_address import AddressForm
from bouncer.judge import Judgement
from bouncer.metric_names import Metric, withheld_for
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.rules.rule import Action
from bouncer.rules.ruleset import Decision

if TYPE_CHECKING:
    from bouncer.jobs.reply import Reply

_ACTIONS = {
    None: Metric.UNMATCHED,
    Action.ACCEPT: Metric.ACCEPTED,
    Action.REJECT: Metric.REJECTED,
    Action.DROP: Metric.DROPPED,
    Action.REPLY: Metric.TO_REPLY,
}


class QueueAnswer(StrEnum):
    """The answer of a queue to one job or reply of the intake, as the `mail` line has it."""

    TAKEN = "taken"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # no answer came: the job may be on the queue, and its bounce be sent
    NOT_ASKED = "not_asked"  # a job before it was not taken
    NO_QUEUE = "no_queue"  # the deployment sends no replies


def mail_fields(
    judgement: Judgement,
    settings: Settings,
    *,
    revision: str,
    answers: Sequence[QueueAnswer],
    kept: str,
    replies: Sequence[QueueAnswer] = (),
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
                "withheld": _withheld(judgement, decision),
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
    if judgement.replies:
        fields["replies"] = [*map(partial(_reply, shown), judgement.replies, replies)]
    if unknown := _unknown(judgement):  # rules whose list or content is missing
        fields["unknown"] = sorted(set(unknown))
        if (content := judgement.message.content) and content.bounds:
            fields["bounds"] = list(content.bounds)
    return fields


def _withheld(judgement: Judgement, decision: Decision) -> Reason | None:
    """Return the reason for which the bounce or the reply of a recipient is withheld."""
    unanswered = judgement.unreplied if decision.action is Action.REPLY else judgement.withheld
    return unanswered.get(decision.recipient)


def _reply(shown: AddressForm, reply: "Reply", answer: QueueAnswer) -> dict[str, Any]:
    return {
        "reference": reply.reference,
        "rule": reply.rule,
        "recipients": [*map(shown.address, reply.recipients)],
        "queue_answer": answer,
    }


def _unknown(judgement: Judgement) -> list[str]:
    """Return the rules that are unknown for one recipient or several, once for each."""
    return [rule.name for each in judgement.decisions for rule in each.unknown]


def mail_counts(
    judgement: Judgement, answers: Sequence[QueueAnswer], replies: Sequence[QueueAnswer] = ()
) -> dict[str, int]:
    """Return the metrics of one mail; the answers are those of the queues to jobs and replies."""
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
    if judgement.unreplied or replies:
        metrics |= _reply_counts(judgement, replies)
    if judgement.went_on:
        metrics[Metric.WENT_ON] = 1
    if unknown := _unknown(judgement):
        metrics[Metric.UNKNOWN_CONDITIONS] = len(unknown)
    return metrics


def _reply_counts(judgement: Judgement, answers: Sequence[QueueAnswer]) -> dict[str, int]:
    withheld = len(judgement.unreplied) + answers.count(QueueAnswer.NO_QUEUE)
    counts = {
        Metric.REPLIES_WITHHELD: withheld,
        Metric.REPLIES_QUEUED: answers.count(QueueAnswer.TAKEN),
    }
    return {name: count for name, count in counts.items() if count}


def withheld_counts(reasons: Iterable[str]) -> dict[str, int]:
    """Return the metrics of bounces that are withheld for these reasons."""
    counts = Counter(map(withheld_for, reasons))
    return {Metric.WITHHELD: counts.total(), **counts}
