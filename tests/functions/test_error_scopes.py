"""Each of SES's errors, met by the deployed worker with five healthy jobs of another sender behind.

Queue, ledger and worker are the deployed ones; SES answers an error to one sender or, where the
error is the account's, to everybody until it is over.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from bouncer.sending.ses_errors import DeadLetterError, Scope, row_of
from tests.functions.worker.line import Line
from tests.functions.worker.patient_queue import PatientQueue
from tests.unit.test_ses_errors import EXPECTED

SICK = "bounces@sick.example"
HEALTHY = [f"healthy-{number}" for number in range(5)]
EVERYBODY, NOBODY = "everybody", "nobody"

Answer = tuple[str, str, int]  # code, text, HTTP status


class RefusingLine(Line):
    """A line with one job of a sender, five of another behind it, and an SES that refuses."""

    def __init__(self, stack: ExitStack) -> None:
        super().__init__(stack)
        self.jobs = PatientQueue(self.clock, self.sqs, *self.urls)
        self.ses.verify("sick.example")
        self.jobs.send(replace(self.receive("sick"), bounce_sender=SICK))
        self.queue(*HEALTHY)
        self.answer: Answer = ("", "", 0)
        self.refused = NOBODY

    def client(self) -> Any:
        """The fake SES behind one that refuses."""
        return RefusingSes(self, super().client())

    @property
    def bounced(self) -> list[str]:
        return [bounce.original_message_id for bounce in self.ses.sent]


class RefusingSes:
    """Refuses the calls of `line.refused` with `line.answer`, and passes on all others."""

    def __init__(self, line: RefusingLine, client: Any) -> None:
        self._line = line
        self._client = client

    def send_bounce(self, **call: Any) -> Mapping[str, Any]:
        """Refuse, or send."""
        if self._line.refused in (EVERYBODY, call["BounceSender"]):
            code, text, status = self._line.answer
            answer = {
                "Error": {"Code": code, "Message": text},
                "ResponseMetadata": {"HTTPStatusCode": status},
            }
            raise ClientError(cast("Any", answer), "SendBounce")
        return dict(self._client.send_bounce(**call))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


@pytest.fixture
def line() -> Iterator[RefusingLine]:
    """The queue with its six jobs."""
    with ExitStack() as stack:
        yield RefusingLine(stack)


def _answers(*, of_account: bool) -> list[Answer]:
    return [row[:3] for row in EXPECTED if (row[4] is Scope.ACCOUNT) == of_account]


@pytest.mark.parametrize("answer", _answers(of_account=False), ids=lambda answer: answer[0])
def test_an_error_of_one_job_or_one_sender_holds_up_nobody_else(
    line: RefusingLine, answer: Answer
) -> None:
    """The five are sent in the same invocation; a dead letter is sent once its cause is removed."""
    line.answer, line.refused = answer, SICK
    line.poll()
    assert line.outcomes == ["failed", *["sent"] * 5]
    assert line.bounced == HEALTHY
    assert line.failures == [0]
    kept = line.dead_letters()
    assert len(kept) == (row_of(*answer).outcome is DeadLetterError)
    line.refused = NOBODY
    line.clock.sleep(1)
    for body in kept:
        line.put(body)
        line.poll()
    assert line.bounced == HEALTHY + ["sick"] * len(kept)


@pytest.mark.parametrize("answer", _answers(of_account=True), ids=lambda answer: answer[0])
def test_an_error_of_the_account_holds_all_and_loses_none(
    line: RefusingLine, answer: Answer
) -> None:
    """All wait in their order for hours, and all are sent once the account may send again."""
    line.answer, line.refused = answer, EVERYBODY
    for _ in range(3):
        line.poll()
        line.clock.sleep(3600)
    assert not line.outcomes
    assert not line.dead_letters()
    line.refused = NOBODY
    line.poll()
    assert line.bounced == ["sick", *HEALTHY]
    assert line.outcomes == ["sent"] * 6
