"""The way between a caller and a service: latency, troubles, time-outs, and the SDK's retries.

A request takes effect when it arrives, whether or not its caller still waits. So a time-out before
the effect, one after it, and an effect that comes late are one thing: how long each way takes.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from bouncer.lost_answer import may_have_worked
from bouncer_sim.world.attempt import DONE, Attempt
from bouncer_sim.world.caller import Caller, Patience
from bouncer_sim.world.incident import CallIncident, Incident, Outage, Trouble
from bouncer_sim.world.service_error import SERVER_ERROR
from bouncer_sim.world.timeline import EndOfTask, Timeline

Answer = dict[str, Any]
Handler = Callable[[Mapping[str, Any], Trouble | None], Answer]

_URL = "https://simulated.amazonaws.com"
_NEVER = math.inf
_TRIPS_TO_CONNECT = 2.5  # TCP and TLS, each of two ways
_LONGEST_BACKOFF_S = 20.0
_THROTTLES = {"Throttling", "ThrottlingException", "ProvisionedThroughputExceededException"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The time of one way between caller and service: at least `least_s`, at most `most_s`."""

    least_s: float
    most_s: float


class Wire:
    """All ways of a world, and the record of all attempts."""

    def __init__(
        self,
        timeline: Timeline,
        incidents: Iterable[Incident],
        *,
        latencies: Mapping[str, Latency],
        random: Random,
    ) -> None:
        self.attempts: list[Attempt] = []
        self._timeline = timeline
        self._start = timeline.now
        self._latencies = latencies
        self._random = random
        self._counts: Counter[str] = Counter()
        listed = list(incidents)
        self._outages = [each for each in listed if isinstance(each, Outage)]
        self._planned = {
            (each.call, each.nth): each for each in listed if isinstance(each, CallIncident)
        }

    def ask(
        self, caller: Caller, patience: Patience, call: str, handler: Handler, arguments: Any
    ) -> Answer:
        """Make one call as an SDK does, with its retries; raises botocore's errors."""
        lost: ClientError | BotoCoreError | None = None
        for number in range(1, patience.attempts + 1):
            caller.require_life()
            try:
                return self._attempt(caller, patience, call, handler, arguments)
            except (ClientError, BotoCoreError) as error:
                if patience.raises_lost and lost is None and may_have_worked(error):
                    lost = error
                if number == patience.attempts or not may_pass(error) or caller.left_s() <= 0:
                    raise lost or error from None
            pause = self._random.random() * min(2.0 ** (number - 1), _LONGEST_BACKOFF_S)
            self._timeline.sleep(pause)
        raise AssertionError  # never reached: the last attempt returns or raises

    def _attempt(
        self, caller: Caller, patience: Patience, call: str, handler: Handler, arguments: Any
    ) -> Answer:
        trouble, delay_s = self._trouble(call)
        attempt = Attempt(
            call=call,
            caller=caller.name,
            arguments=arguments,
            started_at=self._timeline.now,
            trouble=trouble,
        )
        self.attempts.append(attempt)
        there_s, back_s = self._ways(caller, call, trouble, delay_s)
        trip = _Trip(self._timeline, attempt, handler, caller, patience)
        try:
            return trip.make(there_s, back_s)
        except (ClientError, BotoCoreError) as error:
            attempt.raised = type(error).__name__
            raise
        finally:
            attempt.ended_at = self._timeline.now

    def _trouble(self, call: str) -> tuple[Trouble | None, float]:
        """Return the trouble that the next attempt of a call meets, and its delay in seconds."""
        self._counts[call] += 1
        count = self._counts[call]
        if planned := self._planned.get((call, count)):
            return planned.trouble, planned.seconds
        since = self._timeline.now - self._start
        hit = (each for each in self._outages if each.hits(call, since=since, count=count))
        return next((outage.trouble for outage in hit), None), 0.0

    def _ways(
        self, caller: Caller, call: str, trouble: Trouble | None, delay_s: float
    ) -> tuple[float, float]:
        """Return the seconds to the service and back; infinite for what is lost."""
        service = call.partition(".")[0]
        latency, random = self._latencies[service], self._random.random
        spread = latency.most_s - latency.least_s
        there, back = latency.least_s + spread * random(), latency.least_s + spread * random()
        if service not in caller.connected:
            there += _TRIPS_TO_CONNECT * (there + back)
            caller.connected.add(service)
        match trouble:
            case Trouble.LOST_REQUEST:
                return _NEVER, back
            case Trouble.LOST_ANSWER:
                return there, _NEVER
            case Trouble.LATE:
                return there + delay_s, back
            case Trouble.SLOW:
                return there, back + delay_s
        return there, back


