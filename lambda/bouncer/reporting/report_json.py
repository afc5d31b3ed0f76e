"""A report as values for JSON: all of its counts, what needs a person, and what is not known."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from bouncer.reporting.report import Report, RuleLine


def report_values(report: Report) -> dict[str, Any]:
    """Return the report; null stands for what is not known."""
    standing, counts = report.standing, report.counts
    in_force = standing.in_force
    unknown, columns = report.unknown_columns, set(RuleLine._fields[1:])
    return {
        "deployment": report.deployment,
        "start": report.period.start.isoformat(),
        "end": report.period.end.isoformat(),
        "timezone": report.period.zone,
        "mails": report.mails,
        "bounces": report.bounces,
        "needs": _listed(report.needs),
        "dispositions": _listed(counts.mails),
        "decisions": _listed(counts.decisions),
        "rules": _listed(None if set(unknown) == columns else report.by_rule),
        "withheld": _listed(None if "withheld" in unknown else report.withheld),
        "lines": _listed(counts.lines),
        "failures": _listed(None if counts.lines is None else report.failures),
        "waiting": standing.waiting,
        "oldest_s": standing.oldest_s,
        "dead": dict(standing.dead),
        "alarms": standing.alarms,
        "held": None if in_force is None else [str(cause) for cause in in_force.causes],
        "revision": in_force and in_force.revision,
        "mode": in_force and in_force.mode,
        "problems": in_force and in_force.problems,
        "braked": in_force and in_force.braked,
        "unmatched_rules": report.unmatched_rules,
        "gaps": report.gaps,
    }


def _listed(rows: Sequence[NamedTuple] | None) -> list[dict[str, Any]] | None:
    return None if rows is None else [row._asdict() for row in rows]
