"""Asks AWS, never changes it, and turns every way of not answering into one sentence.

Timeouts are short and a service that can't be reached is not tried again: the doctor must not hang.
"""

from typing import Any

from boto3 import Session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError

from bouncer.errors import BouncerError

# Describing rule sets and configuration sets is limited to one call a second (SES API reference);
# the SDK waits and tries again.
CONFIG = Config(connect_timeout=3, read_timeout=8, retries={"mode": "standard", "max_attempts": 4})

_READING = ("describe_", "get_", "list_")
_IAM_PREFIX = {"sesv2": "ses"}  # Service Authorization Reference: both APIs share one prefix
_DENIED = {"AccessDenied", "AuthorizationError", "NotAuthorized", "UnauthorizedOperation"}
_NOT_FOUND = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "ConfigurationSetDoesNotExist",
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
_LOG_IN_AGAIN = "log in again, or name a profile with AWS_PROFILE"
_NOT_ENABLED = {"OptInRequired", "SubscriptionRequired"}


class NotFoundError(BouncerError):
    """AWS answered that it has no such thing."""


class UnavailableError(BouncerError):
    """No answer to judge by; `next_step` says what would make one possible.

    `hopeless` if no other call would fare better.
    """

    def __init__(self, text: str, next_step: str, *, hopeless: bool = False) -> None:
        super().__init__(text)
        self.next_step = next_step
        self.hopeless = hopeless


class Account:
    """One account in one region, through a boto3 session; AWS_ENDPOINT_URL is honoured by boto3.

    `answered` tells whether AWS has answered anything yet, be it a refusal. Nothing it answered is
    asked again: all checks of an examination speak of one moment.
    """

    def __init__(self, session: Session, region: str) -> None:
        self.region = region
        self.answered = False
        self._session = session
        self._clients: dict[str, Any] = {}
        self._silent: dict[str, UnavailableError] = {}
        self._answers: dict[str, dict[str, Any]] = {}

    def client(self, service: str) -> Any:
        """The one client of a service; raises `UnavailableError`."""
        if service not in self._clients:
            try:
                self._clients[service] = self._session.client(
                    service,  # type: ignore[call-overload]  # the stub lists literals
                    region_name=self.region,
                    config=CONFIG,
                )
            except (BotoCoreError, ValueError) as error:
                remedy = "check the region and AWS_ENDPOINT_URL"
                raise UnavailableError(
                    f"no client for {service} ({error})", remedy, hopeless=True
                ) from error
        return self._clients[service]

    @property
    def emulator(self) -> str | None:
        """The address AWS is reached at, if it is not AWS's own."""
        url = str(self.client("sts").meta.endpoint_url)
        return None if "amazonaws." in url or "api.aws" in url else url

    def ask(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a reading call; raises `NotFoundError` or `UnavailableError`."""
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
        """The members of all pages of a listing; raises as `ask` does."""
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            answer = self.ask(service, operation, **parameters, **token)
            found += answer.get(members, [])
            if not answer.get("NextToken"):
                return found
            token = {"NextToken": answer["NextToken"]}

    def meaning(self, service: str, operation: str, error: BaseException | None) -> BouncerError:
        """What an exception of the SDK says, as one of our own."""
        api = self.client(service).meta.method_to_api_mapping[operation]
        if isinstance(error, ClientError):
            return _refusal(f"{_IAM_PREFIX.get(service, service)}:{api}", error)
        if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
            return UnavailableError("no credentials", _LOG_IN_AGAIN, hopeless=True)
        if isinstance(error, ResponseParserError):
            text = f"the answer to {api} could not be read: {error}"
            return UnavailableError(text, "check AWS_ENDPOINT_URL and any proxy")
        if not isinstance(error, (HTTPClientError, EndpointConnectionError)):
            return UnavailableError(f"{api} could not be asked: {error}", "correct that")
        self._silent[service] = UnavailableError(
            f"{service} can't be reached ({type(error).__name__})",
            f"check the network, AWS_ENDPOINT_URL and that {self.region} has this service",
        )
        return self._silent[service]


def _refusal(action: str, error: ClientError) -> BouncerError:
    fault = error.response.get("Error", {})
    code, said = str(fault.get("Code", "")), str(fault.get("Message", ""))
    short = code.removesuffix("Exception")
    if short in _NOT_FOUND or (short == "ValidationError" and "does not exist" in said):
        return NotFoundError(f"{action}: {code}")
    if short in _DENIED:
        return UnavailableError(f"{code} by {action}", f"allow {action} to these credentials")
    if short in _LOGIN:
        remedy = f"{_LOG_IN_AGAIN}; in a region that must be enabled first, enable it"
        return UnavailableError(f"{code}: {said}", remedy, hopeless=True)
    if short in _NOT_ENABLED:
        return UnavailableError(f"{code} by {action}: {said}", "enable the service, or the region")
    if short in ("Validation", "ValidationError"):
        return UnavailableError(f"{code} by {action}: {said}", "correct that in cdk.json")
    if short in _UNKNOWN:
        return UnavailableError(
            f"{code}: no {action} here", "look into the console; this endpoint can't tell"
        )
    return UnavailableError(f"{code} by {action}: {said}", "try again in a minute")
