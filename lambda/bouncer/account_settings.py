"""The Lambda function behind two custom resources: switches SES has one of, taken only when free.

A region has one active receipt rule set, an identity one default configuration set. A stack may
hold such a switch, but what somebody else set is never changed: holding is refused in one sentence,
and giving up leaves alone what is no longer ours. SES has no conditional write, so a switch that
somebody flips between our reading and our writing is not noticed.
"""

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bouncer.aws.exclusive_setting import (
    ActiveRuleSet,
    DefaultConfigurationSet,
    Step,
    Switch,
    SwitchError,
    Wish,
    read_wish,
    to_give_up,
    to_hold,
)

if TYPE_CHECKING:
    from mypy_boto3_ses import SESClient
    from mypy_boto3_sesv2 import SESV2Client

T = TypeVar("T")

# Describing and setting the active rule set is limited to one call a second (SES API reference).
CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 8})

# IAM: a new policy takes seconds to be known everywhere; ours may be as new as the deployment.
_DENIED = {"AccessDenied", "AccessDeniedException"}
_DENIED_TRIES = 7
_DENIED_PAUSE_S = 5


class Switches:
    """Carries out the events of custom resources; `sleep` waits for seconds."""

    def __init__(
        self,
        *,
        ses: Callable[[], "SESClient"],
        sesv2: Callable[[], "SESV2Client"],
        sleep: Callable[[float], None],
    ) -> None:
        self._ses = ses
        self._sesv2 = sesv2
        self._sleep = sleep

    def handle(self, event: Mapping[str, Any]) -> dict[str, str]:
        """The answer to CDK's provider framework; raises `SwitchError` with what to tell.

        The physical id never changes, so CloudFormation asks for a new name by an update, which
        knows the old one, and never by a deletion afterwards.
        """
        wish = read_wish(event["ResourceProperties"])
        if event["RequestType"] == "Delete":
            self._give_up(wish)
        else:
            old = event.get("OldResourceProperties")
            self._hold(wish, read_wish(old) if old else None)
        return {"PhysicalResourceId": event.get("PhysicalResourceId") or str(wish.kind)}

    def _hold(self, wish: Wish, before: Wish | None) -> None:
        """Take the new switch first; one we held before is given up only then."""
        switch = self._switch(wish)
        found = self._ask(switch, switch.read)
        step = to_hold(found, wish, before)
        if step is Step.REFUSE:
            taken = f'{switch.place}: found "{found.name}", expected none; {switch.remedy}'
            raise SwitchError(found.obstacle or taken)
        if step is Step.SET:
            self._ask(switch, lambda: switch.write(wish.name))
        # The same switch must not be read again: an answer a moment old would have us clear it.
        if before and not wish.same_switch(before):
            self._give_up(before)

    def _give_up(self, wish: Wish) -> None:
        switch = self._switch(wish)
        if to_give_up(self._ask(switch, switch.read), wish) is Step.CLEAR:
            self._ask(switch, lambda: switch.write(None))

    def _switch(self, wish: Wish) -> Switch:
        if wish.identity is None:
            return ActiveRuleSet(self._ses())
        return DefaultConfigurationSet(self._sesv2(), wish.identity)

    def _ask(self, switch: Switch, call: Callable[[], T]) -> T:
        """Ask SES, patient with a policy it does not know yet; raises only `SwitchError`."""
        for tries_left in reversed(range(_DENIED_TRIES)):
            try:
                return call()
            except ClientError as error:
                fault = error.response.get("Error", {})
                if fault.get("Code") not in _DENIED or not tries_left:
                    said = f"{fault.get('Code')}: {fault.get('Message')}"
                    raise SwitchError(f"{switch.place}: SES refused ({said})") from error
            except BotoCoreError as error:
                said = type(error).__name__
                raise SwitchError(f"{switch.place}: SES can't be reached ({said})") from error
            self._sleep(_DENIED_PAUSE_S)
        raise AssertionError  # the last try returns or raises


@cache
def _ses() -> "SESClient":
    return boto3.client("ses", config=CONFIG)


@cache
def _sesv2() -> "SESV2Client":
    return boto3.client("sesv2", config=CONFIG)


def handler(event: Mapping[str, Any], context: object) -> dict[str, str]:  # noqa: ARG001  # Lambda's
    """The Lambda entry point, called by CDK's provider framework."""
    return Switches(ses=_ses, sesv2=_sesv2, sleep=time.sleep).handle(event)
