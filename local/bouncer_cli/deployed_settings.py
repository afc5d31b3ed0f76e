"""Reads the settings that a deployment's intake has from its stack: cdk.json's block `settings`.

They hold where the parameter `settings` says nothing. Lambda lists functions with their environment
(Lambda API reference, ListFunctions), and ours name the prefix they read below. Nothing is changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bouncer.environment import PREFIX_KEY, REGION_KEY, IntakeEnvironment
from bouncer.errors import BouncerError
from bouncer.operator_settings import Settings

if TYPE_CHECKING:  # boto3 takes a second, and most replays need none of it
    from bouncer_cli.doctor.account import Account

_HANDLER = "bouncer.intake.handler"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedSettings:
    """The settings of the function `source`, or the `problem` for which they are not known."""

    settings: Settings
    source: str = ""
    problem: str = ""


def deployed_settings(account: "Account", prefix: str) -> DeployedSettings:
    """Return the settings of the intake that reads below a prefix, built-in ones if not known."""
    from bouncer_cli.doctor.account import UnavailableError  # noqa: PLC0415  # the account has it

    try:
        found = [each for each in _functions(account) if _is_intake(each, prefix)]
        if len(found) == 1:
            return _of(found[0], account.region)
        intakes = f"{len(found)} intakes" if found else "no intake"
        problem = f"found {intakes} with the prefix {prefix}, expected one"
    except UnavailableError as error:
        problem = f"{error}; {error.next_step}"
    except BouncerError as error:
        problem = str(error)
    return DeployedSettings(settings=Settings(), problem=problem)


def _functions(account: "Account") -> Iterator[dict[str, Any]]:
    marker: dict[str, str] = {}
    while True:
        answer = account.ask("lambda", "list_functions", **marker)
        yield from answer.get("Functions", [])
        if not answer.get("NextMarker"):
            return
        marker = {"Marker": answer["NextMarker"]}


def _is_intake(function: dict[str, Any], prefix: str) -> bool:
    named = _variables(function).get(PREFIX_KEY, "").rstrip("/")
    return named == prefix.rstrip("/") and function.get("Handler") == _HANDLER


def _of(function: dict[str, Any], region: str) -> DeployedSettings:
    """Read the environment as the intake itself does."""
    environment = IntakeEnvironment.from_env({**_variables(function), REGION_KEY: region})
    return DeployedSettings(settings=environment.defaults, source=function["FunctionName"])


def _variables(function: dict[str, Any]) -> dict[str, str]:
    variables: dict[str, str] = function.get("Environment", {}).get("Variables", {})
    return variables
