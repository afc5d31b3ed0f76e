"""Calls SendRawEmail for replies, and turns each failure of SES into an error of `ses_errors`."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from bouncer.jobs.reply import Reply
from bouncer.sending.reply_request import reply_request
from bouncer.sending.ses import asking
from bouncer.sending.ses_errors import DeadLetterError, Scope

# SES Developer Guide, "Amazon SES email sending errors"; then come all addresses that failed.
_UNVERIFIED = re.compile(
    r"MessageRejected: Email address is not verified\. The following identities failed the check in"
    r" region [A-Z0-9-]+: ",
    re.IGNORECASE,
)


class RawMailClient(Protocol):
    """A client of SES that can send a raw mail: boto3's, made with `ses.CONFIG`, or a fake."""

    @property
    def send_raw_email(self) -> Callable[..., Mapping[str, Any]]:
        """Send one mail."""

    def close(self) -> None:
        """Close the connection."""


class ReplySender:
    """Sends the replies of a deployment; `now` is the time of day."""

    def __init__(
        self, client: RawMailClient, *, deployment: str, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._deployment = deployment
        self._now = now

    def send(self, reply: Reply) -> str:
        """Send one reply and return its message id; raises errors of `ses_errors`, no others."""
        try:
            call = reply_request(reply, date=self._now(), deployment=self._deployment)
        except Exception as error:  # an error of this program, before SES was asked
            raise DeadLetterError(
                f"the reply can't be written as a mail: {error!r:.200}"
            ) from error
        try:
            with asking():
                return str(self._client.send_raw_email(**call)["MessageId"])
        except DeadLetterError as error:
            if _is_about_receiver_alone(error, reply):
                error.scope = Scope.JOB
            raise

    def close(self) -> None:
        """Close the connection: one kept while the function was frozen would be dead."""
        self._client.close()


def _is_about_receiver_alone(error: DeadLetterError, reply: Reply) -> bool:
    """Tell whether SES named the receiver, and nobody else, as not verified: so in the sandbox.

    What it named has to be the receiver's address as a whole, which is not ours: strangers choose
    theirs.
    """
    said = str(error)
    found = _UNVERIFIED.match(said)
    return found is not None and said[found.end() :].strip().lower() == reply.sender.lower()
