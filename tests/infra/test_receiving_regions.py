"""A region in which SES receives no mail is warned about at synth, and not refused."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Warnings = Callable[[str | None], list[str]]
MINIMAL = {"recipients": ["example.com"], "bounce_sender": "mailer-daemon@example.com"}


def told(stack: Any) -> list[str]:
    """Return the warnings of a stack, which has no errors."""
    from aws_cdk import assertions  # noqa: PLC0415  # Node first

    annotations = assertions.Annotations.from_stack(stack)
    assert annotations.find_error("*", assertions.Match.any_value()) == []
    found = annotations.find_warning("*", assertions.Match.any_value())
    return [str(message.entry.data) for message in found]


@pytest.fixture
def warnings(synth: Callable[..., Any]) -> Warnings:  # noqa: ARG001  # it set up Node
    """The warnings of a stack bound for a region."""
    import aws_cdk as cdk  # noqa: PLC0415

    from bouncer_infra.receiving_regions import warn_without_receiving  # noqa: PLC0415

    def warned(region: str | None) -> list[str]:
        stack = cdk.Stack()
        warn_without_receiving(stack, region)
        return told(stack)

    return warned


def test_a_region_without_receiving_is_warned_of(synth: Callable[..., Any]) -> None:  # noqa: ARG001  # it set up Node
    """In one warning that names the region; the template still fits every region."""
    import aws_cdk as cdk  # noqa: PLC0415
    from aws_cdk import aws_lambda as lambda_  # noqa: PLC0415

    from bouncer_infra.deployment_settings_reader import read_settings  # noqa: PLC0415
    from bouncer_infra.stack import AutoBouncerStack  # noqa: PLC0415

    stack = AutoBouncerStack(
        cdk.App(),
        "Test",
        settings=read_settings({**MINIMAL, "attach_configuration_set": True}),
        code=lambda_.InlineCode("handler = None"),
        target_region="eu-central-2",
    )
    (warning,) = told(stack)
    assert warning.startswith("SES is not known to receive mail in eu-central-2, so")
    assert cdk.Token.is_unresolved(stack.region)


@pytest.mark.parametrize("region", ["eu-west-1", "ap-southeast-3", None, ""])
def test_a_receiving_or_unknown_region_is_not(warnings: Warnings, region: str | None) -> None:
    """Nothing is said either where CDK's command line does not know the region."""
    assert warnings(region) == []


def test_regions_receive_where_cloudformation_has_receipt_rules(
    synth: Callable[..., Any],  # noqa: ARG001  # it set up Node
) -> None:
    """The list is that of cfn-lint's schemas: a newer version shows which regions to add."""
    from bouncer_infra.receiving_regions import RECEIVING  # noqa: PLC0415

    package = importlib.util.find_spec("cfnlint")  # not imported: that takes a second
    assert package
    assert package.origin
    schemas = Path(package.origin).parent / "data" / "schemas" / "providers"
    known = {path.stem: path.read_text(encoding="utf-8") for path in schemas.glob("*.json")}
    assert {region for region, kinds in known.items() if '"AWS::SES::ReceiptRule"' in kinds} == (
        RECEIVING
    )
