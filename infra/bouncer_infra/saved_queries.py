"""Queries of the functions' logs, saved in Logs Insights below `ses-auto-bouncer/<name>/`.

They read the journal's lines (docs/flow.md) of the last weeks; the questions of `analysis` read
those of the last months. A test compares their fields with real lines. A job that was delivered
again has its outcome in several lines, so outcomes are counted by bounce or reference. Strangers
write parts of the lines: what Lambda writes itself is looked for only where no line of ours is, and
an address stands in angle brackets, as a spreadsheet would take one that begins with = for a
formula.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_logs as logs
from constructs import Construct

from bouncer_infra.deployment_settings import DeploymentSettings

# `unnest` makes a row for each item of a list, and takes lists from `jsonParse` only (CloudWatch
# Logs User Guide, "unnest").
QUERIES: Mapping[str, str] = {
    "who-was-bounced": """
filter message = "sent"
| fields @timestamp, concat("<", sender, ">") as to, concat("<", recipients.0, ">") as recipient
| fields rules.0 as rule, reference, bounce_id
| sort @timestamp desc
| dedup bounce_id
| limit 1000
""",
    "bounces-by-rule": """
filter message = "sent"
| fields jsonParse(@message) as line
| unnest line.rules into rule
| stats count_distinct(line.bounce_id) as bounces by rule
| sort bounces desc
""",
    "withheld-by-the-intake": """
filter message = "mail" and @message like /"Withheld":/
| fields jsonParse(@message) as line
| unnest line.decisions into decision
| filter ispresent(decision.withheld) and decision.withheld != "null"
| stats count(*) as recipients by decision.withheld as reason, decision.rule as rule
| sort recipients desc
""",
    "went-on": """
filter message = "mail" and ispresent(went_on)
| parse sender "*@*" as name, sender_domain
| stats count(*) as mails by went_on as reason, sender_domain
| sort mails desc
| limit 200
""",
    "withheld-by-the-worker": """
filter message = "withheld"
| stats count_distinct(reference) as jobs by reason
| sort jobs desc
""",
    # Put a reference, a message id or an address in place of the word.
    "why": """
filter @message like "REFERENCE"
| fields @timestamp, message, @message
| sort @timestamp asc
""",
    "intake-errors": r"""
filter message in ["intake_failed", "copy_failed", "not_mail"]
  or @message like /"queue_answers":[^\]]*"(unknown|refused)"/
  or (not ispresent(message)
    and (@message like /Task timed out|Runtime exited/ or @message like "[ERROR]"))
| fields @timestamp, message, stage, error, `where`, problem, message_id, request_id, @log, @message
| sort @timestamp desc
| limit 200
""",
    "worker-errors": """
filter message in ["failed", "retried", "handed_back", "unreadable_job", "worker_failed",
    "lease_busy", "lease_taken_over", "stale_batch", "salt_made"]
  or (not ispresent(message)
    and (@message like /Task timed out|Runtime exited/ or @message like "[ERROR]"))
| fields @timestamp, message, reason, error, `where`, reference, jobs, record, stage, answer, again
| fields @log, @message
| sort @timestamp desc
| limit 200
""",
    "replies": """
filter message in ["replied", "reply_withheld", "reply_failed", "replier_failed",
    "reply_not_queued"]
  or (service = "replier" and message in ["retried", "handed_back", "stale_batch"])
  or (not ispresent(message)
    and (@message like /Task timed out|Runtime exited/ or @message like "[ERROR]"))
| fields @timestamp, message, reason, rules.0 as rule, reference, concat("<", sender, ">") as to
| fields error, `where`, stage, jobs, record, reply_id, again, @log, @message
| sort @timestamp desc
| limit 1000
""",
    "feedback": """
filter message in ["bounce_bounced", "event_repeated", "event_waits", "event_ignored",
    "unreadable_event", "feedback_failed", "breaker_tripped"]
| fields @timestamp, message, kind, bounce_id, problem, stage, error, `where`, @message
| sort @timestamp desc
| limit 1000
""",
    "publishing": """
filter message in ["published", "object_mended", "publishing_failed", "brakes_unread",
    "rules_released"]
  or (service = "publisher" and message = "documents_invalid")
| fields @timestamp, message, revision, serial, mode, error, problems.0 as problem, @message
| sort @timestamp desc
| limit 200
""",
    # `warnings` of a valid rule are listed as the `problems` of an invalid one are.
    "invalid-rules": """
filter message in ["documents_invalid", "documents_stale", "documents_doubtful"]
| fields replace(@message, '"warnings":', '"problems":') as text
| fields jsonParse(text) as line
| unnest line.problems into problem
| stats max(@timestamp) as last_reported, count(*) as times by message, problem
| sort last_reported desc
""",
    "longest-waits": """
filter message = "sent" and ispresent(WaitTime.0)
| fields @timestamp, WaitTime.0 / 1000 as seconds, reference, rules.0 as rule
| fields concat("<", sender, ">") as to
| sort seconds desc
| limit 100
""",
    "slowest": """
filter @message like /^REPORT /
| parse @message /Duration: (?<duration_ms>[0-9.]+) ms/
| parse @message /Init Duration: (?<init_ms>[0-9.]+) ms/
| parse @message /Max Memory Used: (?<megabytes>[0-9]+) MB/
| fields @timestamp, duration_ms, init_ms, megabytes, @log
| sort duration_ms desc
| limit 100
""",
}


OF_REPLIES = "replies"  # the query of a deployment that sends some


class SavedQueries(Construct):
    """The saved queries over the log groups of the functions."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        log_groups: Sequence[logs.ILogGroup],
    ) -> None:
        super().__init__(scope, id_)
        for name, text in QUERIES.items():
            if name == OF_REPLIES and not settings.reply_senders:
                continue
            logs.CfnQueryDefinition(
                self,
                name,
                name=f"{settings.folder}/{name}",
                log_group_names=[group.log_group_name for group in log_groups],
                query_string=text.strip(),
            )
