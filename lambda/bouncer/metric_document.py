"""Metrics within a line of the journal, as CloudWatch's "Embedded metric format" has them.

The functions other than the intake have Powertools make the same document
(`bouncer.journal_entry` says why).
"""

from collections.abc import Mapping
from typing import Any

from bouncer.metric_names import NAMESPACE, Metric

Counts = Mapping[str, int] | Mapping[Metric, int]  # values by the metrics' names
Dimensions = Mapping[str, str]

_UNITS: Mapping[str, str] = {Metric.WAIT_TIME: "Milliseconds"}


def unit(metric: str) -> str:
    """Return the unit of a metric, by CloudWatch's name."""
    return _UNITS.get(metric, "Count")


def metric_document(counts: Counts, dimensions: Dimensions, at_ms: int) -> dict[str, Any]:
    """Return the members that make a JSON line carry metrics; `at_ms` counts from the Unix epoch.

    Without counts these are the dimensions alone, as CloudWatch refuses an empty list of metrics.
    Source: CloudWatch User Guide, "Specification: Embedded metric format".
    """
    if not counts:
        return dict(dimensions)
    return {
        "_aws": {
            "Timestamp": at_ms,
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [list(dimensions)],
                    "Metrics": [{"Name": name, "Unit": unit(name)} for name in counts],
                }
            ],
        },
        **dimensions,
        **{name: [value] for name, value in counts.items()},
    }
