"""Tells whether a call to AWS that failed may have had its effect: its answer alone was lost."""

from bouncer import sdk_errors

_REFUSED = range(400, 500)  # HTTP statuses with which a service says that it did nothing


def may_have_worked(error: "sdk_errors.ClientError | sdk_errors.BotoCoreError") -> bool:
    """Tell whether the service may have done what the failed call asked for.

    It has not if it refused (HTTP 4xx), or if the request was never sent: the intake's own client
    then raises an error with `never_sent`.
    """
    if isinstance(error, sdk_errors.ClientError):
        return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") not in _REFUSED
    if isinstance(error, sdk_errors.ReadTimeoutError | sdk_errors.ConnectionClosedError):
        return not error.kwargs.get("never_sent")
    return False
