"""`bouncer doctor` looks for what the stack is made of."""

from typing import Any

from bouncer.function_limits import LEDGER_EXPIRES
from bouncer_cli.doctor import (
    check_functions,
    check_identities,
    check_ledger,
    check_queue_mapping,
    check_queues,
)
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
    assert of_type(template, check_identities._ATTACHED)  # noqa: SLF001  # its word for our resource
    (table,) = of_type(template, *check_ledger.TABLES)
    assert table["TimeToLiveSpecification"]["AttributeName"] == LEDGER_EXPIRES


def test_the_doctor_knows_the_names(template: dict[str, Any]) -> None:
    """Rule and configuration set are looked for by the names the stack gives them."""
    (rule,) = of_type(template, "AWS::SES::ReceiptRule")
    (configuration_set,) = of_type(template, "AWS::SES::ConfigurationSet")
    assert rule["Rule"]["Name"] == configuration_set["Name"] == DEPLOYMENT.full_name
