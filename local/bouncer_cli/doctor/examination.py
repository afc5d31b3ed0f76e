"""Examines an account: its credentials, the stack, then each check, in the order of a mail."""

from collections.abc import Callable
from datetime import datetime

from boto3 import Session
from botocore.exceptions import BotoCoreError

from bouncer_cli.doctor import (
    check_alarms,
    check_concurrency,
    check_configuration_sets,
    check_destination_targets,
    check_documents,
    check_feedback,
    check_functions,
    check_further_sets,
    check_identities,
    check_key,
    check_ledger,
    check_mail_exchangers,
    check_queue_mapping,
    check_queues,
    check_rate,
    check_receiving,
    check_report,
    check_ses_account,
    check_stored_mail,
    check_unknown_mailboxes,
)
from bouncer_cli.doctor.account import Account, UnavailableError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.deployed_stack import Stack, find_stack
from bouncer_cli.doctor.finding import Findings, Level, ok, problem, warning
from bouncer_cli.doctor.mx_lookup import Mx, look_up_mx
from bouncer_infra.deployment_settings import DeploymentSettings

Check = Callable[[CheckContext], Findings]

_CREDENTIALS = "credentials"
_REGION = "region"
_ACCOUNT = "account"

CHECKS: tuple[Check, ...] = (
    check_mail_exchangers.mail_exchangers,
    check_receiving.active_rule_set,
    check_receiving.receipt_rule,
    check_key.key,
    check_key.former_keys,
    check_stored_mail.stored_mail,
    check_functions.functions,
    check_concurrency.concurrency,
    check_documents.rules_and_settings,
    check_unknown_mailboxes.unknown_mailboxes,
    check_queue_mapping.queue_mapping,
    check_queues.queues,
    check_rate.rate,
    check_ledger.ledger,
    check_ledger.ledger_expiry,
    check_ledger.braked,
    check_ses_account.ses_account,
    check_identities.identity,
    check_identities.further_senders,
    check_identities.reply_senders,
    check_configuration_sets.configuration_sets,
    check_configuration_sets.configuration_set,
    check_configuration_sets.event_destinations,
    check_further_sets.further_sets,
    check_destination_targets.destination_places,
    check_destination_targets.destination_targets,
    check_feedback.feedback,
    check_report.report,
    check_alarms.alarms,
    check_alarms.alarm_subscriptions,
    check_alarms.alarm_topic,
)


def examine(
    deployment: DeploymentSettings,
    *,
    region: str | None,
    now: datetime,
    session: Callable[[], Session] = Session,
    look_up: Callable[[str], tuple[Mx, ...]] = look_up_mx,
    checks: tuple[Check, ...] = CHECKS,
) -> Findings:
    """Yield each finding once it is made.

    Region None is that of the settings, else that of the environment or profile.
    """
    try:
        opened = session()
        region = region or deployment.region or opened.region_name
    except BotoCoreError as error:
        yield problem(
            _CREDENTIALS, str(error), "set AWS_PROFILE to one of: aws configure list-profiles"
        )
        return
    if not region:
        remedy = "pass --region REGION or set AWS_DEFAULT_REGION"
        yield problem(_REGION, "no region is set", remedy)
        return
    account = Account(opened, region)
    stack = Stack(name=deployment.full_name, hidden=True)
    opening = list(_credentials(account, deployment))
    usable = all(finding.level is not Level.PROBLEM for finding in opening)
    if usable:
        stack, findings = find_stack(account, deployment.full_name)
        opening += findings
    silent = usable and not account.answered
    if silent:  # one finding instead of a warning for each check
        remedy = f"check that region {region} exists, the network and AWS_ENDPOINT_URL"
        yield problem(_ACCOUNT, f"AWS answered nothing ({opening[0].found})", remedy)
    else:
        yield from opening
    context = CheckContext(
        deployment=deployment, account=account, stack=stack, now=now, look_up_mx=look_up
    )
    for check in checks if usable and not silent else (check_mail_exchangers.mail_exchangers,):
        yield from _run(check, context)


def _credentials(account: Account, deployment: DeploymentSettings) -> Findings:
    try:
        answer = account.ask("sts", "get_caller_identity")
        at = f", at {account.emulator}" if account.emulator else ""
    except UnavailableError as error:
        worse = problem if error.hopeless else warning
        yield worse(_CREDENTIALS, f"could not be checked: {error}", error.next_step)
        return
    if deployment.account not in (None, answer.get("Account")):
        found = f"account {answer.get('Account')}, and cdk.json says {deployment.account}"
        yield problem(_CREDENTIALS, found, "set AWS_PROFILE to a profile of that account")
        return
    if deployment.region not in (None, account.region):
        found = f"region {account.region}, and cdk.json says {deployment.region}"
        yield problem(_REGION, found, "leave out --region, or correct region in cdk.json")
    yield ok(
        _CREDENTIALS,
        f"account {answer.get('Account')} as {answer.get('Arn')} in {account.region}{at}",
    )


def _run(check: Check, context: CheckContext) -> Findings:
    """Yield the findings of a check; one that fails is a finding of its own."""
    name = check.__name__.replace("_", " ")
    try:
        yield from check(context)
    except UnavailableError as error:
        yield warning(name, f"could not be checked: {error}", error.next_step)
    except Exception as error:  # noqa: BLE001  # whatever an endpoint answers, the others go on
        found = f"could not be checked: {type(error).__name__}: {error}"
        yield warning(name, found, "check this in the AWS console: its answer was not understood")
