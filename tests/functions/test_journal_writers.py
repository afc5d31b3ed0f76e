"""Both writers of the journal write the same line, for any event; nothing outside changes it."""

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bouncer.aws.powertools_writer import powertools_writer
from bouncer.journal import Journal
from bouncer.journal_entry import Entry, own_writer
from bouncer.metric_names import DEPLOYMENT, SERVICE, Metric, withheld_for
from bouncer.reasons import Reason

NAMES = [str(metric) for metric in Metric] + [withheld_for(reason) for reason in Reason]
TAKEN_BY_LOGGING = ["args", "asctime", "message", "module", "name", "process", "exception", "level"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
DIMENSIONS = {DEPLOYMENT: "d", SERVICE: "worker"}
ENTRIES = st.builds(
    Entry,
    level=st.sampled_from(["info", "warning", "error"]),
    event=st.sampled_from(["mail", "100% %s", "null", '{"a":1}']),
    request_id=st.text(),
    fields=st.dictionaries(st.text() | st.sampled_from(TAKEN_BY_LOGGING), VALUES, max_size=5),
    counts=st.dictionaries(st.sampled_from(NAMES), st.integers(0, 10**12)),
    dimensions=st.text().map(lambda name: DIMENSIONS | {DEPLOYMENT: name}),
)
LONG = Entry("error", "mail", "r", {"problems": ["é" * 9000] * 99}, {Metric.MAILS: 1}, DIMENSIONS)

# One line by Powertools, where the root logger writes everything that reaches it.
WRITE_ONE_LINE = """
import logging, sys
logging.basicConfig(stream=sys.stdout, level=logging.INFO)
from bouncer.aws.powertools_writer import powertools_writer
from bouncer.journal import Journal
Journal("worker", "d", write=powertools_writer("worker")).salt_made()
"""
NOISY = {
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "LOG_LEVEL": "CRITICAL",
    "AWS_LAMBDA_LOG_LEVEL": "FATAL",
    "POWERTOOLS_LOGGER_SAMPLE_RATE": "1",
    "POWERTOOLS_LOG_DEDUPLICATION_DISABLED": "true",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "theirs",
    "POWERTOOLS_SERVICE_NAME": "theirs",
    "POWERTOOLS_DEV": "true",
    "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
}


@given(ENTRIES)
@example(LONG)
def test_both_write_the_same_line(entry: Entry) -> None:
    """Members and values are equal, those that are null and those of long lines, too."""
    ours, theirs = io.StringIO(), io.StringIO()
    own_writer(ours)(entry)
    with redirect_stdout(theirs):
        powertools_writer("worker")(entry)
    assert theirs.getvalue().count("\n") == 1
    assert timeless(theirs.getvalue()) == timeless(ours.getvalue())


def test_both_write_times_in_one_form() -> None:
    """The time is UTC with milliseconds."""
    stream = io.StringIO()
    entry = Entry("info", "mail", "r", {}, {Metric.MAILS: 1}, DIMENSIONS)
    with redirect_stdout(stream):
        own_writer()(entry)
        powertools_writer("worker")(entry)
    ours, theirs = map(json.loads, stream.getvalue().splitlines())
    for line in (ours, theirs):
        assert line["timestamp"][-6:] == "+00:00"
        assert len(line["timestamp"]) == len("2026-01-02T03:04:05.678+00:00")
    assert 0 <= theirs["_aws"]["Timestamp"] - ours["_aws"]["Timestamp"] < 60_000


@pytest.mark.parametrize("environment", [{}, NOISY], ids=["bare", "noisy"])
def test_the_environment_changes_no_line(environment: dict[str, str]) -> None:
    """No level hides it, no handler doubles it, no warning comes with it, and no member."""
    done = subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-W", "always", "-c", WRITE_ONE_LINE],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], **environment},
    )
    assert (done.returncode, done.stderr) == (0, "")
    expected = io.StringIO()
    Journal("worker", "d", stream=expected).salt_made()
    assert timeless(done.stdout) == timeless(expected.getvalue())


@pytest.mark.parametrize("service", ["worker", "feedback", "publisher"])
def test_a_line_that_cannot_be_written_is_told_without_a_traceback(service: str) -> None:
    """The text of a line must not come to the log by way of an error."""
    said, closed = io.StringIO(), io.StringIO()
    closed.close()
    with redirect_stdout(closed), redirect_stderr(said):
        Journal(service, "d", write=powertools_writer(service)).not_mail("secret")
    assert json.loads(said.getvalue()) == {"message": "journal_failed", "error": "ValueError"}


def timeless(line: str) -> dict[str, Any]:
    """Return the members of a line without its times."""
    members: dict[str, Any] = json.loads(line)
    members.pop("timestamp")
    if "_aws" in members:
        members["_aws"].pop("Timestamp")
    return members
