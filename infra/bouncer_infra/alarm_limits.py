"""The limits at which alarms begin, for the alarms, the dashboard and the doctor.

Nothing here imports CDK.
"""

HOUR_S = 3600

# Hours the oldest job has waited, of the 24 in which SES takes a bounce.
LONG_WAIT_H = 12
TOO_LONG_WAIT_H = 20

# Seconds that Firehose may keep a line before it writes it; it tries for a day, then gives up.
MOST_UNWRITTEN_S = HOUR_S

MOST_FAILED_PERCENT = 5
MOST_DUPLICATE_PERCENT = 10
MOST_SILENCED_PERCENT = 10
MOST_DOUBLE_BOUNCE_PERCENT = 5

# SES Developer Guide, "Reputation metrics": from here on the account is put under review.
MOST_BOUNCE_RATE = 0.05
MOST_COMPLAINT_RATE = 0.001
