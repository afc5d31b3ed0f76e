"""CloudFormation's handlers for resources that exist in the emulator, and do nothing there."""

from typing import Any

Properties = dict[str, Any]
Created = tuple[str, dict[str, str]]  # physical id, attributes


def simplified(alarm: dict[str, Any]) -> dict[str, Any]:
    """Return the handlers of AWS::CloudWatch::Alarm, for alarms on metric math as well.

    ministack refuses those: such an alarm is created on a metric that is named for its expression.
    Nobody writes that metric, so the alarm exists and stays without data.
    """

    def create(logical_id: str, props: Properties, stack: str) -> Created:
        return alarm["create"](logical_id, _on_one_metric(props), stack)  # type: ignore[no-any-return]

    def update(name: str, old: Properties, new: Properties, *more: Any) -> Created:
        return alarm["update"](name, _on_one_metric(old), _on_one_metric(new), *more)  # type: ignore[no-any-return]

    return {**alarm, "create": create, "update": update}


def _on_one_metric(props: Properties) -> Properties:
    if not props.get("Metrics"):
        return props
    name = next((str(each["Expression"]) for each in props["Metrics"] if "Expression" in each), "?")
    kept = {key: value for key, value in props.items() if key != "Metrics"}
    stand_in = {"Namespace": "MetricMath", "MetricName": name, "Statistic": "Sum", "Period": 300}
    return {**stand_in, **kept}


def _record(logical_id: str, props: Properties, stack: str) -> Created:  # noqa: ARG001
    name = f"{stack}-{logical_id}"
    return name, dict.fromkeys(("Arn", "Id", "NamedQueryId", "QueryDefinitionId"), name)


def _record_again(name: str, old: Properties, new: Properties, stack: str) -> Created:  # noqa: ARG001
    return name, {}


def _forget(name: str, props: Properties) -> None:
    """Delete nothing, as nothing was created."""


# Types that ministack does not know and nobody reads: they are only noted as created.
INERT = (
    "AWS::Athena::NamedQuery",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::Logs::QueryDefinition",
)
RECORDED = {"create": _record, "update": _record_again, "delete": _forget}
