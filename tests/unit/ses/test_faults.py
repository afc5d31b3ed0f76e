"""Faults are planned by call number and spelled KIND@CALL."""

import pytest

from bouncer.errors import BouncerError
from bouncer_sim.fake_ses.faults import Fault, FaultKind, Faults, parse_fault


def test_fault_is_read_from_a_command_line() -> None:
    """Kind and number of the call, nothing more."""
    assert parse_fault("throttle@2") == Fault(call=2, kind=FaultKind.THROTTLE)


@pytest.mark.parametrize(
    "text", ["", "throttle", "throttle@", "throttle@0", "throttle@x", "nap@1", "throttle@1@2"]
)
def test_misspelled_fault_is_explained(text: str) -> None:
    """The error shows what was given and what is understood, and is both kinds of error."""
    with pytest.raises(ValueError, match="KIND is one of throttle, unavailable") as caught:
        parse_fault(text)
    assert repr(text) in str(caught.value)
    assert isinstance(caught.value, BouncerError)


def test_first_plan_for_a_call_counts() -> None:
    """Only the planned call suffers."""
    plan = (parse_fault("throttle@2"), parse_fault("unavailable@2"))
    assert [Faults(plan=plan).of(call) for call in (1, 2, 3)] == [None, FaultKind.THROTTLE, None]
