"""`bouncer doctor` looks for what the stack is made of."""

from typing import Any

import pytest

from bouncer.function_limits import LEDGER_EXPIRES
from bouncer_cli.doctor import (
    check_configuration_sets,
    check_destinations,
    check_functions,
    check_identities,
    check_ledger,
    check_queue_mapping,
    check_queues,
)
from bouncer_cli.doctor.deployed_stack import Resource, Stack
from bouncer_infra.deployment_settings import DeploymentSettings

DEPLOYMENT = DeploymentSettings(
    recipients=("example.com",), bounce_sender="mailer-daemon@example.com"
)


def of_type(template: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    return [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] in kinds
    ]


def test_the_doctor_knows_the_types_of_what_it_checks(template: dict[str, Any]) -> None:
    """Functions, mapping, queues and ledger are found by type, told apart by their links."""
    handlers = {entry["Handler"] for entry in of_type(template, check_functions.FUNCTIONS)}
    assert handlers >= {f"bouncer.{word}.handler" for word in check_functions.NEEDED}
    assert of_type(template, check_queue_mapping.MAPPINGS)
    queues = of_type(template, check_queues.QUEUES)
    assert {"RedrivePolicy" in queue for queue in queues} == {True, False}
    (table,) = of_type(template, *check_ledger.TABLES)
    assert table["TimeToLiveSpecification"]["AttributeName"] == LEDGER_EXPIRES


# ruff: noqa: SLF001  # the doctor's words for resources of ours
@pytest.mark.parametrize(
    ("kind", "logical", "count"),
    [
        (check_configuration_sets._DESTINATION, check_configuration_sets._BUILT_IN, 3),
        (check_destinations._STREAMS, check_destinations._EVENTS_STREAM, 1),
        (check_identities._TYPE, check_identities._ATTACHED, 1),
    ],
)
def test_the_doctor_tells_our_resources_from_others(
    sending: dict[str, Any], kind: str, logical: str, count: int
) -> None:
    """By their logical ids, beside destinations, sets and identities that cdk.json names."""
    resources = tuple(
        Resource(kind=each["Type"], logical=name, name=name)
        for name, each in sending["Resources"].items()
    )
    stack = Stack(name="x", resources=resources)
    assert len(stack.named(kind, logical)) == count
    assert len(stack.names(kind)) > count


def test_the_doctor_knows_the_names(template: dict[str, Any]) -> None:
    """Rule and configuration set are looked for by the names the stack gives them."""
    (rule,) = of_type(template, "AWS::SES::ReceiptRule")
    (configuration_set,) = of_type(template, "AWS::SES::ConfigurationSet")
    assert rule["Rule"]["Name"] == configuration_set["Name"] == DEPLOYMENT.full_name
