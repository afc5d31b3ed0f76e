"""A finding: what a check saw, how bad that is, and the next step in one sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad: nothing to do, worth a look, or mail is not handled as configured."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the report; `next_step` is empty only where everything is fine."""

    check: str
    level: Level
    found: str
    next_step: str = ""


Findings = Iterator[Finding]

# CloudFormation does not look whether what it made is still there: deploying again changes nothing.
REPAIR = "somebody deleted or changed it: see docs/deploy.md#repair"
NOT_KNOWN = "allow cloudformation:DescribeStacks to know whether it should be there"


def ok(check: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(check=check, level=Level.OK, found=found)


def warning(check: str, found: str, next_step: str) -> Finding:
    """Worth a look, or not known."""
    return Finding(check=check, level=Level.WARNING, found=found, next_step=next_step)


def problem(check: str, found: str, next_step: str) -> Finding:
    """Mail is not handled as configured, or a deployment would fail."""
    return Finding(check=check, level=Level.PROBLEM, found=found, next_step=next_step)


def some(names: list[str]) -> str:
    """The first five names and how many more there are; no names are everybody."""
    most = 5
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "everybody") + more
