"""Metrics within a line of the journal, as CloudWatch's "Embedded metric format" has them.

Powertools makes the same document, and a test holds the two together. But to import any part of
Powertools costs a cold start of the intake more than 20 ms, and while it starts SES waits with a
mail (docs/decisions/0009-cold-start.md). The other functions use Powertools' own.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bouncer.metric_names import NAMESPACE, Metric

Counts = Mapping[str, int] | Mapping[Metric, int]  # values by the metrics' names
Dimensions = Mapping[str, str]
MetricFormat = Callable[[Counts, Dimensions, int], Mapping[str, Any]]

_UNITS: Mapping[str, str] = {Metric.WAIT_TIME: "Milliseconds"}


def unit(metric: str) -> str:
    """Return the unit of a metric, by CloudWatch's name."""
    return _UNITS.get(metric, "Count")


def metric_document(counts: Counts, dimensions: Dimensions, at_ms: int) -> dict[str, Any]:
    """Return the members that make a JSON line carry metrics; `at_ms` counts from the Unix epoch.

    Source: CloudWatch User Guide, "Specification: Embedded metric format".
    """
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
