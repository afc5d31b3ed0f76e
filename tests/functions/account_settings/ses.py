"""SES as the function of account settings sees it, and the requests of CloudFormation."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError

from bouncer.account_settings import CONFIG, AccountSettings
from bouncer.aws.exclusive_setting import (
    SettingError,
)

RULES = {"Kind": "ActiveRuleSet", "RuleSetName": "ours"}
SET = {
    "Kind": "DefaultConfigurationSet",
    "EmailIdentity": "example.com",
    "ConfigurationSetName": "ours",
}
NEW_POLICY = "AccessDenied"


class Ses:
    """SES's state of both settings, under real clients: their own requests reach it.

    `faults` are codes the next calls fail with; `changes` the writes in their order.
    """

    def __init__(self) -> None:
        self.active: str | None = None
        self.rule_sets = {"ours", "second", "theirs"}
        self.identities: dict[str, str | None] = {"example.com": None, "second.example": None}
        self.unverified: set[str] = set()
        self.faults: list[str] = []
        self.vanishing: set[str] = set()
        self.unreachable = False
        self.changes: list[tuple[str, str | None]] = []
        self.slept: list[float] = []
        self.left_s = 300.0
        self.lost_answers = False

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        client = boto3.client(service, region_name="eu-west-1", config=CONFIG, **keys)  # type: ignore[call-overload]  # chosen by the caller
        client.meta.events.register(f"before-call.{service}", self._answer)
        return client

    def settings(self) -> AccountSettings:
        """The function in a new environment."""
        return AccountSettings(
            ses=lambda: self.client("ses"),
            sesv2=lambda: self.client("sesv2"),
            sleep=self.slept.append,
            left_s=lambda: self.left_s,
        )

    def _answer(self, model: Any, params: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        if self.unreachable:
            raise EndpointConnectionError(endpoint_url="https://ses.invalid")
        code, answer = (self.faults.pop(0), {}) if self.faults else self._do(model.name, params)
        if self.lost_answers and not model.name.startswith(("Describe", "Get")):
            code = "InternalFailure"
        if code:
            answer = {"Error": {"Code": code, "Message": "no"}}
        return AWSResponse("", 400 if code else 200, HTTPHeaders(), None), answer

    def _do(self, operation: str, params: Any) -> tuple[str, dict[str, Any]]:
        do: dict[str, Callable[[Any], tuple[str, dict[str, Any]]]] = {
            "DescribeActiveReceiptRuleSet": self._describe_active,
            "SetActiveReceiptRuleSet": self._set_active,
            "GetEmailIdentity": self._get_identity,
            "PutEmailIdentityConfigurationSetAttributes": self._put_default,
        }
        return do[operation](params)

    def _describe_active(self, _: Any) -> tuple[str, dict[str, Any]]:
        return "", {"Metadata": {"Name": self.active}} if self.active else {}

    def _set_active(self, params: Any) -> tuple[str, dict[str, Any]]:
        name = params["body"].get("RuleSetName")
        if name is not None and name not in self.rule_sets:
            return "RuleSetDoesNotExist", {}
        self.active = name
        self.changes.append(("active", name))
        return "", {}

    def _get_identity(self, params: Any) -> tuple[str, dict[str, Any]]:
        identity = unquote(params["url_path"].split("/")[4])
        if identity not in self.identities:
            return "NotFoundException", {}
        answer: dict[str, Any] = {"VerifiedForSendingStatus": identity not in self.unverified}
        if self.identities[identity]:
            answer["ConfigurationSetName"] = self.identities[identity]
        if identity in self.vanishing:
            del self.identities[identity]
        return "", answer

    def _put_default(self, params: Any) -> tuple[str, dict[str, Any]]:
        identity = unquote(params["url_path"].split("/")[4])
        if identity not in self.identities:
            return "NotFoundException", {}
        name = json.loads(params["body"] or "{}").get("ConfigurationSetName")
        self.identities[identity] = name
        self.changes.append((identity, name))
        return "", {}


def creation(properties: dict[str, str], logical: str = "Ours") -> dict[str, Any]:
    """The request for a new resource."""
    properties = {"ServiceToken": "x", **properties}
    return {
        "RequestType": "Create",
        "LogicalResourceId": logical,
        "ResourceProperties": properties,
    }


def create(ses: Ses, properties: dict[str, str], logical: str = "Ours") -> str:
    return ses.settings().carry_out(creation(properties, logical))


def update(ses: Ses, old: dict[str, str], properties: dict[str, str]) -> str:
    return ses.settings().carry_out(
        {
            "RequestType": "Update",
            "PhysicalResourceId": "as-it-was",
            "OldResourceProperties": old,
            "ResourceProperties": properties,
        }
    )


def delete(ses: Ses, properties: dict[str, str]) -> str:
    return ses.settings().carry_out(
        {
            "RequestType": "Delete",
            "PhysicalResourceId": "as-it-was",
            "ResourceProperties": properties,
        }
    )


def refusal(call: Callable[[], object]) -> str:
    """The one sentence a call is refused with."""
    with pytest.raises(SettingError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    return text
