"""Checks the ledger's table, without which nothing is sent, and which rules it has as braked."""

from bouncer.function_limits import LEDGER_EXPIRES, LEDGER_KEY_NAME
from bouncer.sending.brakes import BRAKES, braked_rules
from bouncer.sending.write import text
from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import REPAIR, Findings, ok, problem, warning

# The types that the stack gives its table; a test of infra/ compares them.
TABLES = ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table")

_LEDGER = "ledger"


def ledger(context: CheckContext) -> Findings:
    """Check that the table exists and can be used."""
    for table in context.stack.names(*TABLES):
        try:
            answer = context.account.ask("dynamodb", "describe_table", TableName=table)["Table"]
        except NotFoundError:
            yield problem(_LEDGER, f"{table} does not exist, so no bounce is sent", REPAIR)
            continue
        status = answer.get("TableStatus", "unknown")
        found = f"{table} is {status}"
        if status == "ACTIVE":
            yield ok(_LEDGER, found)
        elif status == "UPDATING":
            yield warning(_LEDGER, found, "wait a minute, then run bouncer doctor again")
        else:
            yield problem(_LEDGER, found, f"look at table {table} in the DynamoDB console")


def ledger_expiry(context: CheckContext) -> Findings:
    """Check that DynamoDB removes old entries."""
    for table in context.stack.names(*TABLES):
        try:
            answer = context.account.ask("dynamodb", "describe_time_to_live", TableName=table)
        except NotFoundError:
            return  # the check above has reported it
        described = answer.get("TimeToLiveDescription", {})
        status, by = described.get("TimeToLiveStatus", "DISABLED"), described.get("AttributeName")
        if status in ("ENABLED", "ENABLING") and by == LEDGER_EXPIRES:
            yield ok(_LEDGER, f"old entries of {table} expire")
        else:
            state = f"{status} on {by}" if by else status
            found = f"old entries of {table} stay forever (time to live is {state})"
            command = f"aws dynamodb update-time-to-live --table-name {table}"
            switch = f"--time-to-live-specification Enabled=true,AttributeName={LEDGER_EXPIRES}"
            yield warning(_LEDGER, found, f"let them expire: {command} {switch}")


def braked(context: CheckContext) -> Findings:
    """Check that no rule only records because it passed its `at_most`."""
    for table in context.stack.names(*TABLES):
        try:
            answer = context.account.ask(
                "dynamodb",
                "get_item",
                TableName=table,
                Key={LEDGER_KEY_NAME: text(BRAKES)},
                ConsistentRead=True,
            )
        except NotFoundError:
            return  # the check above has reported it
        rules = sorted(braked_rules(answer.get("Item", {})))
        for rule in rules:
            found = f"{rule} passed its at_most, so it only records what it would do"
            yield problem("rules", found, f"see why, then run bouncer rules release {rule}")
        if not rules:
            yield ok("rules", "no rule is braked")
