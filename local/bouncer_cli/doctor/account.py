"""Asks AWS without changing anything, and puts each failure to answer into one sentence.

Timeouts are short, and a service that can't be reached is not tried again: the doctor must not
hang.
"""

import re
from typing import Any

from boto3 import Session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

from bouncer.errors import BouncerError

# Describing rule sets and configuration sets is limited to one call a second (SES API reference);
# the SDK waits and tries again.
CONFIG = Config(connect_timeout=3, read_timeout=8, retries={"mode": "standard", "max_attempts": 4})

_READING = ("describe_", "get_", "list_", "simulate_")
_IAM_PREFIX = {"sesv2": "ses"}  # Service Authorization Reference: both APIs share one prefix
IAM_ACTION = {  # where it is not named as the call
    "CopyObject": "PutObject",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "ListObjectsV2": "ListBucket",
}
_DENIED = {
    *("AccessDenied", "AuthorizationError", "NotAuthorized", "UnauthorizedOperation"),
    *("KMS.AccessDenied", "KmsAccessDenied"),  # SQS's words
}
_OF_KMS = re.compile(r"kms:[A-Za-z]+")  # in the text of a service that may not use a key for us
_NOT_FOUND = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "ConfigurationSetDoesNotExist",
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchKey",
    "NoSuchLifecycleConfiguration",
    "NotFound",
    "QueueDoesNotExist",
    "ResourceNotFound",
    "RuleSetDoesNotExist",
}
_UNKNOWN = {"InternalFailure", "InvalidAction", "NotImplemented", "UnknownOperation", "501", "404"}
_LOGIN = {
    "ExpiredToken",
    "InvalidClientTokenId",
    "InvalidSignature",
    "SignatureDoesNotMatch",
    "UnrecognizedClient",
}
_LOG_IN_AGAIN = "log in again, or set AWS_PROFILE to a profile that works"
_UNUSABLE_CREDENTIALS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
TRY_AGAIN = "run bouncer doctor again in a minute"
_CHECK_SETUP = "check the AWS configuration, the region and AWS_ENDPOINT_URL"
_NOT_ENABLED = {"OptInRequired", "SubscriptionRequired"}


class NotFoundError(BouncerError):
    """AWS answered that the resource asked for does not exist."""


class UnavailableError(BouncerError):
    """AWS gave no answer to judge by; `next_step` says how to get one.

    `hopeless` if every other call would fail for the same reason, `unreachable` if no endpoint
    answered.
    """

    def __init__(
        self, text: str, next_step: str, *, hopeless: bool = False, unreachable: bool = False
    ) -> None:
        super().__init__(text)
        self.next_step = next_step
        self.hopeless = hopeless
        self.unreachable = unreachable


