"""The publisher in the stack: when it runs, what it may do, and that it runs before mail comes."""

import json
from typing import Any

from bouncer.publishing.occasion import RESOURCE_TYPE
from bouncer.sending.brakes import BRAKES
from bouncer.sources.pointer import POINTER_KEY
from tests.infra.test_template import Template, actions, function, of_type, statements

HANDLER = "bouncer.publisher.handler"


def rules(template: Template) -> list[dict[str, Any]]:
    """Return EventBridge's rules that lead to the publisher."""
    name, _ = function(template, HANDLER)
    found = of_type(template, "AWS::Events::Rule").values()
    changes = [rule for rule in found if rule.get("EventPattern", {}).get("source") == ["aws.ssm"]]
    arn = {"Fn::GetAtt": [name, "Arn"]}
    return [*changes, *(rule for rule in found if rule["Targets"][0]["Arn"] == arn)]


def test_it_runs_on_changes_and_on_schedule(template: Template) -> None:
    """A changed parameter below the prefix; every minute settings, every quarter everything."""
    changed, minute, quarter = rules(template)
    assert changed["EventPattern"] == {
        "source": ["aws.ssm"],
        "detail-type": ["Parameter Store Change"],
        "detail": {"name": [{"prefix": "/ses-auto-bouncer/main/"}]},
    }
    assert minute["ScheduleExpression"] == "rate(1 minute)"
    assert json.loads(minute["Targets"][0]["Input"]) == {"publish": "settings"}
    assert quarter["ScheduleExpression"] == "rate(15 minutes)"
    assert json.loads(quarter["Targets"][0]["Input"]) == {"publish": "everything"}


def test_changes_come_through_a_queue(template: Template) -> None:
    """Many at once are one run within seconds; the queue takes events of that rule alone."""
    name, properties = function(template, HANDLER)
    (mapping,) = [
        each
        for each in of_type(template, "AWS::Lambda::EventSourceMapping").values()
        if each["FunctionName"] == {"Ref": name}
    ]
    assert mapping["MaximumBatchingWindowInSeconds"] <= 15
    assert mapping["BatchSize"] > 10
    queue_id = mapping["EventSourceArn"]["Fn::GetAtt"][0]
    queue = of_type(template, "AWS::SQS::Queue")[queue_id]
    assert queue["VisibilityTimeout"] >= 6 * properties["Timeout"]
    assert rules(template)[0]["Targets"][0]["Arn"] == {"Fn::GetAtt": [queue_id, "Arn"]}


def test_only_our_rules_may_call_it(template: Template) -> None:
    """Each permission names our account and one rule."""
    name, _ = function(template, HANDLER)
    found = [
        each
        for each in of_type(template, "AWS::Lambda::Permission").values()
        if each["FunctionName"] == {"Fn::GetAtt": [name, "Arn"]}
    ]
    assert len(found) == 2
    for permission in found:
        assert permission["Principal"] == "events.amazonaws.com"
        assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
        assert permission["SourceArn"]["Fn::GetAtt"][0].startswith("PublisherEvery")


def test_it_reads_parameters_and_writes_to_its_bucket(template: Template) -> None:
    """It deletes nothing, writes pointer, revisions and lists alone, and only reads uploads."""
    assert {each for each in actions(template, HANDLER) if not each.startswith("sqs:")} == {
        *("ssm:GetParametersByPath", "ssm:GetParameters"),
        *("s3:GetObject", "s3:PutObject", "s3:ListBucket"),
        "dynamodb:BatchGetItem",
    }
    (objects,) = [
        each for each in statements(template, HANDLER) if "s3:PutObject" in each["Action"]
    ]
    keys = [arn["Fn::Join"][1][-1] for arn in objects["Resource"]]
    assert keys == [f"/{POINTER_KEY}", "/lists/*", "/revisions/*.json"]
    (read,) = [
        each["Resource"]["Fn::Join"][1][-1]
        for each in statements(template, HANDLER)
        if each["Action"] == "s3:GetObject"
    ]
    assert read == "/uploads/*"


def test_it_reads_nothing_of_the_ledger_but_the_braked_rules(template: Template) -> None:
    """The ledger has what is known about senders; the publisher may ask for one key."""
    (reading,) = [
        each for each in statements(template, HANDLER) if "dynamodb" in str(each["Action"])
    ]
    assert reading["Action"] == "dynamodb:BatchGetItem"
    assert reading["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [BRAKES]}}


def test_only_the_worker_may_ask_it_to_run(template: Template) -> None:
    """No other role of the stack may invoke it, and the worker no other function."""
    publisher, _ = function(template, HANDLER)
    _, worker = function(template, "bouncer.worker.handler")
    invoking = [
        (policy["Roles"], statement["Resource"])
        for policy in of_type(template, "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if "lambda:InvokeFunction" in str(statement["Action"])
    ]
    role = {"Ref": worker["Role"]["Fn::GetAtt"][0]}
    assert ([role], {"Fn::GetAtt": [publisher, "Arn"]}) in invoking
    assert len([roles for roles, _ in invoking if role in roles]) == 1


def test_nobody_else_writes_what_is_in_force(maximal: Template) -> None:
    """No other role may put an object into that bucket."""
    ((bucket, _),) = [
        each for each in of_type(maximal, "AWS::S3::Bucket").items() if "Revisions" in each[0]
    ]
    writing = [
        policy["Roles"]
        for policy in of_type(maximal, "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if "s3:Put" in str(statement["Action"]) and bucket in json.dumps(statement["Resource"])
    ]
    _, properties = function(maximal, HANDLER)
    assert writing == [[{"Ref": properties["Role"]["Fn::GetAtt"][0]}]]


def test_the_first_revision_is_there_before_mail(template: Template) -> None:
    """The receipt rule waits for it, and it waits for the publisher's permissions."""
    ((name, resource),) = [
        each for each in template["Resources"].items() if each[1]["Type"] == RESOURCE_TYPE
    ]
    (rule,) = [r for r in template["Resources"].values() if r["Type"] == "AWS::SES::ReceiptRule"]
    assert name in rule["DependsOn"]
    publisher, properties = function(template, HANDLER)
    assert resource["Properties"]["ServiceToken"] == {"Fn::GetAtt": [publisher, "Arn"]}
    assert json.loads(resource["Properties"]["Settings"]) == json.loads(
        properties["Environment"]["Variables"]["BOUNCER_SETTINGS"]
    )
    role = {"Ref": properties["Role"]["Fn::GetAtt"][0]}
    policies = of_type(template, "AWS::IAM::Policy").items()
    (policy,) = [each for each, found in policies if role in found["Roles"]]
    assert policy in resource["DependsOn"]
