"""The Lambda function behind two custom resources: settings a stack takes over while it exists.

It carries out CloudFormation's requests and answers each of them. `bouncer.aws.exclusive_setting`
says which settings these are and when they are left alone.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bouncer.aws.custom_resource import NOT_CREATED, RESERVE_S, Result, answer, result_of
from bouncer.aws.exclusive_setting import (
    ActiveRuleSet,
    DefaultConfigurationSet,
    DesiredSetting,
    ExclusiveSetting,
    SettingError,
    Step,
    read_desired_setting,
    step_to_give_up,
    step_to_hold,
)
from bouncer.aws.powertools_writer import powertools_writer
from bouncer.journal_entry import Entry

if TYPE_CHECKING:
    from mypy_boto3_ses import SESClient
    from mypy_boto3_sesv2 import SESV2Client

T = TypeVar("T")

# Describing and setting the active rule set is limited to one call a second (SES API reference).
CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 5})
_LONGEST_CALL_S = 90  # five attempts of 13 seconds, and the SDK's pauses between them

# IAM: a new policy takes seconds to be known everywhere; ours may be as new as the deployment.
_DENIED = {"AccessDenied", "AccessDeniedException"}
_DENIED_TRIES = 7
_DENIED_PAUSE_S = 5


class AccountSettings:
    """Carries out one request of CloudFormation; `left_s` is the time left for it, in seconds.

    `change_began` is set before SES is asked to change anything: from then on, a failed request may
    have changed the setting.
    """

    def __init__(
        self,
        *,
        ses: Callable[[], "SESClient"],
        sesv2: Callable[[], "SESV2Client"],
        sleep: Callable[[float], None],
        left_s: Callable[[], float],
    ) -> None:
        self._ses = ses
        self._sesv2 = sesv2
        self._sleep = sleep
        self._left_s = left_s
        self.change_began = False

    def carry_out(self, request: Mapping[str, Any]) -> str:
        """Hold or give up a setting and return its physical id; raises `SettingError`.

        The physical id never changes, so CloudFormation asks for a new name by an update, which
        knows the old one, and never by a deletion afterwards.
        """
        physical_id = request.get("PhysicalResourceId")
        if request["RequestType"] == "Delete" and physical_id == NOT_CREATED:
            return NOT_CREATED
        desired = read_desired_setting(request["ResourceProperties"])
        if request["RequestType"] == "Delete":
            self._give_up(desired)
        else:
            old = request.get("OldResourceProperties")
            self._hold(desired, read_desired_setting(old) if old else None)
        return str(physical_id or _new_id(request, desired))

    def failed_id(self, request: Mapping[str, Any]) -> str:
        """Return the physical id for the answer that a request failed.

        CloudFormation deletes what it could not create. A setting that may have been changed has to
        be given up then; one that was not touched may be somebody else's, and has to stay.
        """
        if known := request.get("PhysicalResourceId"):
            return str(known)
        if not self.change_began:
            return NOT_CREATED
        return _new_id(request, read_desired_setting(request["ResourceProperties"]))

    def _hold(self, desired: DesiredSetting, before: DesiredSetting | None) -> None:
        """Take the new setting first; one we held before is given up only then."""
        setting = self._setting(desired)
        current = self._ask(setting, setting.read)
        step = step_to_hold(current, desired, before)
        if step is Step.REFUSE:
            taken = f'{setting.place}: found "{current.name}", expected none; {setting.remedy}'
            raise SettingError(current.obstacle or taken)
        if step is Step.SET:
            self._change(setting, desired.name)
        # The same setting must not be read again: an answer a moment old would have us clear it.
        if before and not desired.same_setting(before):
            self._give_up(before)

    def _give_up(self, desired: DesiredSetting) -> None:
        setting = self._setting(desired)
        if step_to_give_up(self._ask(setting, setting.read), desired) is Step.CLEAR:
            self._change(setting, None)

    def _setting(self, desired: DesiredSetting) -> ExclusiveSetting:
        if desired.identity is None:
            return ActiveRuleSet(self._ses())
        return DefaultConfigurationSet(self._sesv2(), desired.identity)

    def _change(self, setting: ExclusiveSetting, name: str | None) -> None:
        def change() -> None:
            self.change_began = True
            setting.write(name)

        self._ask(setting, change)

    def _ask(self, setting: ExclusiveSetting, call: Callable[[], T]) -> T:
        """Ask SES, trying again while AWS does not know a new IAM policy; only `SettingError`."""
        for tries_left in reversed(range(_DENIED_TRIES)):
            if self._left_s() < _LONGEST_CALL_S:
                raise SettingError(
                    f"{setting.place}: found no time left to ask SES, expected at least "
                    f"{_LONGEST_CALL_S} seconds; deploy again"
                )
            try:
                return call()
            except ClientError as error:
                fault = error.response.get("Error", {})
                if fault.get("Code") not in _DENIED or not tries_left:
                    said = f"{fault.get('Code')}: {fault.get('Message')}"
                    raise SettingError(f"{setting.place}: SES refused ({said})") from error
            except BotoCoreError as error:
                kind = type(error).__name__
                raise SettingError(f"{setting.place}: SES can't be reached ({kind})") from error
            self._sleep(_DENIED_PAUSE_S)
        raise AssertionError  # the last try returns or raises


def _new_id(request: Mapping[str, Any], desired: DesiredSetting) -> str:
    """Return the physical id of a new resource, which no other one of the stack has."""
    return f"{desired.kind}-{request['LogicalResourceId']}"


@cache
def _ses() -> "SESClient":
    return boto3.client("ses", config=CONFIG)


@cache
def _sesv2() -> "SESV2Client":
    return boto3.client("sesv2", config=CONFIG)


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Carry out one request of CloudFormation and answer it: the Lambda entry point.

    Raises only if CloudFormation could not be answered; Lambda then tries the whole of it again.
    """

    def left_s() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    def left_for_work_s() -> float:
        return left_s() - RESERVE_S

    settings = AccountSettings(ses=_ses, sesv2=_sesv2, sleep=time.sleep, left_s=left_for_work_s)
    result = result_of(
        lambda: settings.carry_out(event),
        failed_id=lambda: settings.failed_id(event),
        within_s=left_for_work_s(),
    )
    _report(event, result, context.aws_request_id)
    answer(event, result, left_s=left_s, sleep=time.sleep)


def _report(request: Mapping[str, Any], result: Result, request_id: str) -> None:
    """Write one line to the log; the journal of mails and bounces has its own lines and metrics."""
    fields = {
        "stack": request.get("StackId"),
        "request": request.get("RequestType"),
        "properties": request.get("ResourceProperties"),
        "physical_id": result.physical_id,
        "failure": result.failure,
    }
    with suppress(Exception):  # CloudFormation waits for an answer, whatever becomes of the log
        powertools_writer("account_settings")(
            Entry(
                level="error" if result.failure else "info",
                event="account_setting",
                request_id=request_id,
                fields=fields,
                counts={},
                dimensions={},
            )
        )
