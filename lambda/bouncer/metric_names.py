"""The names of the metrics that the journal counts, for the journal and for what shows them.

The list is closed. No metric is kept per sender or recipient: strangers choose their addresses, and
each metric is paid for.
"""

from enum import StrEnum

NAMESPACE = "SesAutoBouncer"
DEPLOYMENT = "deployment"  # the dimensions of every metric, and keys of every line of the journal
SERVICE = "service"


class Metric(StrEnum):
    """One metric; all are counts but `WAIT_TIME`, which is in milliseconds."""

    MAILS = "Mails"
    UNMATCHED = "Unmatched"
    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    DROPPED = "Dropped"
    SHADOW_MATCHES = "ShadowMatches"
    TO_REPLY = "ToReply"
    UNKNOWN_CONDITIONS = "UnknownConditions"
    QUEUED = "Queued"
    REPLIES_QUEUED = "RepliesQueued"
    WENT_ON = "WentOn"
    NOT_MAIL = "NotMail"
    INTAKE_ERRORS = "IntakeErrors"
    COPY_ERRORS = "CopyErrors"
    INVALID_DOCUMENTS = "InvalidDocuments"
    DOCUMENT_WARNINGS = "DocumentWarnings"
    BRAKED_RULES = "BrakedRules"
    RELEASED_RULES = "ReleasedRules"
    STALE_RULES = "StaleRules"
    PUBLISHED = "Published"
    PUBLISHER_ERRORS = "PublisherErrors"
    SENT = "Sent"
    WAIT_TIME = "WaitTime"
    WITHHELD = "Withheld"
    FAILED = "Failed"
    FAILED_UNKNOWN = "Failed_unknown"
    FAILED_POISON = "Failed_poison"
    REPEATED = "Repeated"
    RETRIED = "Retried"
    HANDED_BACK = "HandedBack"
    HELD = "Held"
    LEASE_BUSY = "LeaseBusy"
    LEASE_TAKEN_OVER = "LeaseTakenOver"
    STALE_BATCHES = "StaleBatches"
    SALTS_MADE = "SaltsMade"
    UNREADABLE_JOBS = "UnreadableJobs"
    WORKER_ERRORS = "WorkerErrors"
    REPLIED = "Replied"
    REPLIES_WITHHELD = "RepliesWithheld"
    REPLY_ERRORS = "ReplyErrors"
    REPLIES_FAILED = "RepliesFailed"
    REPLIES_FAILED_UNKNOWN = "RepliesFailed_unknown"
    REPLIER_ERRORS = "ReplierErrors"
    DOUBLE_BOUNCES = "DoubleBounces"
    TRANSIENT_BOUNCES = "TransientBounces"
    COMPLAINTS = "Complaints"
    WAITING_EVENTS = "WaitingEvents"
    IGNORED_EVENTS = "IgnoredEvents"
    UNREADABLE_EVENTS = "UnreadableEvents"
    BREAKER_TRIPS = "BreakerTrips"
    FEEDBACK_ERRORS = "FeedbackErrors"
    REPORTS = "Reports"
    REPORT_ERRORS = "ReportErrors"
    COLD_STARTS = "ColdStarts"


def withheld_for(reason: str) -> str:
    """Return the name of the metric that counts what one reason withheld."""
    return f"{Metric.WITHHELD}_{reason}"
