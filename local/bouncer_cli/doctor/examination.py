"""The examination: who are we, is there a stack, then every check alone, in the order of a mail."""

from collections.abc import Callable
from datetime import datetime

from boto3 import Session
from botocore.exceptions import BotoCoreError

from bouncer_cli.doctor import check_documents as documents
from bouncer_cli.doctor import check_identities as sending
from bouncer_cli.doctor import check_queues as machinery
from bouncer_cli.doctor import check_receiving as receiving
from bouncer_cli.doctor.account import Account, UnavailableError
from bouncer_cli.doctor.check_context import Case
from bouncer_cli.doctor.deployed_stack import Stack, find_stack
from bouncer_cli.doctor.deployment import Deployment
from bouncer_cli.doctor.finding import Findings, Level, ok, problem, warning
from bouncer_cli.doctor.mx_lookup import Mx, look_up_mx

Check = Callable[[Case], Findings]

_CREDENTIALS = "credentials"
_REGION = "region"
_ACCOUNT = "account"

CHECKS: tuple[Check, ...] = (
    receiving.mail_exchangers,
    receiving.active_rule_set,
    receiving.receipt_rule,
    machinery.functions,
    documents.rules_and_settings,
    machinery.queue_mapping,
    machinery.queues,
    machinery.ledger,
    machinery.ledger_expiry,
    sending.ses_account,
    sending.identity,
    sending.further_senders,
    sending.configuration_sets,
    sending.configuration_set,
    sending.event_destinations,
    machinery.alarms,
    machinery.alarm_subscriptions,
)


def examine(
    deployment: Deployment,
    *,
    region: str | None,
    now: datetime,
    session: Callable[[], Session] = Session,
    look_up: Callable[[str], tuple[Mx, ...]] = look_up_mx,
    checks: tuple[Check, ...] = CHECKS,
) -> Findings:
    """Everything found, as it is found; `region` None takes that of the environment or profile."""
    try:
        opened = session()
        region = region or opened.region_name
    except BotoCoreError as error:
        yield problem(_CREDENTIALS, str(error), "correct AWS_PROFILE or the AWS configuration")
        return
    if not region:
        remedy = "pass --region, or set AWS_DEFAULT_REGION"
        yield problem(_REGION, "none is set", remedy)
        return
    account = Account(opened, region)
    stack = Stack(name=deployment.full_name, hidden=True)
    usable = True
    for finding in _who(account):
        usable = usable and finding.level is not Level.PROBLEM
        yield finding
    if usable:
        stack, findings = find_stack(account, deployment.full_name)
        yield from findings
    case = Case(deployment=deployment, account=account, stack=stack, now=now, look_up_mx=look_up)
    for check in checks if usable else (receiving.mail_exchangers,):
        yield from _alone(check, case)
    if usable and not account.answered:
        remedy = f"check the region {region}, the network and AWS_ENDPOINT_URL"
        yield problem(_ACCOUNT, "AWS answered nothing, so nothing was checked", remedy)


def _who(account: Account) -> Findings:
    try:
        answer = account.ask("sts", "get_caller_identity")
        at = f", at {account.emulator}" if account.emulator else ""
    except UnavailableError as error:
        worse = problem if error.hopeless else warning
        yield worse(_CREDENTIALS, f"could not be checked: {error}", error.next_step)
        return
    yield ok(
        _CREDENTIALS,
        f"account {answer.get('Account')} as {answer.get('Arn')} in {account.region}{at}",
    )


def _alone(check: Check, case: Case) -> Findings:
    """A check that fails is a line of its own and stops no other."""
    name = check.__name__.replace("_", " ")
    try:
        yield from check(case)
    except UnavailableError as error:
        yield warning(name, f"could not be checked: {error}", error.next_step)
    except Exception as error:  # noqa: BLE001  # whatever an endpoint answers, the others go on
        found = f"could not be checked: {type(error).__name__}: {error}"
        yield warning(name, found, "look into the console; this answer was not understood")
