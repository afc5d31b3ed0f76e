"""Puts each failure of AWS to answer a question of a report into one sentence with a next step."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from bouncer.reporting.journal_query import NotKnownError

_DENIED = ("AccessDenied", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized")
_MISSING = ("ResourceNotFound", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
_OF_KEYS = ("kms.", "kmsaccessdenied")  # begin the codes by which services pass on what KMS said


@contextmanager
def asking(action: str) -> Iterator[None]:
    """Turn the SDK's errors into `NotKnownError`; `action` is the call as IAM names it."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "an error"))
        raise NotKnownError(f"{action} was answered with {code}: {_next_step(action, code)}") from (
            error
        )
    except (BotoCoreError, ResponseParserError) as error:
        raise NotKnownError(
            f"{action} had no answer ({type(error).__name__}): run bouncer report later"
        ) from error


def _next_step(action: str, code: str) -> str:
    name = code.removesuffix("Exception")
    if name in _DENIED:
        return f"allow {action} in IAM"
    if name.lower().startswith(_OF_KEYS):
        return "allow kms:Decrypt on kms_key, and look if the key is enabled"
    if name in _MISSING:
        return "run bouncer doctor"
    if name == "MalformedQuery":
        return "this is a defect of the bouncer, please report it"
    return "run bouncer report later"
