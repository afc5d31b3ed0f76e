"""An organization around the emulated account: its key, topic and boundary, and a look at them.

Key, topic and boundary are made before the deployment, as an organization has them, and found again
on the resources of the stack.
"""

import json
from collections.abc import Mapping
from typing import Any

from bouncer_infra.deployment_settings_reader import read_settings
from bouncer_infra.key_policy import key_policy
from bouncer_rehearsal.emulator import ACCOUNT, REGION, Emulator
from bouncer_rehearsal.runbooks import Runbooks
from bouncer_rehearsal.story import Story, expect

_TAGS = {"team": "mail", "cost-centre": "1234"}
_CONCURRENCY = 50


def organization(aws: Emulator, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Make key, topic and boundary; return the settings that name them, with all other options."""
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    options = {
        **wanted,
        "account": ACCOUNT,
        "region": REGION,
        "kms_key": key,
        "alarm_email": f"ops@{wanted['recipients'][0]}",
        "alarm_topic": aws.client("sns").create_topic(Name="their-alarms")["TopicArn"],
        "permissions_boundary": _boundary(aws),
        "tags": _TAGS,
        "termination_protection": True,
        "intake_concurrency": _CONCURRENCY,
        "ledger_recovery": True,
        "alarm_without_mail": 12,
    }
    policy = key_policy(read_settings(options), account=ACCOUNT, region=REGION)
    document = json.dumps({"Version": "2012-10-17", "Statement": policy})
    aws.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=document)
    return options


def _boundary(aws: Emulator) -> str:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [everything]}
    made = aws.client("iam").create_policy(
        PolicyName="developer-boundary", PolicyDocument=json.dumps(policy)
    )
    return str(made["Policy"]["Arn"])


def encrypt_anew(runbooks: Runbooks, story: Story, key: str) -> None:
    """Encrypt revisions and lists with a key, as after a change of it."""
    with story.step("encrypt revisions and lists with another key"):
        for folder in ("revisions", "lists"):
            said = runbooks.run(f"aws s3 cp s3://RULES_BUCKET/{folder}/", NEW_KEY=key)
            expect(f"copies below {folder}/", "copy: " in said, True)


class AskedFor:
    """Options of the organization that the emulator keeps, on the deployed stack.

    It keeps no key of buckets and functions, no boundary and no reserve; templates are tested.
    """

    def __init__(self, aws: Emulator, stack: str, story: Story, options: Mapping[str, Any]) -> None:
        self._aws = aws
        self._stack = stack
        self._story = story
        self._options = options

    def find(self) -> None:
        """Find the key on every queue, and both topics on every alarm."""
        with self._story.step("find the key on the queues, and both topics on the alarms"):
            queues = [self._queue(url) for url in self._names("AWS::SQS::Queue")]
            keys = {each.get("KmsMasterKeyId") for each in queues}
            expect("keys of queues", keys, {self._options["kms_key"]})
            names = self._names("AWS::CloudWatch::Alarm")
            told = self._aws.client("cloudwatch").describe_alarms(AlarmNames=names, MaxRecords=100)
            topics = {*self._names("AWS::SNS::Topic"), self._options["alarm_topic"]}
            notified = [set(each["AlarmActions"]) for each in told["MetricAlarms"]]
            expect("alarms that notify others", [each for each in notified if each != topics], [])
            self._story.tell(f"{len(queues)} queues, {len(notified)} alarms with two topics")

    def _queue(self, url: str) -> Mapping[str, str]:
        asked = self._aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        found: Mapping[str, str] = asked["Attributes"]
        return found

    def _names(self, kind: str) -> list[str]:
        pages = self._aws.client("cloudformation").get_paginator("list_stack_resources")
        return [
            each["PhysicalResourceId"]
            for page in pages.paginate(StackName=self._stack)
            for each in page["StackResourceSummaries"]
            if each["ResourceType"] == kind
        ]
