"""The place that documents are pushed to: a prefix in an account, and its publisher."""

from pathlib import Path
from typing import NamedTuple

from bouncer_cli.deployed_settings import deployed_settings
from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.operations.operated_account import OperatedAccount, OperationError
from bouncer_cli.operations.operated_deployment import find_deployment, operated_account


class PushTarget(NamedTuple):
    """A prefix, never one that no publisher reads; `shown` is the line that names it."""

    account: OperatedAccount
    prefix: str
    publisher: str
    bucket: str
    shown: str

    def caller(self) -> str:
        """Return the ARN of these credentials, "" if STS does not say."""
        try:
            return str(self.account.ask("sts", "get_caller_identity").get("Arn") or "")
        except (NotFoundError, UnavailableError):
            return ""


def deployed_target(cdk_json: Path, region: str | None, *, name: str | None) -> PushTarget:
    """Return the target of a cdk.json's deployment; raises what `find_deployment` raises."""
    found = find_deployment(cdk_json, region, name=name)
    if not found.publisher:
        raise OperationError(
            f"stack {found.stack.name}: found no output PublisherArn, expected a version that "
            "publishes revisions: run cdk deploy"
        )
    return PushTarget(found.account, found.prefix, found.publisher, found.bucket, str(found))


def target_below(prefix: str, region: str | None) -> PushTarget:
    """Return the target with a prefix; raises `OperationError` if no publisher reads it."""
    account, prefix = operated_account(region), prefix.rstrip("/")
    found = deployed_settings(account, prefix)
    if not found.bucket:
        problem = found.problem or f"found {found.source}, expected a publisher"
        raise OperationError(
            f"--prefix {prefix} in {account.region}: {problem}: check --prefix and --region, or "
            "run bouncer doctor"
        )
    at = f", at {account.emulator}" if account.emulator else ""
    shown = f"{found.source} in {account.region}, parameters below {prefix}{at}"
    return PushTarget(account, prefix, found.source, found.bucket, shown)
