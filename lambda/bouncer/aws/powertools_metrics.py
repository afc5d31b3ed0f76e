"""Metrics within a line of the journal, made by Powertools."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)

from bouncer.metric_document import Counts, Dimensions, unit
from bouncer.metric_names import NAMESPACE

_PROVIDER = AmazonCloudWatchEMFProvider(namespace=NAMESPACE)


def powertools_document(counts: Counts, dimensions: Dimensions, at_ms: int) -> Mapping[str, Any]:
    """Return what `bouncer.metric_document.metric_document` returns."""
    _PROVIDER.timestamp = at_ms
    metrics = {str(name): {"Unit": unit(name), "Value": [n]} for name, n in counts.items()}
    return dict(_PROVIDER.serialize_metric_set(metrics=metrics, dimensions=dict(dimensions)))
