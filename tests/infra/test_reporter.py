"""The reporter in the stack: it is there if somebody is to get a report, and may do little else."""

import json
from typing import Any

from tests.infra.test_template import Template, function, of_type, statements

HANDLER = "bouncer.reporter.handler"
LAMBDA = "AWS::Lambda::Function"
REPORTS = "reports@brand.example"


def test_without_the_setting_nothing_of_it_exists(template: Template) -> None:
    """A function that nobody invokes would still be one to look after."""
    assert not of_type(template, "AWS::Scheduler::Schedule")
    assert HANDLER not in {each["Handler"] for each in of_type(template, LAMBDA).values()}


def test_it_runs_each_day_at_a_time_by_the_clock(maximal: Template, other: Template) -> None:
    """In a time zone, within a quarter of an hour, and tried again for an hour."""
    name, _ = function(maximal, HANDLER)
    (schedule,) = of_type(maximal, "AWS::Scheduler::Schedule").values()
    assert schedule["ScheduleExpression"] == "cron(30 7 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    target = schedule["Target"]
    assert target["Arn"] == {"Fn::GetAtt": [name, "Arn"]}
    assert json.loads(target["Input"]) == {"scheduled": "<aws.scheduler.scheduled-time>"}
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 3600
    (schedule,) = of_type(other, "AWS::Scheduler::Schedule").values()
    assert schedule["ScheduleExpression"] == "cron(0 7 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"


def test_the_schedule_may_invoke_it_and_nothing_else(maximal: Template) -> None:
    """Through a role that EventBridge Scheduler takes for this account only."""
    name, _ = function(maximal, HANDLER)
    (schedule,) = of_type(maximal, "AWS::Scheduler::Schedule").values()
    role = maximal["Resources"][schedule["Target"]["RoleArn"]["Fn::GetAtt"][0]]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == {"Fn::GetAtt": [name, "Arn"]}


def allowed(template: Template) -> dict[str, dict[str, Any]]:
    """Return the statements of the reporter by their actions."""
    found: dict[str, dict[str, Any]] = {}
    for statement in statements(template, HANDLER):
        action = statement["Action"]
        found |= dict.fromkeys([action] if isinstance(action, str) else action, statement)
    return found


def test_it_reads_and_sends_as_one_address(maximal: Template, other: Template) -> None:
    """It writes no parameter, takes no job, and touches no item of the ledger but its own."""
    found = allowed(maximal)
    assert set(allowed(other)) == {
        *("logs:StartQuery", "logs:GetQueryResults", "logs:StopQuery"),
        *("sqs:GetQueueAttributes", "cloudwatch:GetMetricStatistics", "cloudwatch:DescribeAlarms"),
        *("s3:GetObject", "dynamodb:UpdateItem", "ses:SendEmail"),
    }
    assert set(found) == {*allowed(other), "kms:Decrypt"}
    keys = found["dynamodb:UpdateItem"]["Condition"]["ForAllValues:StringLike"]
    assert keys == {"dynamodb:LeadingKeys": ["report#*"]}
    for template, sender in ((maximal, "mailer-daemon@example.com"), (other, REPORTS)):
        send = allowed(template)["ses:SendEmail"]
        assert send["Condition"] == {"StringEqualsIgnoreCase": {"ses:FromAddress": sender}}
        names = json.dumps(send["Resource"])
        assert f"identity/{sender}" in names
        assert "configuration-set/ses-auto-bouncer-" in names
        assert "*" not in names


def test_it_knows_what_it_looks_at(maximal: Template) -> None:
    """All log groups of functions with a journal, and every queue of dead letters."""
    _, properties = function(maximal, HANDLER)
    variables = properties["Environment"]["Variables"]
    groups = [part for part in variables["BOUNCER_LOG_GROUPS"]["Fn::Join"][1] if part != " "]
    assert len(groups) == 6  # its own has the reports that failed
    pairs = json.dumps(variables["BOUNCER_DEAD_LETTERS"])
    for key in ("dead-letters=", "dead-replies=", "lost-feedback=", "failed-events="):
        assert key in pairs
    assert json.loads(variables["BOUNCER_REPORT"]) == {
        "from": "mailer-daemon@example.com",
        "timezone": "Europe/Berlin",
        "to": ["Operators <ops@example.com>"],
    }
