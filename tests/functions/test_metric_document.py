"""Metrics in a line of the journal are what Powertools makes of them, for any counts."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bouncer.aws.powertools_metrics import powertools_document
from bouncer.metric_document import metric_document
from bouncer.metric_names import DEPLOYMENT, SERVICE, Metric, withheld_for
from bouncer.reasons import Reason

NAMES = [str(metric) for metric in Metric] + [withheld_for(reason) for reason in Reason]
COUNTS = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 10**12), min_size=1)


@given(COUNTS, st.text(), st.sampled_from(["intake", "worker"]), st.integers(1, 2**45))
def test_equals_the_document_of_powertools(
    counts: dict[str, int], deployment: str, service: str, at_ms: int
) -> None:
    dimensions = {DEPLOYMENT: deployment, SERVICE: service}
    ours = json.dumps(metric_document(counts, dimensions, at_ms))
    assert ours == json.dumps(powertools_document(counts, dimensions, at_ms))
