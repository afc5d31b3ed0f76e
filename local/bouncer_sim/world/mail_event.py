"""The event with which SES invokes a function for a received mail."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

_AUTHENTICATION = ("spf", "dkim", "dmarc")
_SCANS = ("spam", "virus")


def mail_event(
    message_id: str,
    *,
    sender: str,
    recipients: Iterable[str],
    received_at: float,
    headers: Iterable[tuple[str, str]] = (),
    vouched: bool = True,
) -> dict[str, Any]:
    """Return the event of a mail; `received_at` is epoch seconds.

    Its verdicts are all PASS, or all FAIL but those of the scans if nobody vouches for the sender.
    """
    timestamp = datetime.fromtimestamp(received_at, UTC).isoformat(timespec="milliseconds")
    listed = [("From", sender), ("Subject", f"Mail {message_id}"), *headers]
    mail = {
        "messageId": message_id,
        "source": sender,
        "timestamp": timestamp.replace("+00:00", "Z"),
        "headers": [{"name": name, "value": value} for name, value in listed],
    }
    verdicts = {
        f"{name}Verdict": {"status": "PASS" if vouched or name in _SCANS else "FAIL"}
        for name in (*_AUTHENTICATION, *_SCANS)
    }
    receipt = {"recipients": list(recipients), **verdicts}
    return {"Records": [{"eventSource": "aws:ses", "ses": {"mail": mail, "receipt": receipt}}]}
