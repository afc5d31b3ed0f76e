"""The deployment that a command works on, found as the doctor finds it: by cdk.json and its stack.

Names come from the outputs and resources of the stack, so that a command never writes below a
prefix or into a queue that no function reads.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from boto3 import Session
from botocore.exceptions import BotoCoreError

from bouncer.operator_settings import Settings, ses_reporting_mta
from bouncer.publishing.list_forms import FormsInMemory
from bouncer.publishing.publication import PublishingError, publication, settings_publication
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.bucket_source import BucketSource
from bouncer.sources.loaded import Loaded
from bouncer.sources.parameters import ParameterSource
from bouncer.sources.pointer import Pointer
from bouncer.sources.source import Documents, SourceError
from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_documents import deployed_settings
from bouncer_cli.doctor.check_ledger import TABLES
from bouncer_cli.doctor.deployed_stack import Stack, find_stack
from bouncer_cli.operations.operated_account import OperatedAccount, OperationError
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.deployment_settings_reader import read_cdk_json


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatedDeployment:
    """One deployment in an account and region; `ledger` is the name of its table.

    `reads_held` is false of a version whose functions do not know the parameter `held`, and
    `publisher` and `bucket` are "" of one that publishes nothing. `mail_bucket` is "" if no mail is
    stored, and the queues of replies are "" if none are sent.
    """

    account: OperatedAccount
    stack: Stack
    prefix: str
    queue_url: str
    dead_letter_url: str
    ledger: str
    reads_held: bool
    publisher: str = ""
    bucket: str = ""
    mail_bucket: str = ""
    reply_queue_url: str = ""
    reply_dead_letter_url: str = ""

    def loaded(self) -> Loaded:
        """Return the settings in force and what holds sending, as the publisher reads them."""
        defaults = deployed_settings(self.account, self.stack)
        built_in = Settings(reporting_mta=ses_reporting_mta(self.account.region))
        try:
            documents = ParameterSource(self.account.client("ssm"), self.prefix).read()
        except SourceError as error:
            raise self.account.meaning("ssm", "get_parameters_by_path", error.__cause__) from error
        pointer = self._settings(documents, defaults or built_in)
        problems = tuple(said for found in pointer.problems.values() for said in found)
        return Loaded(Ruleset(()), pointer.settings, problems, causes=pointer.causes)

    def _settings(self, documents: Documents, defaults: Settings) -> Pointer:
        """Return a pointer with these settings, or with those in force if these are refused."""
        documents, now = documents._replace(rules={}, lists={}), datetime.now(UTC)
        try:
            found = publication(documents, None, defaults=defaults, now=now, forms=FormsInMemory())
        except PublishingError as error:
            if before := self._pointer():
                return settings_publication(documents, before, defaults=defaults, now=now)
            raise SourceError(str(error)) from error
        return found.pointer

    def _pointer(self) -> Pointer | None:
        """Return the pointer, if there is one that can be read."""
        if not self.bucket:
            return None
        source = BucketSource(self.account.client("s3"), self.bucket)
        with suppress(SourceError):
            found = source.pointer("")
            return found[0] if found else None
        return None

    def __str__(self) -> str:
        """Return the line that names it."""
        at = f", at {self.account.emulator}" if self.account.emulator else ""
        return f"{self.stack.name} in {self.account.region}, parameters below {self.prefix}{at}"


def find_deployment(
    cdk_json: Path, region: str | None, *, option: str = "--settings", name: str | None = None
) -> OperatedDeployment:
    """Return the deployment of a cdk.json; region None is that of settings, environment or profile.

    `option` is the one that names the cdk.json, for an error; `name` is that of the deployment, if
    the cdk.json has several. Raises `OperationError` if it is not deployed there, and what
    `Account` raises.
    """
    wanted = read_cdk_json(cdk_json, option=option, deployment=name)
    account = operated_account(region or wanted.region)
    _expect_account(account, wanted.account)
    stack, _ = find_stack(account, wanted.full_name)
    outputs = _outputs(account, stack)
    if stack.hidden:  # ask again for the reason
        members = "StackResourceSummaries"
        account.pages("cloudformation", "list_stack_resources", members, StackName=stack.name)
    if not stack.deployed:
        raise OperationError(
            f"stack {stack.name}: found {stack.status or 'none'} in {account.region}, expected a "
            "deployed one: check --region and the name in cdk.json, or run bouncer doctor"
        )
    prefix = _prefix(wanted, outputs)
    return OperatedDeployment(
        account=account,
        stack=stack,
        prefix=prefix,
        queue_url=outputs["QueueUrl"],
        dead_letter_url=outputs["DeadLetterUrl"],
        ledger=next(iter(stack.names(*TABLES)), ""),
        reads_held="HeldParameter" in outputs,
        publisher=outputs.get("PublisherArn", ""),
        bucket=outputs.get("RulesBucket", ""),
        mail_bucket=outputs.get("MailBucket", ""),
        reply_queue_url=outputs.get("ReplyQueueUrl", ""),
        reply_dead_letter_url=outputs.get("ReplyDeadLetterUrl", ""),
    )


def operated_account(region: str | None) -> OperatedAccount:
    """Return the account of the environment or profile; raises `OperationError`."""
    try:
        session = Session()
        region = region or session.region_name
    except BotoCoreError as error:
        raise OperationError(
            f"{error}: set AWS_PROFILE to one of: aws configure list-profiles"
        ) from error
    if not region:
        raise OperationError(
            "region: found none, expected --region REGION or AWS_DEFAULT_REGION to name one"
        )
    return OperatedAccount(session, region)


def _expect_account(account: OperatedAccount, wanted: str | None) -> None:
    """Raise `OperationError` for credentials of another account than cdk.json names, if any."""
    found = wanted and account.ask("sts", "get_caller_identity").get("Account")
    if found != wanted:
        raise OperationError(
            f"account: found {found}, expected {wanted} as in cdk.json: set AWS_PROFILE to a "
            "profile of that account"
        )


def _outputs(account: OperatedAccount, stack: Stack) -> Mapping[str, str]:
    """Return the outputs of a stack; raises what `ask` raises, but for a stack that is missing."""
    try:
        answer = account.ask("cloudformation", "describe_stacks", StackName=stack.name)
    except NotFoundError:
        return {}
    shown = answer.get("Stacks", [{}])[0].get("Outputs", [])
    return {each["OutputKey"]: each["OutputValue"] for each in shown}


def _prefix(wanted: DeploymentSettings, outputs: Mapping[str, str]) -> str:
    """Return the prefix of a deployed stack, which must be that of cdk.json."""
    missing = [name for name in ("RulesPrefix", "QueueUrl", "DeadLetterUrl") if name not in outputs]
    if missing:
        raise OperationError(
            f"stack {wanted.full_name}: found no output {missing[0]}, expected a stack of "
            "ses-auto-bouncer: check the name in cdk.json"
        )
    prefix = outputs["RulesPrefix"].removesuffix("/rules/")
    if prefix != wanted.prefix:
        raise OperationError(
            f"cdk.json: prefix: found {wanted.prefix}, expected {prefix} as deployed: change "
            "cdk.json back, or run cdk deploy"
        )
    return prefix
