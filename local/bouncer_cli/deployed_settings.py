"""Reads the settings that a deployment has from its stack: cdk.json's block `settings`.

They hold where the parameter `settings` says nothing. Lambda lists functions with their environment
(Lambda API reference, ListFunctions). The publisher has them, and names the prefix it reads below;
the intake had them before there was a publisher. Nothing is changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bouncer.environment import BUCKET_KEY, DEFAULTS_KEY, PREFIX_KEY, REPLY_SENDERS_KEY
from bouncer.errors import BouncerError
from bouncer.operator_settings import Settings
from bouncer.settings_reader import deployment_settings

if TYPE_CHECKING:  # boto3 takes a second, and most replays need none of it
    from bouncer_cli.doctor.account import Account

_PUBLISHER = "bouncer.publisher.handler"
_HANDLERS = (_PUBLISHER, "bouncer.intake.handler")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedSettings:
    """The settings of the function `source`, or the `problem` for which they are not known.

    `bucket` is that of revisions and uploads, "" if the function does not name one.
    """

    settings: Settings
    source: str = ""
    bucket: str = ""
    problem: str = ""


def deployed_settings(account: "Account", prefix: str) -> DeployedSettings:
    """Return the settings of the deployment with a prefix, built-in ones if not known."""
    from bouncer_cli.doctor.account import UnavailableError  # noqa: PLC0415  # the account has it

    try:
        found = [each for each in _functions(account) if _has_settings(each, prefix)]
        if len(found) == 1:
            return _of(found[0], account.region)
        publishers = f"{len(found)} publishers" if found else "no publisher"
        problem = f"found {publishers} with the prefix {prefix}, expected one"
    except UnavailableError as error:
        problem = f"{error}; {error.next_step}"
    except BouncerError as error:
        problem = str(error)
    return DeployedSettings(settings=Settings(), problem=problem)


def publishers(account: "Account", prefix: str) -> list[str]:
    """Return the names of the publishers that read below a prefix; raises what `ask` raises."""
    return [
        each["FunctionName"]
        for each in _functions(account)
        if each.get("Handler") == _PUBLISHER and _has_settings(each, prefix)
    ]


def _functions(account: "Account") -> Iterator[dict[str, Any]]:
    marker: dict[str, str] = {}
    while True:
        answer = account.ask("lambda", "list_functions", **marker)
        yield from answer.get("Functions", [])
        if not answer.get("NextMarker"):
            return
        marker = {"Marker": answer["NextMarker"]}


def _has_settings(function: dict[str, Any], prefix: str) -> bool:
    variables = _variables(function)
    named = variables.get(PREFIX_KEY, "").rstrip("/")
    known = function.get("Handler") in _HANDLERS and DEFAULTS_KEY in variables
    return known and named == prefix.rstrip("/")


def _of(function: dict[str, Any], region: str) -> DeployedSettings:
    """Read the settings as the publisher does."""
    variables = _variables(function)
    settings = deployment_settings(variables[DEFAULTS_KEY], region, document=DEFAULTS_KEY)
    senders = frozenset(variables.get(REPLY_SENDERS_KEY, "").lower().split())
    return DeployedSettings(
        settings=replace(settings, reply_senders=senders),
        source=function["FunctionName"],
        bucket=variables.get(BUCKET_KEY, ""),
    )


def _variables(function: dict[str, Any]) -> dict[str, str]:
    variables: dict[str, str] = function.get("Environment", {}).get("Variables", {})
    return variables
