"""Events of SES about bounces, as the feedback function finds them in its queue."""

import json
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

from bouncer.feedback import Feedback
from bouncer.feedback_journal import FeedbackJournal
from bouncer.operator_settings import Settings
from bouncer.sending.bounce_event import Kind
from bouncer.sending.digest import Salt
from bouncer.sending.ending import sent
from bouncer.sending.feedback_ledger import FeedbackLedger
from bouncer.sending.suppression import notes
from bouncer.sending.table import Table
from bouncer.sending.terms import Terms
from bouncer.sources.hold import Hold
from bouncer_sim.document_bucket import document_loader
from bouncer_sim.world.deployed_services import TABLE
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.dynamodb_service import DynamoDbService
from tests.functions.worker.bounce_fates import OURS, event_text
from tests.functions.worker.line import FixedSettings
from tests.fuzz.drawn import bent
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.job_target import JOB
from tests.fuzz.judged import NOW
from tests.fuzz.line_law import check_lines

_BOUNCE = "0102018f-bounce-000000"
_TERMS = Terms(
    settings=Settings(), held=False, until=0.0, counting=False, salt=Salt("salt"), counted_from=0
)
_RECORD = {"messageId": "e1", "attributes": {"SentTimestamp": f"{NOW.timestamp() * 1000:.0f}"}}


class _NoParameters:
    """A client of SSM that is not asked: one event does not trip the breaker."""

    def put_parameter(self, **_: object) -> dict[str, Any]:
        raise AssertionError("sending is held")

    def get_parameters(self, **_: object) -> dict[str, Any]:
        raise AssertionError("held is read")


def check(data: bytes) -> None:
    """An event is settled or comes again; it suppresses nobody but the sender of its bounce."""
    body = data.decode("utf-8", "replace")
    service = DynamoDbService(NOW.timestamp)
    table = Table(DirectClient(service), TABLE)  # type: ignore[arg-type]  # a fake client
    for write in notes(sent(_BOUNCE), json.dumps(JOB), _TERMS, NOW):
        table.write(write)
    stream, broken = StringIO(), StringIO()
    feedback = Feedback(
        ledger=FeedbackLedger(table, now=lambda: NOW, new_name=lambda: "token"),
        journal=FeedbackJournal("feedback", "fuzz", stream=stream),
        senders=[OURS],
        loader=document_loader(FixedSettings(None), Settings(), now=lambda: 0.0),
        hold=Hold(_NoParameters(), "/prefix"),
        now=lambda: NOW,
    )
    with redirect_stderr(broken):
        answer = feedback.handle([{**_RECORD, "body": body}])
    assert not broken.getvalue(), broken.getvalue()
    (line,) = check_lines(stream.getvalue())
    assert line["message"] != "feedback_failed", line["error"]
    assert bool(answer["batchItemFailures"]) == (line["message"] == "event_waits")
    suppressed = [key for key in service.items if key.startswith("suppressed#")]
    assert len(suppressed) == _names_our_bounce(body), line


def _names_our_bounce(body: str) -> bool:
    """Tell whether an event says, read as simply as possible, that our bounce was not wanted."""
    try:
        event: Any = json.loads(body)
        named: bool = (
            event["detail"]["mail"]["messageId"] == _BOUNCE and event["source"] == "aws.ses"
        )
        if event["detail-type"] == "Email Complaint Received":
            return named
        bounced: bool = event["detail"]["bounce"]["bounceType"] == "Permanent"
        return named and bounced and event["detail-type"] == "Email Bounced"
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


TARGET = FuzzTarget(
    name="feedback",
    check=check,
    examples=bent(
        *(json.loads(event_text(mail_id, kind)) for kind in Kind for mail_id in (_BOUNCE, "other")),
        json.loads(event_text(_BOUNCE, Kind.PERMANENT, "shop@example.net")),
    ),
    words=("detail-type", "bounceType", "Permanent", "Transient", _BOUNCE, OURS),
    json=True,
)
