"""A job as the body of a queue message: ASCII JSON, with the version of its form as `v`."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bouncer.jobs.job import DsnFields, Fields, Job, JobError, Refusal

VERSION = 1


def to_json(job: Job) -> str:
    """Return the job as a queue message body."""
    members = asdict(job)
    members["received_at"] = job.received_at.isoformat()
    return json.dumps({"v": VERSION, **members}, separators=(",", ":"))


def from_json(text: str) -> Job:
    """Return the job in a queue message body; raises `JobError` for every other body."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        raise JobError("found a body that is not JSON, expected a job") from None
    if not isinstance(members, dict) or members.pop("v", None) != VERSION:
        raise JobError(f"found another kind of body, expected a job of version {VERSION}")
    try:
        return _job(members)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise JobError(
            f"found a job with unreadable members ({error!r:.200}), expected a whole one"
        ) from error


def _job(members: dict[str, Any]) -> Job:
    moment = datetime.fromisoformat(members.pop("received_at")).astimezone(UTC)
    refusals = tuple(_refusal(item) for item in members.pop("refusals"))
    return Job(
        received_at=moment,
        refusals=refusals,
        extension_fields=_pairs(members.pop("extension_fields")),
        messages=_pairs(members.pop("messages")),
        **members,
    )


def _refusal(members: dict[str, Any]) -> Refusal:
    dsn = members.pop("dsn")
    return Refusal(dsn=_dsn(dsn) if dsn else None, **members)


def _dsn(members: dict[str, Any]) -> DsnFields:
    return DsnFields(extension_fields=_pairs(members.pop("extension_fields")), **members)


def _pairs(items: Iterable[tuple[str, str]]) -> Fields:
    return tuple((str(name), str(value)) for name, value in items)
