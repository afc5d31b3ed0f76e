"""The things every check is given: the deployment wanted, the account, its stack, clock and DNS."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bouncer_cli.doctor.account import Account
from bouncer_cli.doctor.deployed_stack import Stack
from bouncer_cli.doctor.mx_lookup import Mx
from bouncer_infra.deployment_settings import DeploymentSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """One examination; `look_up_mx` returns a domain's mail exchangers or raises `LookUpError`."""

    deployment: DeploymentSettings
    account: Account
    stack: Stack
    now: datetime
    look_up_mx: Callable[[str], tuple[Mx, ...]]
