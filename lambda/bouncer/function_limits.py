"""The limits and names on which stack and functions agree: one sets them, the other keeps them."""

PRODUCT = "ses-auto-bouncer"  # begins the names in AWS of what a deployment has

INTAKE_TIMEOUT_S = 20  # SES waits 30 seconds for a function (SES Developer Guide, Lambda action)
WORKER_TIMEOUT_S = 60  # a batch of paced calls, and room to retry
# SSM hands out ten parameters a call, and throttles bursts; a million entries of a list, which are
# read once for each change, take seconds of a whole core, which comes with this memory.
PUBLISHER_TIMEOUT_S = 300
PUBLISHER_MEMORY_MB = 1769
PUBLISHED_WITHIN_S = 90  # of settings and `held`: it runs every minute, for seconds
FEEDBACK_TIMEOUT_S = 30  # a batch of ten events, with a request or two of the ledger each
REPORTER_TIMEOUT_S = 300  # queries of the logs take seconds to minutes
ACCOUNT_SETTINGS_TIMEOUT_S = 300  # SES takes one call a second, and a new policy takes a while

REPLIER_TIMEOUT_S = 60  # a batch of paced calls, as for the worker
REPLIERS = 2  # invocations of the replier at a time: the fewest that Lambda lets a mapping have

BATCH_SIZE = 10  # jobs in one invocation of the worker: the most a FIFO queue allows

# Six times the consumer's timeout (Lambda Developer Guide, "Using Lambda with Amazon SQS").
VISIBILITY_TIMEOUT_S = 6 * WORKER_TIMEOUT_S
FEEDBACK_VISIBILITY_S = 6 * FEEDBACK_TIMEOUT_S
REPLY_VISIBILITY_S = 6 * REPLIER_TIMEOUT_S

REPORT_SCHEDULED = "scheduled"  # the member of the reporter's event with the time of its schedule
REPORT_DAYS = "report#"  # begins the keys of the reporter's items in the ledger

LEDGER_KEY_NAME = "id"  # the partition key of the ledger's table
LEDGER_EXPIRES = "expires"  # its time-to-live attribute


def default_prefix(deployment: str) -> str:
    """Return the path of a deployment's parameters, unless its settings name another."""
    return f"/{PRODUCT}/{deployment}"
