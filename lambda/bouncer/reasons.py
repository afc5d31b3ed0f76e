"""Why a bounce is not sent: the closed list of reasons, shared by guard and gate.

The guard's reasons stand in the order in which it asks; the gate's follow, in its order.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a rejected mail is not answered; the value is what logs, metrics and replay print."""

    NULL_SENDER = "null_sender"
    INVALID_SENDER = "invalid_sender"
    REPORT = "report"
    OWN_SENDER = "own_sender"
    DAEMON_SENDER = "daemon_sender"
    VIRUS = "virus"
    SUPPRESSED = "suppressed"
    HEADERS_TRUNCATED = "headers_truncated"
    SPAM = "spam"
    UNAUTHENTICATED = "unauthenticated"
    AUTOMATIC = "automatic"
    LISTS = "lists"
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    CAPPED = "capped"
    PAUSED = "paused"
