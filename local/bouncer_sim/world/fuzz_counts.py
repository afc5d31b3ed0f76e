"""Prints how often each target of the fuzzers was run; a checkout has the counts with its tests."""

import json
from collections.abc import Iterator
from pathlib import Path

COUNTS = Path(__file__).parents[3] / "tests" / "fuzz" / "counts.json"


def fuzzed(counts: Path = COUNTS) -> Iterator[str]:
    """Yield the executions of each target, in all, and the CPU time that they took."""
    if not counts.is_file():
        yield f"fuzz executions: not known here ({counts.name} is in a checkout only)"
        return
    kept = json.loads(counts.read_text(encoding="utf-8"))
    executions = kept["executions"]
    yield (
        f"fuzz executions until {kept['until']}: {sum(executions.values()):,}"
        f" in {kept['cpu_hours']} hours of CPU time"
    )
    yield from (f"  {number:>12,}  {name}" for name, number in executions.items())
