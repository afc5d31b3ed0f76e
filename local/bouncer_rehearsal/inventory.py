"""Lists the resources of the emulated account, to prove that removal removes them."""

from collections.abc import Callable, Iterator
from typing import Any

from bouncer_rehearsal.emulator import Emulator


def inventory(aws: Emulator) -> frozenset[str]:
    """Return every resource of the kinds that a deployment has, each as `kind name`."""
    return frozenset(f"{kind} {name}" for kind, name in _found(aws.client))


def _found(client: Callable[[str], Any]) -> Iterator[tuple[str, str]]:
    for kind, service, method, member, key in _LISTED:
        answer = getattr(client(service), method)()
        for entry in answer.get(member) or []:
            yield kind, entry if key is None else entry[key]
    active = client("ses").describe_active_receipt_rule_set().get("Metadata")
    if active:
        yield "active receipt rule set", active["Name"]
    for name in client("sesv2").list_email_identities()["EmailIdentities"]:
        identity = client("sesv2").get_email_identity(EmailIdentity=name["IdentityName"])
        if identity.get("ConfigurationSetName"):
            yield "default configuration set", identity["ConfigurationSetName"]
    for page in client("ssm").get_paginator("describe_parameters").paginate():
        for parameter in page["Parameters"]:
            yield "parameter", parameter["Name"]


# kind, service, method, member of the answer, key of the name in an entry (None: the entry itself)
_LISTED: tuple[tuple[str, str, str, str, str | None], ...] = (
    ("alarm", "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("bucket", "s3", "list_buckets", "Buckets", "Name"),
    ("configuration set", "sesv2", "list_configuration_sets", "ConfigurationSets", None),
    ("dashboard", "cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("delivery stream", "firehose", "list_delivery_streams", "DeliveryStreamNames", None),
    ("event source mapping", "lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    ("function", "lambda", "list_functions", "Functions", "FunctionName"),
    ("glue database", "glue", "get_databases", "DatabaseList", "Name"),
    ("identity", "ses", "list_identities", "Identities", None),
    ("log group", "logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("queue", "sqs", "list_queues", "QueueUrls", None),
    ("receipt filter", "ses", "list_receipt_filters", "Filters", "Name"),
    ("receipt rule set", "ses", "list_receipt_rule_sets", "RuleSets", "Name"),
    ("role", "iam", "list_roles", "Roles", "RoleName"),
    ("stack", "cloudformation", "describe_stacks", "Stacks", "StackName"),
    ("state machine", "stepfunctions", "list_state_machines", "stateMachines", "name"),
    ("table", "dynamodb", "list_tables", "TableNames", None),
    ("topic", "sns", "list_topics", "Topics", "TopicArn"),
)
