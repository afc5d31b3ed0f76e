"""Checks the daily report: its sender is verified, and its schedule is enabled."""

from bouncer.mail.address import mailbox_address
from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.check_identities import verified_sender
from bouncer_cli.doctor.finding import REPAIR, Findings, ok, problem

_REPORT = "report"
_SCHEDULE = "AWS::Scheduler::Schedule"


def report(context: CheckContext) -> Findings:
    """Check what the daily report needs, if operators are to get one."""
    if context.deployment.report is None:
        return
    yield verified_sender(context, _REPORT, mailbox_address(context.deployment.report_sender))
    if not context.stack.deployed:
        return
    schedules = context.stack.names(_SCHEDULE)
    if not schedules:
        yield problem(_REPORT, "the stack has no schedule for it", "run cdk deploy")
    for name in schedules:
        yield from _schedule(context, name)


def _schedule(context: CheckContext, name: str) -> Findings:
    try:
        found = context.account.ask("scheduler", "get_schedule", Name=name)
    except NotFoundError:
        yield problem(_REPORT, f"the schedule {name} does not exist", REPAIR)
        return
    if found.get("State") == "ENABLED":
        zone = found.get("ScheduleExpressionTimezone", "UTC")
        yield ok(_REPORT, f"sent at {found.get('ScheduleExpression')} ({zone})")
        return
    remedy = "enable it in the console of EventBridge Scheduler"
    yield problem(
        _REPORT, f"the schedule {name} is {found.get('State')}: no report is sent", remedy
    )