class Account:
    """One account in one region, through a boto3 session; boto3 honours AWS_ENDPOINT_URL.

    `answered` becomes true with the first answer of AWS, even a refusal. Each answer is kept, so
    that all checks of an examination judge the same state.
    """

    def __init__(self, session: Session, region: str) -> None:
        self.region = region
        self.answered = False
        self._session = session
        self._clients: dict[str, Any] = {}
        self._silent: dict[str, UnavailableError] = {}
        self._answers: dict[str, dict[str, Any]] = {}

    def client(self, service: str) -> Any:
        """Return the one client of a service; raises `UnavailableError`."""
        if service not in self._clients:
            try:
                self._clients[service] = self._session.client(
                    service,  # type: ignore[call-overload]  # the stub lists literals
                    region_name=self.region,
                    config=self.config(service),
                )
            except (BotoCoreError, ValueError) as error:
                remedy = "check the region (--region) and AWS_ENDPOINT_URL"
                raise UnavailableError(
                    f"the SDK can't call {service} ({error})", remedy, hopeless=True
                ) from error
        return self._clients[service]

    def config(self, service: str) -> Config:  # noqa: ARG002  # a subclass has longer ones
        """Return the timeouts and retries of a service's client."""
        return CONFIG

    @property
    def emulator(self) -> str | None:
        """The address of the endpoint that stands in for AWS; None for AWS itself."""
        url = str(self.client("sts").meta.endpoint_url)
        return None if "amazonaws." in url or "api.aws" in url else url

    def ask(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to a reading call; raises `NotFoundError` or `UnavailableError`."""
        if not operation.startswith(_READING):
            raise ValueError(operation)
        client = self.client(service)
        if service in self._silent:
            raise self._silent[service]
        question = f"{service} {operation} {sorted(parameters.items())}"
        if question in self._answers:
            return self._answers[question]
        try:
            answer: dict[str, Any] = getattr(client, operation)(**parameters)
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            self.answered |= isinstance(error, ClientError)
            raise self.meaning(service, operation, error) from error
        self.answered = True
        self._answers[question] = answer
        return answer

    def pages(
        self, service: str, operation: str, members: str, **parameters: Any
    ) -> list[dict[str, Any]]:
        """Return the members of all pages of a listing; raises what `ask` raises."""
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            answer = self.ask(service, operation, **parameters, **token)
            found += answer.get(members, [])
            if not answer.get("NextToken"):
                return found
            token = {"NextToken": answer["NextToken"]}

    def meaning(self, service: str, operation: str, error: BaseException | None) -> BouncerError:
        """Return the error of ours that says what an exception of the SDK means."""
        api = self.client(service).meta.method_to_api_mapping[operation]
        if isinstance(error, ClientError):
            action = f"{_IAM_PREFIX.get(service, service)}:{IAM_ACTION.get(api, api)}"
            return _refusal(action, error)
        if isinstance(error, NoCredentialsError):
            return UnavailableError("found no credentials", _LOG_IN_AGAIN, hopeless=True)
        if isinstance(error, _UNUSABLE_CREDENTIALS):
            text = f"the credentials can't be used: {error}"
            return UnavailableError(text, _LOG_IN_AGAIN, hopeless=True)
        if isinstance(error, ParamValidationError):
            remedy = "correct the setting in cdk.json from which this value comes"
            return UnavailableError(f"{api} could not be sent: {error}", remedy)
        if isinstance(error, ResponseParserError):
            text = f"the answer to {api} could not be read: {error}"
            return UnavailableError(text, "check AWS_ENDPOINT_URL and HTTPS_PROXY")
        if not isinstance(error, (HTTPClientError, NoConnectionError)):
            return UnavailableError(f"{api} could not be sent: {error}", _CHECK_SETUP)
        self._silent[service] = UnavailableError(
            f"{service} can't be reached ({type(error).__name__})",
            f"check the network and AWS_ENDPOINT_URL, and that {self.region} offers this service",
            unreachable=True,
        )
        return self._silent[service]


def _refusal(action: str, error: ClientError) -> BouncerError:
    fault = error.response.get("Error", {})
    code, said = str(fault.get("Code", "")), str(fault.get("Message", ""))
    short = code.removesuffix("Exception")
    if short in _NOT_FOUND or (short == "ValidationError" and "does not exist" in said):
        return NotFoundError(f"{action}: {code}")
    if short in _DENIED:
        needed = _OF_KMS.search(said)
        action = needed[0] if needed else action
        return UnavailableError(
            f"{action} was answered with {code}", f"allow {action} to these credentials in IAM"
        )
    if short in _LOGIN:
        remedy = f"{_LOG_IN_AGAIN}; enable the region, if AWS lists it as opt-in"
        return UnavailableError(f"{code}: {said}", remedy, hopeless=True)
    if short in _NOT_ENABLED:
        return UnavailableError(
            f"{action} was answered with {code}: {said}",
            "enable the service or the region in the console",
        )
    if short in ("Validation", "ValidationError"):
        return UnavailableError(
            f"{action} was answered with {code}: {said}",
            "correct the setting in cdk.json that AWS names",
        )
    if short in _UNKNOWN:
        return UnavailableError(
            f"{code}: this endpoint does not know {action}", "check this in the AWS console"
        )
    return UnavailableError(f"{action} was answered with {code}: {said}", TRY_AGAIN)
