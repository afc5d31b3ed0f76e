"""Puts each failure of AWS to answer a question of a report into one sentence with a next step."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from bouncer.reporting.journal_query import NotKnownError

_DENIED = ("AccessDenied", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized")


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
    if code.removesuffix("Exception") in _DENIED:
        return f"allow {action} in IAM"
    return "run bouncer report later"
