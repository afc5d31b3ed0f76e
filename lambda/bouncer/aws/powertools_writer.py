"""Lines of the journal, written by Powertools' Logger, with metrics by Powertools."""

import logging
import sys
import warnings
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)

from bouncer.journal_entry import Entry, Write, put_line
from bouncer.journal_line import encoded
from bouncer.metric_document import unit
from bouncer.metric_names import NAMESPACE

_METRICS = AmazonCloudWatchEMFProvider(namespace=NAMESPACE, service="")
_MEMBERS = "members"  # the one key of a record: any other may be a name that `logging` has taken
_UNWANTED = ("location", "sampling_rate")


class _StandardOutput(logging.Handler):
    """Writes to what is standard output at that moment, and raises what that raises.

    `logging` itself would print the error, with a traceback, into the log.
    """

    def emit(self, record: logging.LogRecord) -> None:
        put_line(self.format(record), sys.stdout)


def powertools_writer(service: str) -> Write:
    """Return a writer of the lines that `bouncer.journal_entry.own_writer` writes."""
    logger = _logger(service)

    def write(entry: Entry) -> None:
        logger.append_keys(request_id=entry.request_id)
        put = {"info": logger.info, "warning": logger.warning, "error": logger.error}[entry.level]
        put(entry.event, extra={_MEMBERS: {**entry.fields, **_metrics(entry)}})

    return write


@cache  # `logging` keeps loggers by name, and Powertools can set one up only once
def _logger(service: str) -> Logger:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a level in the environment, which is not obeyed
        logger = Logger(
            service=service,
            level=logging.INFO,
            sampling_rate=0,
            logger_handler=_StandardOutput(),
            json_serializer=_serialized,
            json_deserializer=str,  # the name of an event is not JSON
            utc=True,
            use_rfc3339=True,
            xray_trace_id=None,
        )
    logger.remove_keys(_UNWANTED)
    # A level that is set for Lambda as a whole comes before the one above, and would hide mails.
    # The runtime's own handler would write each event once more.
    beneath = logging.getLogger(service)
    beneath.setLevel(logging.INFO)
    beneath.propagate = False
    return logger


def _serialized(line: dict[str, Any]) -> str:
    """Encode a line whose members were kept apart: the Logger drops members that are null."""
    members = line.pop(_MEMBERS)
    return encoded({**line, **members})


def _metrics(entry: Entry) -> dict[str, Any]:
    """Return the members for metrics.

    `Metrics` would keep counts until the invocation ends, as decimal fractions, in a line of their
    own. Its provider makes the same document for one line.
    """
    if not entry.counts:
        return dict(entry.dimensions)
    metrics = {str(name): {"Unit": unit(name), "Value": [n]} for name, n in entry.counts.items()}
    return dict(_METRICS.serialize_metric_set(metrics=metrics, dimensions=dict(entry.dimensions)))
