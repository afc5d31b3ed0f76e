"""Checks that the deployments of a region together call SendBounce at most once a second.

SES counts the calls of the whole account and region; each deployment paces its own calls only.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bouncer.errors import DocumentError
from bouncer.operator_settings import Settings
from bouncer.settings_reader import overlaid
from bouncer.sources.source import SETTINGS
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.check_documents import deployed_settings
from bouncer_cli.doctor.deployed_stack import find_stack
from bouncer_cli.doctor.finding import Findings, ok, warning
from bouncer_infra.deployment_settings import NAME_PREFIX

_RATE = "rate"

_MOST = 1.0  # SendBounce calls a second (SES API reference, SendBounce)
_CLOSE = 1e-6


def rate(context: CheckContext) -> Findings:
    """Add up the rates of all deployments that these credentials can see in the region."""
    if not context.stack.deployed:
        return
    rates = {name: _rate_of(context, name, prefix) for name, prefix in _deployments(context)}
    total = sum(rates.values())
    each = ", ".join(f"{name} {value:g}" for name, value in sorted(rates.items()))
    found = f"SendBounce calls a second in this region, at most: {total:g} ({each})"
    if total <= _MOST + _CLOSE:
        yield ok(_RATE, found)
        return
    remedy = "set rate in the settings of each deployment, so that all together have at most 1.0"
    yield warning(_RATE, f"{found}; SES takes {_MOST:g}", remedy)


def _deployments(context: CheckContext) -> Iterator[tuple[str, str]]:
    """Yield the stack's name and the prefix of each deployment."""
    yield context.stack.name, context.deployment.prefix
    for stack in context.account.pages("cloudformation", "describe_stacks", "Stacks"):
        name, prefix = stack["StackName"], _prefix(stack)
        if name.startswith(NAME_PREFIX) and name != context.stack.name and prefix:
            yield name, prefix


def _prefix(stack: Mapping[str, Any]) -> str:
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    return str(outputs.get("RulesPrefix", "")).removesuffix("/rules/")


def _rate_of(context: CheckContext, name: str, prefix: str) -> float:
    """Return the rate in force; settings that are invalid leave the deployment's own in force."""
    stack, _ = find_stack(context.account, name)
    settings = deployed_settings(context.account, stack) or Settings()
    parameters = context.account.pages("ssm", "get_parameters_by_path", "Parameters", Path=prefix)
    for parameter in parameters:
        if parameter["Name"] == f"{prefix}/{SETTINGS}":
            try:
                settings = overlaid(settings, parameter["Value"])
            except DocumentError:
                break  # the check of settings has reported it
    return settings.rate
