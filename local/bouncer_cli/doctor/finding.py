"""A finding: the state a check saw, its level, and the next step in one sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """The weight of a finding: nothing to do, worth a look, or mail not handled as configured."""

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

# CloudFormation does not check that its resources still exist: deploying again changes nothing.
REPAIR = "somebody deleted or changed it by hand: restore it as docs/deploy.md#repair says"
NOT_KNOWN = "allow cloudformation:DescribeStacks to these credentials to know if it should exist"


def ok(check: str, found: str) -> Finding:
    """Return a finding with nothing to do."""
    return Finding(check=check, level=Level.OK, found=found)


def warning(check: str, found: str, next_step: str) -> Finding:
    """Return a finding that is worth a look, or says that something is not known."""
    return Finding(check=check, level=Level.WARNING, found=found, next_step=next_step)


def problem(check: str, found: str, next_step: str) -> Finding:
    """Return a finding that mail is not handled as configured, or a deployment would fail."""
    return Finding(check=check, level=Level.PROBLEM, found=found, next_step=next_step)


def some(names: list[str], most: int = 5) -> str:
    """Return the first names and the number of the others; without names, "everybody"."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "everybody") + more
