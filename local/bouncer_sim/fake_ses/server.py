"""The fake SES: takes bounces and mails on loopback as SES would, as far as SES documents itself.

It knows SendBounce, SendEmail and SendRawEmail of the classic API, and SendEmail and GetAccount of
the second one. An SDK reaches it through `AWS_ENDPOINT_URL_SES` and `AWS_ENDPOINT_URL_SESV2`. It
sends nothing anywhere: a mail that SES would send ends in a folder or in memory. It checks no
signature.
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

from bouncer_sim.fake_ses import answer, classic_mail, v2_answer, v2_mail
from bouncer_sim.fake_ses.answer import Answer
from bouncer_sim.fake_ses.arrival_rate import ArrivalRate
from bouncer_sim.fake_ses.bounce_delivery import BounceDelivery
from bouncer_sim.fake_ses.faults import FaultKind, Faults
from bouncer_sim.fake_ses.form import action_of, decode, region_of
from bouncer_sim.fake_ses.listener import Listener, Request
from bouncer_sim.fake_ses.mail_delivery import MailDelivery, Sink
from bouncer_sim.fake_ses.outbox import Outbox, SentBounce
from bouncer_sim.fake_ses.outgoing_mail import OutgoingMail
from bouncer_sim.fake_ses.refusal import ErrorCode, SesError
from bouncer_sim.fake_ses.sending_limits import SendingLimits
from bouncer_sim.fake_ses.ses_account import Account, ReceivedMail

SENT = "Sent"

_BOUNCE = "SendBounce"
_V2 = "/v2/"
_REMEMBERED_CALLS = 10_000
_MAX_ID = 256
_FAULTS: dict[FaultKind | None, tuple[ErrorCode, str]] = {
    FaultKind.UNAVAILABLE: (ErrorCode.SERVICE_UNAVAILABLE, "Service is unavailable."),
    FaultKind.INTERNAL_ERROR: (ErrorCode.INTERNAL_FAILURE, "An internal error occurred."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One signed call that sends: its number from 1, its time of arrival and its result.

    `original_message_id` is "" for a mail that is not a bounce. `result` is `Sent`, an error code,
    or `timeout_before`; `answered` is false when the client was left without an answer, whatever
    the result.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sending:
    """A call that sends: `send` does it, and returns the message id or raises `SesError`.

    Bounces are `paced`, one a second.
    """

    send: Callable[[_Arrival], str]
    sent: Callable[[str, str], Answer]
    refused: Callable[[SesError, str], Answer]
    original_message_id: str = ""
    paced: bool = False


class FakeSes:
    """A server for SES, from `start` to `stop`; also a context manager. Thread-safe.

    `verified` are addresses and domains; `clock` returns epoch seconds and is read once as each
    call arrives. With `out`, bounces and mails become files there, else they are kept in memory. A
    SendBounce call less than a second after the last one that was not throttled is throttled,
    whether that one succeeded or not; mails have the account's `limits`. `events` is called with
    each event about a mail that names one of the `configuration_sets`.
    """

    def __init__(
        self,
        *,
        verified: Collection[str],
        clock: Callable[[], float] = time.time,
        out: Path | None = None,
        faults: Faults = Faults(),  # noqa: B008 - immutable
        port: int = 0,
        configuration_sets: Collection[str] = (),
        limits: SendingLimits | None = None,
        events: Sink | None = None,
    ) -> None:
        self.account = Account(verified, configuration_sets=configuration_sets)
        self._outbox = Outbox(out)
        self._limits = limits or SendingLimits()
        self._delivery = BounceDelivery(self.account, self._outbox)
        self._mails = MailDelivery(self.account, self._outbox, self._limits, sink=events)
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
        """The value for `AWS_ENDPOINT_URL_SES` and its like; RuntimeError unless started."""
        if self._listener is None:
            raise RuntimeError("The fake SES has no endpoint before it is started.")
        return self._listener.endpoint

    @property
    def sent(self) -> list[SentBounce]:
        """The bounces and mails that were sent and not forgotten, in order."""
        return self._outbox.sent

    @property
    def calls(self) -> list[Call]:
        """The last 10 000 signed calls that send whose original was not forgotten since."""
        with self._lock:
            return list(self._calls)

    def verify(self, identity: str) -> None:
        """Count one more address or domain as verified from now on."""
        self.account.verify(identity)

    def receive(self, mail: ReceivedMail) -> None:
        """Take in a mail that may be bounced from now on."""
        self.account.receive(mail)

    def forget(self, message_id: str) -> None:
        """Let go of a mail and of all records of its bounces; files stay. Keeps long runs small."""
        self.account.forget(message_id)
        self._outbox.forget(message_id)
        with self._lock:
            kept = [call for call in self._calls if call.original_message_id != message_id]
            self._calls = deque(kept, maxlen=_REMEMBERED_CALLS)

    def _respond(self, request: Request) -> Answer | None:
        if request.path.startswith(_V2):
            return self._respond_v2(request)
        try:
            region = region_of(request.authorization)
            form = decode(request.body)
            action = action_of(form, (_BOUNCE, *classic_mail.ACTIONS))
        except SesError as error:
            return answer.refused(error, str(uuid.uuid4()))
        if action == _BOUNCE:
            return self._call(self._bounce(form, region))
        return self._call(
            _Sending(
                send=self._mail(lambda: classic_mail.parse(form), region),
                sent=lambda name, request_id: answer.sent(name, request_id, action),
                refused=answer.refused,
            )
        )

    def _respond_v2(self, request: Request) -> Answer | None:
        request_id = str(uuid.uuid4())
        try:
            region = region_of(request.authorization)
        except SesError as error:
            return v2_answer.refused(error, request_id)
        match request.method, request.path:
            case "GET", "/v2/email/account":
                return self._account_answer(request_id)
            case "POST", "/v2/email/outbound-emails":
                send = self._mail(lambda: v2_mail.parse(request.body), region)
                sending = _Sending(send=send, sent=v2_answer.sent, refused=v2_answer.refused)
                return self._call(sending)
        unknown = SesError(ErrorCode.NOT_FOUND, "Could not find this operation")
        return v2_answer.refused(unknown, request_id)

    def _account_answer(self, request_id: str) -> Answer:
        at, enabled = self._clock(), not self.account.is_paused
        with self._lock:
            return v2_answer.account(self._limits, at=at, enabled=enabled, request_id=request_id)

    def _bounce(self, form: Mapping[str, str], region: str) -> _Sending:
        return _Sending(
            send=lambda arrival: self._delivery.send(
                form, number=arrival.number, at=arrival.at, region=region
            ),
            sent=answer.sent,
            refused=answer.refused,
            original_message_id=form.get("OriginalMessageId", "")[:_MAX_ID],
            paced=True,
        )

    def _mail(self, parse: Callable[[], OutgoingMail], region: str) -> Callable[[_Arrival], str]:
        def send(arrival: _Arrival) -> str:
            with self._lock:  # of the limits
                return self._mails.send(parse, number=arrival.number, at=arrival.at, region=region)

        return send

    def _call(self, sending: _Sending) -> Answer | None:
        arrival = self._arrive(paced=sending.paced)
        if arrival.fault is FaultKind.TIMEOUT_BEFORE:
            result, reply = FaultKind.TIMEOUT_BEFORE.value, None
        else:
            result, reply = self._outcome(arrival, sending)
        if arrival.fault is FaultKind.TIMEOUT_AFTER:
            reply = None
        call = Call(
            number=arrival.number,
            at=arrival.at,
            original_message_id=sending.original_message_id,
            result=result,
            answered=reply is not None,
        )
        with self._lock:
            self._calls.append(call)
        if reply is None:
            self._stopping.wait(self._faults.stall_s)
        return reply

    def _outcome(self, arrival: _Arrival, sending: _Sending) -> tuple[str, Answer]:
        request_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{arrival.number}/{arrival.at!r}"))
        try:
            message_id = self._send(arrival, sending)
        except SesError as error:
            return error.code.value, sending.refused(error, request_id)
        return SENT, sending.sent(message_id, request_id)

    def _send(self, arrival: _Arrival, sending: _Sending) -> str:
        """Check and send one bounce or mail; return its message id."""
        if arrival.early or arrival.fault is FaultKind.THROTTLE:
            raise SesError(ErrorCode.THROTTLING, "Maximum sending rate exceeded.")
        if arrival.fault in _FAULTS:
            raise SesError(*_FAULTS[arrival.fault])
        return sending.send(arrival)

    def _arrive(self, *, paced: bool) -> _Arrival:
        with self._lock:
            now = self._clock()
            self._number += 1
            planned = self._faults.of(self._number)
            counts = planned is not FaultKind.THROTTLE
            early = paced and self._rate.is_early(now, counts=counts)
            # Too early comes first: no fault may hide a caller that does not keep the pace.
            fault = None if early else planned
            return _Arrival(number=self._number, at=now, early=early, fault=fault)
