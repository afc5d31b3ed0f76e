"""Fixtures for the tests beside this file."""

import pytest

from tests.functions.replier.lone_replier import LoneReplier


@pytest.fixture
def lone() -> LoneReplier:
    """Return a replier with fakes for all that it calls."""
    return LoneReplier()