@dataclass(slots=True)
class _Trip:
    """One request on its way and back."""

    timeline: Timeline
    attempt: Attempt
    handler: Handler
    caller: Caller
    patience: Patience

    def make(self, there_s: float, back_s: float) -> Answer:
        """Let the request arrive, take effect and be answered, as far as the caller waits."""
        self._begin()
        waits_s = min(self.patience.read_s, self.caller.left_s())
        if there_s > waits_s:
            self._leave_on_its_way(there_s)
            self._give_up(waits_s)
        self._travel(there_s)
        answer, error = self._effect()
        if self.attempt.trouble is Trouble.CRASH_AFTER:
            self.caller.die()
        if there_s + back_s > waits_s:
            self._give_up(waits_s - there_s)
        self.timeline.sleep(back_s)
        if error is not None:
            raise error
        if self.attempt.trouble is Trouble.CUT_AFTER:
            self._disconnect()
            raise ConnectionClosedError(endpoint_url=_URL)
        return answer

    def _begin(self) -> None:
        """Meet the troubles in which the request does not leave."""
        match self.attempt.trouble:
            case Trouble.CRASH_BEFORE:
                self.caller.die()
            case Trouble.UNREACHABLE:
                raise EndpointConnectionError(endpoint_url=_URL)
            case Trouble.NO_CONNECTION:
                self._disconnect()
                self.timeline.sleep(min(self.patience.connect_s, self.caller.left_s()))
                raise ConnectTimeoutError(endpoint_url=_URL)
            case Trouble.CUT_BEFORE:
                self._disconnect()
                raise ConnectionClosedError(endpoint_url=_URL)

    def _travel(self, there_s: float) -> None:
        try:
            self.timeline.sleep(there_s)
        except EndOfTask:  # the caller died; its request is on its way all the same
            self._leave_on_its_way(self.attempt.started_at + there_s - self.timeline.now)
            raise

    def _leave_on_its_way(self, after_s: float) -> None:
        if after_s < _NEVER:
            self.timeline.at(self.timeline.now + after_s, self._effect)

    def _give_up(self, after_s: float) -> None:
        self.timeline.sleep(after_s)
        self._disconnect()
        raise ReadTimeoutError(endpoint_url=_URL)

    def _disconnect(self) -> None:
        self.caller.connected.discard(self.attempt.call.partition(".")[0])

    def _effect(self) -> tuple[Answer, Exception | None]:
        """Let the service do what it is asked, and return its answer or its error."""
        self.attempt.arrived_at = self.timeline.now
        try:
            answer = self.handler(self.attempt.arguments, self.attempt.trouble)
        except ClientError as error:
            self.attempt.result = error.response["Error"]["Code"]
            if self.attempt.trouble is Trouble.BROKEN_AFTER and error_is_servers(error):
                self.attempt.result = DONE
            return {}, error
        self.attempt.result = DONE
        return answer, None


def error_is_servers(error: ClientError) -> bool:
    """Tell whether a service answered with an error of its own (HTTP 5xx)."""
    return error.response["ResponseMetadata"]["HTTPStatusCode"] >= SERVER_ERROR


def may_pass(error: ClientError | BotoCoreError) -> bool:
    """Tell whether an SDK makes the call again after this error."""
    if isinstance(error, BotoCoreError):
        return True
    return error.response["Error"]["Code"] in _THROTTLES or error_is_servers(error)
