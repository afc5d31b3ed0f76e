"""The errors of AWS services as boto3 raises them."""

from functools import cache
from typing import Any

from botocore.exceptions import ClientError

BAD_REQUEST = 400
FORBIDDEN = 403
SERVER_ERROR = 500
UNAVAILABLE = 503


@cache
def error_class(code: str) -> type[ClientError]:
    """Return boto3's class of an error, as `client.exceptions` has it."""
    return type(code, (ClientError,), {})


def service_error(
    code: str, text: str = "", *, status: int = BAD_REQUEST, **members: Any
) -> ClientError:
    """Return the error a client raises for an answer with this code, text and HTTP status."""
    response: Any = {
        "Error": {"Code": code, "Message": text or code},
        "ResponseMetadata": {
            "HTTPStatusCode": status,
            "RequestId": "simulated",
            "RetryAttempts": 0,
        },
        **members,
    }
    return error_class(code)(response, "Operation")


class ErrorClasses:
    """The attribute `exceptions` of a client."""

    def __getattr__(self, code: str) -> type[ClientError]:
        return error_class(code)
