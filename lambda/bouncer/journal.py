"""What is logged and counted: one function per event, one JSON line each, its metrics in it.

The line carries an embedded-metric-format document made by Powertools, so CloudWatch reads both
from it. The list of events, fields and metrics is closed; subjects and bodies of mails never stand
here. Writing never raises: a mail must not suffer from its log. A logger would cost as much as the
decision the line tells of, and a level set from outside would hide mails and their metrics.
"""

import json
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import IO, Any

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)

from bouncer.jobs.job import Job
from bouncer.judge import Judgement
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.rules.rule import Action
from bouncer.sources.loader import Loaded

NAMESPACE = "SesAutoBouncer"

_UNITS = {"WaitTime": "Milliseconds"}
_ACTIONS = {
    None: "Unmatched",
    Action.ACCEPT: "Accepted",
    Action.REJECT: "Rejected",
    Action.DROP: "Dropped",
}
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=str)


class Journal:
    """Writes the journal of one function (`service`) of one deployment."""

    def __init__(self, service: str, deployment: str, *, stream: IO[str] | None = None) -> None:
        self._stream = stream
        self._metrics = AmazonCloudWatchEMFProvider(namespace=NAMESPACE, service=service)
        self._metrics.add_dimension("service", service)
        self._dimensions = {"deployment": deployment, "service": service}
        self._request_id = ""
        self._cold = True
        self._told: Loaded | None = None

    def begin(self, request_id: str) -> None:
        """Name the invocation in all lines that follow."""
        self._request_id = request_id

    def mail(self, judgement: Judgement, settings: Settings) -> None:
        """One received mail: every decision, what was queued and what was withheld."""
        metrics = {"Mails": 1}
        for decision in judgement.decisions:
            name = _ACTIONS[decision.action]
            metrics[name] = metrics.get(name, 0) + 1
            if decision.shadow:
                metrics["ShadowMatches"] = metrics.get("ShadowMatches", 0) + len(decision.shadow)
        if judgement.withheld:
            metrics |= _withheld(judgement.withheld.values())
        if judgement.jobs:
            metrics["Queued"] = sum(len(job.refusals) for job in judgement.jobs)
        shown = _Shown(settings)
        fields = {
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
            "mode": settings.mode,
            "references": [job.reference for job in judgement.jobs],
        }
        self._write("mail", fields, metrics)

    def not_mail(self, problem: str) -> None:
        """An event that is no received mail, such as the one SES sends when a rule is made."""
        self._write("not_mail", {"problem": problem}, {"NotMail": 1}, level="warning")

    def intake_failed(self, stage: str, error: Exception, message_id: str | None = None) -> None:
        """An error of ours at intake; the mail was let through."""
        fields = {"stage": stage, "message_id": message_id, **_described(error)}
        self._write("intake_failed", fields, {"IntakeErrors": 1}, level="error")

    def documents(self, loaded: Loaded) -> None:
        """What is wrong with the rules and settings a function goes by, once per load."""
        if loaded is self._told:
            return
        self._told = loaded
        fields = {"problems": loaded.problems}
        if loaded.stale:  # not read again; the last good ones stay in force
            self._write("documents_stale", fields, {"StaleRules": 1}, level="error")
        elif loaded.problems:  # refused; earlier versions stay in force
            count = {"InvalidDocuments": len(loaded.problems)}
            self._write("documents_invalid", fields, count, level="error")

    def sent(self, job: Job, settings: Settings, *, bounce_id: str, wait_s: float) -> None:
        """SES accepted a bounce; `wait_s` is the time since the mail was received."""
        fields = {**_Shown(settings).job(job), "bounce_id": bounce_id}
        self._write("sent", fields, {"Sent": 1, "WaitTime": round(wait_s * 1000)})

    def withheld(self, job: Job, settings: Settings, reason: Reason) -> None:
        """A job was not sent, and why."""
        fields = {**_Shown(settings).job(job), "reason": reason}
        self._write("withheld", fields, _withheld([reason] * len(job.refusals)))

    def failed(self, job: Job, settings: Settings, error: Exception) -> None:
        """SES refused a bounce for good, or its answer never came."""
        fields = {**_Shown(settings).job(job), **_described(error)}
        self._write("failed", fields, {"Failed": 1}, level="error")

    def retried(self, job: Job, error: Exception) -> None:
        """SES did not accept a call; it will be made again."""
        fields = {"reference": job.reference, **_described(error)}
        self._write("retried", fields, {"Retried": 1}, level="warning")

    def handed_back(self, count: int, error: Exception) -> None:
        """The rest of a batch went back to the queue."""
        fields = {"jobs": count, **_described(error)}
        self._write("handed_back", fields, {"HandedBack": count}, level="warning")

    def unreadable_job(self, record_id: str, error: Exception) -> None:
        """A queue message that is no job; it was moved to the dead-letter queue."""
        fields = {"record": record_id, **_described(error)}
        self._write("unreadable_job", fields, {"UnreadableJobs": 1}, level="error")

    def worker_failed(self, stage: str, error: Exception, reference: str | None = None) -> None:
        """An error of ours in the worker that does not change the outcome of the job."""
        fields = {"stage": stage, "reference": reference, **_described(error)}
        self._write("worker_failed", fields, {"WorkerErrors": 1}, level="error")

    def _write(
        self,
        event: str,
        fields: Mapping[str, Any],
        metrics: Mapping[str, int],
        *,
        level: str = "info",
    ) -> None:
        try:
            cold = {"ColdStarts": 1} if self._cold else {}
            self._cold = False
            line = {
                "level": level.upper(),
                "message": event,
                "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "request_id": self._request_id,
                **fields,
                **self._embedded({**metrics, **cold}),
            }
            stream = self._stream or sys.stdout
            stream.write(f"{_ENCODER.encode(line)}\n")
            stream.flush()
        except Exception as error:  # noqa: BLE001  # the journal must not break what it tells of
            print(f'{{"message": "journal_failed", "error": "{type(error).__name__}"}}')  # noqa: T201

    def _embedded(self, metrics: Mapping[str, int]) -> dict[str, Any]:
        """The metrics as a document of CloudWatch's "Embedded metric format"."""
        document = self._metrics.serialize_metric_set(
            metrics={
                name: {"Unit": _UNITS.get(name, "Count"), "Value": [value]}
                for name, value in metrics.items()
            },
            dimensions=self._dimensions,
        )
        return dict(document)


class _Shown:
    """Addresses as the settings allow them to be shown."""

    def __init__(self, settings: Settings) -> None:
        self._masked = settings.mask_addresses

    def address(self, address: str) -> str:
        if not self._masked or "@" not in address:
            return address
        local, _, domain = address.rpartition("@")
        return f"{local[:1]}***@{domain}"

    def job(self, job: Job) -> dict[str, Any]:
        return {
            "reference": job.reference,
            "message_id": job.message_id,
            "sender": self.address(job.sender),
            "recipients": [self.address(recipient) for recipient in job.recipients],
            "rules": sorted({refusal.rule for refusal in job.refusals}),
        }


def _withheld(reasons: Iterable[Reason]) -> dict[str, int]:
    counts = Counter(f"Withheld_{reason}" for reason in reasons)
    return {"Withheld": counts.total(), **counts}


def _described(error: Exception) -> dict[str, str]:
    """An error in two fields: what, and the line of ours it came from. Never a whole traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return {"error": f"{type(error).__name__}: {error}"[:1000], "where": where}
