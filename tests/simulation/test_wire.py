"""Each trouble of a call: the error the caller gets, and whether the call took effect."""

from random import Random
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from bouncer_sim.world.attempt import Attempt
from bouncer_sim.world.caller import Caller, Patience
from bouncer_sim.world.incident import CallIncident, Incident, Outage, Trouble
from bouncer_sim.world.scenario import LATENCIES
from bouncer_sim.world.service_client import ServiceClient
from bouncer_sim.world.ssm_service import SsmService
from bouncer_sim.world.timeline import Timeline
from bouncer_sim.world.wire import Wire

CALL = "ssm.get_parameter"


class Asking:
    """One caller that reads one parameter, `times` times."""

    def __init__(
        self,
        *incidents: Incident,
        attempts: int = 1,
        times: int = 1,
        raises_lost: bool = False,
    ) -> None:
        self.timeline = Timeline(0.0)
        self.wire = Wire(self.timeline, incidents, latencies=LATENCIES, random=Random(1))
        self.caller = Caller(name="worker1")
        self.seen: list[object] = []
        ssm = SsmService(lambda: 0.0)
        ssm.put("p", "text")
        patience = Patience(connect_s=2, read_s=3, attempts=attempts, raises_lost=raises_lost)
        self._client: Any = ServiceClient(self.wire, self.caller, patience, name="ssm", service=ssm)
        for _ in range(times):
            self.timeline.spawn(self._ask)
            self.timeline.run(until=100.0)

    def _ask(self) -> None:
        try:
            self.seen.append(self._client.get_parameter(Name="p")["Parameter"]["Value"])
        except (ClientError, BotoCoreError) as error:
            self.seen.append(type(error))

    @property
    def attempts(self) -> list[Attempt]:
        return self.wire.attempts


def met(trouble: Trouble, *, nth: int = 1, seconds: float = 0.0) -> CallIncident:
    return CallIncident(call=CALL, nth=nth, trouble=trouble, seconds=seconds)


@pytest.mark.parametrize(
    ("trouble", "error", "done"),
    [
        (Trouble.UNREACHABLE, EndpointConnectionError, False),
        (Trouble.NO_CONNECTION, ConnectTimeoutError, False),
        (Trouble.LOST_REQUEST, ReadTimeoutError, False),
        (Trouble.LOST_ANSWER, ReadTimeoutError, True),
        (Trouble.CUT_BEFORE, ConnectionClosedError, False),
        (Trouble.CUT_AFTER, ConnectionClosedError, True),
    ],
)
def test_a_caller_without_an_answer_gets_an_error_of_the_sdk(
    trouble: Trouble, error: type[Exception], *, done: bool
) -> None:
    """It says nothing about the effect of the call."""
    asking = Asking(met(trouble))
    assert asking.seen == [error]
    assert (asking.attempts[0].result == "done") is done


@pytest.mark.parametrize(
    ("trouble", "code", "result"),
    [
        (Trouble.THROTTLED, "ThrottlingException", "ThrottlingException"),
        (Trouble.FORBIDDEN, "AccessDeniedException", "AccessDeniedException"),
        (Trouble.UNAVAILABLE, "ServiceUnavailable", "ServiceUnavailable"),
        (Trouble.BROKEN_BEFORE, "InternalFailure", "InternalFailure"),
        (Trouble.BROKEN_AFTER, "InternalFailure", "done"),
    ],
)
def test_a_service_that_refuses_answers_with_its_code(
    trouble: Trouble, code: str, result: str
) -> None:
    """An internal error may come after the effect."""
    asking = Asking(met(trouble))
    (error,) = asking.seen
    assert isinstance(error, type)
    assert error.__name__ == code
    assert asking.attempts[0].result == result


def test_a_request_can_arrive_after_its_caller_gave_up() -> None:
    """The effect comes late, and the record says so."""
    asking = Asking(met(Trouble.LATE, seconds=10))
    assert asking.seen == [ReadTimeoutError]
    (attempt,) = asking.attempts
    assert attempt.is_late
    assert attempt.result == "done"
    assert attempt.arrived_at == pytest.approx(10, abs=0.2)


@pytest.mark.parametrize(
    ("trouble", "result"), [(Trouble.CRASH_BEFORE, ""), (Trouble.CRASH_AFTER, "done")]
)
def test_a_caller_that_dies_asks_nothing_more(trouble: Trouble, result: str) -> None:
    """Its request may have arrived; nothing of it runs on."""
    asking = Asking(met(trouble), times=2)
    assert asking.seen == []
    assert [attempt.result for attempt in asking.attempts] == [result]


def test_the_sdk_asks_again_after_what_may_pass() -> None:
    """Standard retries: three attempts of a throttled call, one of a forbidden one."""
    assert Asking(met(Trouble.THROTTLED), attempts=3).seen == ["text"]
    assert len(Asking(met(Trouble.FORBIDDEN), attempts=3).attempts) == 1


@pytest.mark.parametrize(
    ("raises_lost", "error"), [(False, "AccessDeniedException"), (True, "ConnectionClosedError")]
)
def test_a_lost_answer_counts_for_the_intakes_client_alone(
    *, raises_lost: bool, error: str
) -> None:
    """The SDK reports its last attempt, the intake's client the one that may have worked."""
    incidents = (met(Trouble.CUT_AFTER), met(Trouble.FORBIDDEN, nth=2))
    asking = Asking(*incidents, attempts=3, raises_lost=raises_lost)
    assert [attempt.result for attempt in asking.attempts] == ["done", "AccessDeniedException"]
    (raised,) = asking.seen
    assert isinstance(raised, type)
    assert raised.__name__ == error


def test_an_outage_hits_its_share_of_the_calls() -> None:
    """Half of the calls meet it, evenly spread, and none after its end."""
    outage = Outage(place="ssm", start=0, end=50, trouble=Trouble.FORBIDDEN, share=0.5)
    asking = Asking(outage, times=4)
    assert [attempt.trouble for attempt in asking.attempts] == [
        None,
        Trouble.FORBIDDEN,
        None,
        Trouble.FORBIDDEN,
    ]
