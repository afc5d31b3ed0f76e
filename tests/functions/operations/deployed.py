"""The deployment that the tests of this folder operate: its template, its jobs, its ledger."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from bouncer.jobs.job import Job, Refusal
from bouncer.jobs.job_json import to_json
from bouncer.jobs.reference import reference
from bouncer.sending import lease
from bouncer.sending.queue import ORIGIN

REGION = "eu-west-1"
STACK = "ses-auto-bouncer-main"
PREFIX = "/ses-auto-bouncer/main"
HELD = f"{PREFIX}/held"
CDK = {
    "context": {
        "bouncer": {"recipients": ["example.com"], "bounce_sender": "mailer-daemon@example.com"}
    }
}
Operate = Callable[..., tuple[int, str, str]]


def job(number: int = 1, *, age_h: float = 1, sender: str = "mailer-daemon@example.com") -> Job:
    """Return the job of a mail that was received some hours ago."""
    refusal = Refusal(
        recipient=f"box{number}@example.com",
        rule="200-departed",
        recipient_arn=None,
        bounce_type="DoesNotExist",
        dsn=None,
    )
    return Job(
        message_id=f"m{number}",
        received_at=datetime.now(UTC) - timedelta(hours=age_h),
        reference=reference(f"m{number}", [refusal.recipient]),
        sender=f"eve{number}@partner.example",
        bounce_sender=sender,
        bounce_sender_arn=None,
        messages=(("200-departed", "This person has left."),),
        reporting_mta="dns; inbound-smtp.eu-west-1.amazonaws.com",
        extension_fields=(),
        refusals=(refusal,),
    )


class Deployed:
    """The resources of the stack, as a test looks at them beside the command."""

    def __init__(self) -> None:
        self.sqs: Any = boto3.client("sqs")
        self.ssm: Any = boto3.client("ssm")
        self.dynamodb: Any = boto3.client("dynamodb")
        self.jobs_url, self.dead_url = (self._queue(f"{name}.fifo") for name in ("jobs", "dead"))
        self.dynamodb.create_table(
            TableName="ledger",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.outputs = {
            "RulesPrefix": f"{PREFIX}/rules/",
            "HeldParameter": HELD,
            "QueueUrl": self.jobs_url,
            "DeadLetterUrl": self.dead_url,
        }
        self.resources = {"ledger": "AWS::DynamoDB::GlobalTable"}

    def _queue(self, name: str) -> str:
        answer = self.sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})
        return str(answer["QueueUrl"])

    def put(self, name: str, text: str) -> None:
        parameter = f"{PREFIX}/{name}"
        self.ssm.put_parameter(Name=parameter, Value=text, Type="String", Overwrite=True)

    def parameter(self, name: str) -> str | None:
        found = self.ssm.get_parameters(Names=[f"{PREFIX}/{name}"])["Parameters"]
        return str(found[0]["Value"]) if found else None

    def queue(self, body: str) -> None:
        self.sqs.send_message(
            QueueUrl=self.jobs_url,
            MessageBody=body,
            MessageGroupId="bounces",
            MessageDeduplicationId=body.encode().hex()[:100],
        )

    def bury(self, body: str, *, group: str = "", origin: str = "q1") -> str:
        """Put a dead letter as the worker does; with `group` as version 0.1.0 did."""
        attribute = {ORIGIN: {"DataType": "String", "StringValue": origin}}
        answer = self.sqs.send_message(
            QueueUrl=self.dead_url,
            MessageBody=body,
            MessageGroupId=group or origin,
            MessageDeduplicationId=origin,
            **({} if group else {"MessageAttributes": attribute}),
        )
        return str(answer["MessageId"])

    def end(self, origin: str, outcome: str, reason: str) -> None:
        texts = {"id": f"job#{origin}", "state": "ended", "outcome": outcome, "reason": reason}
        item = {name: {"S": text} for name, text in texts.items()}
        self.dynamodb.put_item(TableName="ledger", Item=item)

    def keep(self, body: str, *, origin: str) -> None:
        """Keep a dead job in the ledger, as the worker does if the dead-letter queue refuses it."""
        texts = {"id": f"job#{origin}", "state": "ended", "outcome": "failed", "body": body}
        item = {name: {"S": text} for name, text in texts.items()}
        self.dynamodb.put_item(TableName="ledger", Item=item)
        self.dynamodb.update_item(**lease.keep(origin).parameters("ledger"))

    def kept(self) -> list[str]:
        """Return the ids of the queue messages whose bodies the ledger keeps."""
        key = {"id": {"S": lease.LEASE}}
        item = self.dynamodb.get_item(TableName="ledger", Key=key).get("Item", {})
        return list(lease.kept(item))

    def bodies(self, url: str) -> list[str]:
        """Return the bodies of up to ten messages that are visible now, and hide them again."""
        answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [each["Body"] for each in answer.get("Messages", [])]


def body(number: int = 1, **changes: Any) -> str:
    """Return the body of a job's message."""
    return to_json(job(number, **changes))
