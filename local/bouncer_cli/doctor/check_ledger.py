"""What the stack runs: functions, queue mapping, queues, ledger, alarms; empty before deploying."""

from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import Case
from bouncer_cli.doctor.finding import REPAIR, Findings, ok, problem, warning

_LEDGER = "ledger"

TABLES = ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table")
EXPIRES = "expires"


def ledger(case: Case) -> Findings:
    """The table, without which nothing is sent."""
    for table in case.stack.names(*TABLES):
        try:
            answer = case.account.ask("dynamodb", "describe_table", TableName=table)["Table"]
        except NotFoundError:
            yield problem(_LEDGER, f"no {table}, so no bounce is sent", REPAIR)
            continue
        status = answer.get("TableStatus", "unknown")
        if status == "ACTIVE":
            yield ok(_LEDGER, f"{table} is active")
        elif status == "UPDATING":
            yield warning(_LEDGER, f"{table} is being updated", "wait a minute and look again")
        else:
            yield problem(_LEDGER, f"{table} is {status}", "look into the DynamoDB console")


def ledger_expiry(case: Case) -> Findings:
    """Whether old entries go by themselves."""
    for table in case.stack.names(*TABLES):
        try:
            answer = case.account.ask("dynamodb", "describe_time_to_live", TableName=table)
        except NotFoundError:
            return  # told already
        described = answer.get("TimeToLiveDescription", {})
        status, by = described.get("TimeToLiveStatus", "DISABLED"), described.get("AttributeName")
        if status in ("ENABLED", "ENABLING") and by == EXPIRES:
            yield ok(_LEDGER, f"old entries of {table} expire")
        else:
            state = f"{status} on {by}" if by else status
            found = f"old entries of {table} stay forever (time to live is {state})"
            yield warning(_LEDGER, found, f"enable its time to live for {EXPIRES}")
