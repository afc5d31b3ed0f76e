"""The event with which SES invokes a function for a received mail."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

_VERDICTS = ("spf", "dkim", "dmarc", "spam", "virus")


def mail_event(
    message_id: str,
    *,
    sender: str,
    recipients: Iterable[str],
    received_at: float,
    headers: Iterable[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Return the event of a mail whose verdicts are all PASS; `received_at` is epoch seconds."""
    timestamp = datetime.fromtimestamp(received_at, UTC).isoformat(timespec="milliseconds")
    listed = [("From", sender), ("Subject", f"Mail {message_id}"), *headers]
    mail = {
        "messageId": message_id,
        "source": sender,
        "timestamp": timestamp.replace("+00:00", "Z"),
        "headers": [{"name": name, "value": value} for name, value in listed],
    }
    verdicts = {f"{name}Verdict": {"status": "PASS"} for name in _VERDICTS}
    receipt = {"recipients": list(recipients), **verdicts}
    return {"Records": [{"eventSource": "aws:ses", "ses": {"mail": mail, "receipt": receipt}}]}
