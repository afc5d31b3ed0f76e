"""The fake SES: answers SendBounce on loopback as SES would, as far as SES documents itself.

An SDK reaches it through `AWS_ENDPOINT_URL_SES`. It sends nothing anywhere: a mail that SES would
send ends in a folder or in memory. It knows no other action and checks no signature.
"""

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bouncer_sim.fake_ses import answer
from bouncer_sim.fake_ses.answer import Answer
from bouncer_sim.fake_ses.arrival_rate import ArrivalRate
from bouncer_sim.fake_ses.bounce_delivery import BounceDelivery
from bouncer_sim.fake_ses.faults import FaultKind, Faults
from bouncer_sim.fake_ses.form import decode, region_of, require_action
from bouncer_sim.fake_ses.listener import Listener
from bouncer_sim.fake_ses.outbox import Outbox, SentBounce
from bouncer_sim.fake_ses.refusal import ErrorCode, SesError
from bouncer_sim.fake_ses.ses_account import Account, ReceivedMail

SENT = "Sent"

_REMEMBERED_CALLS = 10_000
_MAX_ID = 256
_FAULTS: dict[FaultKind | None, tuple[ErrorCode, str]] = {
    FaultKind.UNAVAILABLE: (ErrorCode.SERVICE_UNAVAILABLE, "Service is unavailable."),
    FaultKind.INTERNAL_ERROR: (ErrorCode.INTERNAL_FAILURE, "An internal error occurred."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One signed SendBounce call: its number from 1, its time of arrival and its result.

    `result` is `Sent`, an error code, or `timeout_before`; `answered` is false when the client was
    left without an answer, whatever the result.
    """

    number: int
    at: float
    original_message_id: str
    result: str
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    number: int
    at: float
    early: bool
    fault: FaultKind | None


class FakeSes:
    """A server for SendBounce, from `start` to `stop`; also a context manager. Thread-safe.

    `verified` are addresses and domains; `clock` returns epoch seconds and is read once as each
    call arrives. With `out`, bounces become files there, else they are kept in memory. A call less
    than a second after the last one that was not throttled is throttled, whether that one succeeded
    or not.
    """

    def __init__(
        self,
        *,
        verified: Collection[str],
        clock: Callable[[], float] = time.time,
        out: Path | None = None,
        faults: Faults = Faults(),  # noqa: B008 - immutable
        port: int = 0,
    ) -> None:
        self._account = Account(verified)
        self._outbox = Outbox(out)
        self._delivery = BounceDelivery(self._account, self._outbox)
        self._clock = clock
        self._faults = faults
        self._port = port
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=_REMEMBERED_CALLS)
        self._number = 0
        self._rate = ArrivalRate()
        self._stopping = threading.Event()
        self._listener: Listener | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; OSError if the port is taken."""
        if self._listener is None:
            self._stopping.clear()
            self._listener = Listener(self._respond, port=self._port)
            self._listener.start()

    def stop(self) -> None:
        """Close every connection and the port; what was received and sent stays known."""
        self._stopping.set()
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    @property
    def endpoint(self) -> str:
        """The value for `AWS_ENDPOINT_URL_SES`; RuntimeError unless started."""
        if self._listener is None:
            raise RuntimeError("The fake SES has no endpoint before it is started.")
        return self._listener.endpoint

    @property
    def sent(self) -> list[SentBounce]:
        """The bounces that were sent and not forgotten, in order."""
        return self._outbox.sent

    @property
    def calls(self) -> list[Call]:
        """The last 10 000 signed SendBounce calls whose original was not forgotten since."""
        with self._lock:
            return list(self._calls)

    def verify(self, identity: str) -> None:
        """Count one more address or domain as verified from now on."""
        self._account.verify(identity)

    def receive(self, mail: ReceivedMail) -> None:
        """Take in a mail that may be bounced from now on."""
        self._account.receive(mail)

    def forget(self, message_id: str) -> None:
        """Let go of a mail and of all records of its bounces; files stay. Keeps long runs small."""
        self._account.forget(message_id)
        self._outbox.forget(message_id)
        with self._lock:
            kept = [call for call in self._calls if call.original_message_id != message_id]
            self._calls = deque(kept, maxlen=_REMEMBERED_CALLS)

    def _respond(self, authorization: str | None, body: bytes) -> Answer | None:
        try:
            region = region_of(authorization)
            form = decode(body)
            require_action(form, "SendBounce")
        except SesError as error:
            return answer.refused(error, str(uuid.uuid4()))
        return self._call(form, region)

    def _call(self, form: Mapping[str, str], region: str) -> Answer | None:
        arrival = self._arrive()
        original_id = form.get("OriginalMessageId", "")[:_MAX_ID]
        if arrival.fault is FaultKind.TIMEOUT_BEFORE:
            result, reply = FaultKind.TIMEOUT_BEFORE.value, None
        else:
            result, reply = self._outcome(arrival, form, region)
        if arrival.fault is FaultKind.TIMEOUT_AFTER:
            reply = None
        call = Call(
            number=arrival.number,
            at=arrival.at,
            original_message_id=original_id,
            result=result,
            answered=reply is not None,
        )
        with self._lock:
            self._calls.append(call)
        if reply is None:
            self._stopping.wait(self._faults.stall_s)
        return reply

    def _outcome(
        self, arrival: _Arrival, form: Mapping[str, str], region: str
    ) -> tuple[str, Answer]:
        request_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{arrival.number}/{arrival.at!r}"))
        try:
            message_id = self._send(arrival, form, region)
        except SesError as error:
            return error.code.value, answer.refused(error, request_id)
        return SENT, answer.sent(message_id, request_id)

    def _send(self, arrival: _Arrival, form: Mapping[str, str], region: str) -> str:
        """Check and send one bounce; return its message id."""
        if arrival.early or arrival.fault is FaultKind.THROTTLE:
            raise SesError(ErrorCode.THROTTLING, "Maximum sending rate exceeded.")
        if arrival.fault in _FAULTS:
            raise SesError(*_FAULTS[arrival.fault])
        return self._delivery.send(form, number=arrival.number, at=arrival.at, region=region)

    def _arrive(self) -> _Arrival:
        with self._lock:
            now = self._clock()
            self._number += 1
            planned = self._faults.of(self._number)
            early = self._rate.is_early(now, counts=planned is not FaultKind.THROTTLE)
            # Too early comes first: no fault may hide a caller that does not keep the pace.
            fault = None if early else planned
            return _Arrival(number=self._number, at=now, early=early, fault=fault)
