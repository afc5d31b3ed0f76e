"""Builders for the tests of intake."""

from typing import Any

REJECT = "when: {recipient: ann@example.com}\nreject: {type: DoesNotExist, message: Gone.}"


def event(*recipients: str, **mail: Any) -> dict[str, Any]:
    verdicts = {
        f"{name}Verdict": {"status": "PASS"} for name in ("spf", "dkim", "dmarc", "spam", "virus")
    }
    record = {
        "mail": {
            "messageId": "m1",
            "source": "eve@partner.example",
            "timestamp": "2026-11-02T08:00:00.000Z",
            "headers": [{"name": "From", "value": "Eve <eve@partner.example>"}],
            **mail,
        },
        "receipt": {"recipients": list(recipients) or ["ann@example.com"], **verdicts},
    }
    return {"Records": [{"eventSource": "aws:ses", "ses": record}]}
