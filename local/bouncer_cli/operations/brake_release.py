"""Releases a rule that its `at_most` braked: takes its name out of the ledger, and its count."""

from bouncer.function_limits import LEDGER_KEY_NAME
from bouncer.sending.brakes import BRAKES, braked_rules, log_key, release
from bouncer.sending.write import text
from bouncer_cli.operations.operated_account import OperationError
from bouncer_cli.operations.operated_deployment import OperatedDeployment


def braked_in(deployment: OperatedDeployment) -> list[str]:
    """Return the names of the rules that are braked; raises what `OperatedAccount.do` raises."""
    if not deployment.ledger:
        raise OperationError(
            f"stack {deployment.stack.name}: found no table, expected the ledger: run cdk deploy"
        )
    answer = deployment.account.do(
        "dynamodb",
        "get_item",
        TableName=deployment.ledger,
        Key={LEDGER_KEY_NAME: text(BRAKES)},
        ConsistentRead=True,
    )
    return sorted(braked_rules(answer.get("Item", {})))


def release_rule(deployment: OperatedDeployment, rule: str) -> None:
    """Count the bounces of a rule anew, and release it; twice makes no difference.

    Whoever is interrupted in between leaves a rule that is still braked.
    """
    account, table = deployment.account, deployment.ledger
    log = {LEDGER_KEY_NAME: text(log_key(rule))}
    account.do("dynamodb", "delete_item", TableName=table, Key=log)
    account.do("dynamodb", "update_item", **release(rule).parameters(table))
