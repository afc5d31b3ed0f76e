"""Synth warns that other senders of the identity need a permission on our configuration set."""

from collections.abc import Callable
from typing import Any

import pytest

MINIMAL = {"recipients": ["example.com"], "bounce_sender": "mailer-daemon@example.com"}


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({}, True),
        ({"bounce_sender": "a@mx.example.com", "identity": "example.com"}, True),
        ({"identity": "mailer-daemon@example.com"}, False),
        ({"create_identity": True}, False),
        ({"attach_configuration_set": True}, False),
    ],
)
def test_whoever_else_sends_is_warned_of(
    synth: Callable[..., Any],  # noqa: ARG001  # it set up Node
    settings: dict[str, Any],
    warned: bool,
) -> None:
    """SES asks all senders of the identity for it; no warning if the settings ask for our set."""
    import aws_cdk as cdk  # noqa: PLC0415
    from aws_cdk import assertions  # noqa: PLC0415

    from bouncer_infra.deployment_settings_reader import read_settings  # noqa: PLC0415
    from bouncer_infra.sender_identity import warn_of_other_senders  # noqa: PLC0415

    stack = cdk.Stack()
    warn_of_other_senders(stack, read_settings({**MINIMAL, **settings}))
    found = assertions.Annotations.from_stack(stack).find_warning(
        "*", assertions.Match.string_like_regexp("configuration-set/ses-auto-bouncer-main as well")
    )
    assert bool(found) is warned
