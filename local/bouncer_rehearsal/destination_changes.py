"""Sends mail with configuration sets, reads its events at every kind of destination, changes them.

Two sets have one destination of each kind: our own, and a further one that is an identity's
default. One deployment disables all of ours, removes all of the other's, and deletes a third set.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bouncer_rehearsal.cdk_command import Cdk
from bouncer_rehearsal.emulator import ACCOUNT, REGION, Emulator
from bouncer_rehearsal.story import Story, expect

NEWS, OLD = "local-news", "local-old"
IDENTITY = "news.example"

_WORD = "local-events"  # the name of what is here before the deployment
_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:{_WORD}"
_STREAM = f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{_WORD}"
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/{_WORD}"
_BUCKET = _WORD
_PATIENCE_S = 20.0

# A tag, no tag, a header: the dimension, and its value for one mail.
_COUNTED = (("campaign", "own"), ("campaign", "none"), ("X-Campaign", "header"))

_KINDS: tuple[dict[str, Any], ...] = (
    {
        "name": "counts",
        "kind": "cloudwatch",
        "dimensions": [{"name": "campaign", "source": "messageTag", "default": "none"}],
    },
    {"name": "stream", "kind": "firehose", "stream": _STREAM, "role": _ROLE},
    {"name": "notices", "kind": "sns", "topic": _TOPIC},
    {"name": "bus", "kind": "eventbridge"},
)
_BY_HEADER: dict[str, Any] = {
    "name": "by-header",
    "kind": "cloudwatch",
    "dimensions": [{"name": "X-Campaign", "source": "emailHeader", "default": "no-header"}],
}


def first_settings() -> dict[str, Any]:
    """Return the settings that the first deployment has: everything is made."""
    copies = {"name": "copies", "kind": "firehose", "stream": "archive"}
    news = {"name": NEWS, "identity": IDENTITY, "destinations": [*_KINDS, copies]}
    return {"destinations": [*_KINDS, _BY_HEADER], "configuration_sets": [news, {"name": OLD}]}


def _changed_settings() -> dict[str, Any]:
    """Return the settings after which ours are disabled, and the others gone."""
    ours = [{**each, "enabled": False} for each in (*_KINDS, {**_BY_HEADER, "events": ["bounce"]})]
    options = {"tls": "require", "sending": False, "suppression": ["COMPLAINT"]}
    return {"destinations": ours, "configuration_sets": [{"name": NEWS, **options}]}


class DestinationChanges:
    """The receivers of events, and the changes of a deployment whose own set is `own`."""

    def __init__(self, aws: Emulator, *, own: str, sender: str, story: Story) -> None:
        self._aws = aws
        self._own = own
        self._sender = sender
        self._story = story
        self._queues: dict[str, str] = {}
        self._bodies: list[str] = []

    def prepare(self) -> None:
        """Make what destinations publish to, and the identity, as they exist before us."""
        self._aws.client("sesv2").create_email_identity(EmailIdentity=IDENTITY)
        sqs, sns, bus = (self._aws.client(name) for name in ("sqs", "sns", "events"))
        for name in ("notices", "bus"):
            made = sqs.create_queue(QueueName=f"{_WORD}-{name}")
            self._queues[name] = made["QueueUrl"]
        policy = {"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}}
        policy |= {"Action": "sns:Publish", "Resource": _TOPIC}
        sns.create_topic(Name=_WORD, Attributes={"Policy": json.dumps({"Statement": [policy]})})
        sns.subscribe(TopicArn=_TOPIC, Protocol="sqs", Endpoint=_queue_arn("notices"))
        bus.put_rule(Name=_WORD, EventPattern=json.dumps({"source": ["aws.ses"]}))
        bus.put_targets(Rule=_WORD, Targets=[{"Id": "queue", "Arn": _queue_arn("bus")}])
        self._prepare_stream()

    def _prepare_stream(self) -> None:
        trust = {"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}}
        document = json.dumps({"Statement": [{**trust, "Action": "sts:AssumeRole"}]})
        writes = {"Effect": "Allow", "Action": "firehose:PutRecordBatch", "Resource": _STREAM}
        iam, policy = self._aws.client("iam"), json.dumps({"Statement": [writes]})
        iam.create_role(RoleName=_WORD, AssumeRolePolicyDocument=document)
        iam.put_role_policy(RoleName=_WORD, PolicyName=_WORD, PolicyDocument=policy)
        self._aws.client("s3").create_bucket(Bucket=_BUCKET)
        self._aws.client("firehose").create_delivery_stream(
            DeliveryStreamName=_WORD,
            ExtendedS3DestinationConfiguration={
                "RoleARN": _ROLE,
                "BucketARN": f"arn:aws:s3:::{_BUCKET}",
            },
        )

    def publish(self, archive: str) -> None:
        """Send a mail with each set, and find its events wherever they are published."""
        with self._story.step("two mails, and their events at each destination"):
            expect("sets", {self._own, NEWS, OLD} - set(self._sets()), set())
            before = self._counts()  # replies and reports are counted as well
            for sent in (self._send_ours(), self._send_news()):
                self._arrives(sent, "SNS", lambda: self._received("notices"))
                self._arrives(sent, "EventBridge", lambda: self._received("bus"))
                self._arrives(sent, "Firehose", lambda: self._stored(_BUCKET))
                self._arrives(sent, "the archive", lambda: self._stored(archive, "events/"))
            counted = [now - then for now, then in zip(self._counts(), before, strict=True)]
            expect(f"mails counted for {_COUNTED}", counted, [1] * len(_COUNTED))
            self._story.tell(
                "each in SNS, EventBridge and both streams; counted by tag, default and header"
            )

    def _send_ours(self) -> str:
        """Send a raw mail with a tag and a header, by the classic interface."""
        raw = f"From: {self._sender}\r\nSubject: Own\r\nX-Campaign: header\r\n\r\nAll is well.\r\n"
        answer = self._aws.client("ses").send_raw_email(
            Source=self._sender,
            Destinations=["ann@elsewhere.example"],
            RawMessage={"Data": raw.encode()},
            Tags=[{"Name": "campaign", "Value": "own"}],
            ConfigurationSetName=self._own,
        )
        return str(answer["MessageId"])

    def _send_news(self) -> str:
        """Send a mail without a tag by the present interface; the identity has a default set."""
        text = {"Subject": {"Data": "News"}, "Body": {"Text": {"Data": "All is well."}}}
        answer = self._aws.client("sesv2").send_email(
            FromEmailAddress=f"News <daily@{IDENTITY}>",
            Destination={"ToAddresses": ["bob@elsewhere.example"]},
            Content={"Simple": text},
        )
        return str(answer["MessageId"])

    def change(self, cdk: Cdk, settings: Mapping[str, Any], archive: str) -> None:
        """Deploy changed settings: disable, remove, delete; then nothing is published."""
        with self._story.step("disable destinations, remove others, delete a set: cdk deploy"):
            cdk.configure({**settings, **_changed_settings()})
            cdk.run("deploy", "--output", "cdk.out")
            expect("sets deleted", {NEWS, OLD} - set(self._sets()), {OLD})
            ours = {each["Name"]: each for each in self._destinations(self._own)}
            for each in (*_KINDS, _BY_HEADER):
                expect(f"{each['name']}: enabled", ours[each["name"]]["Enabled"], False)
            expect("events", ours[_BY_HEADER["name"]]["MatchingEventTypes"], ["BOUNCE"])
            expect(f"destinations of {NEWS}", self._destinations(NEWS), [])
            self._expect_options()
            self._expect_silence(archive)
            self._story.tell("five are disabled, five removed, one set deleted, one detached;")
            self._story.tell("of two more mails the archive alone has an event, of the first")

    def _expect_silence(self, archive: str) -> None:
        """Send both mails again; the deployment's own archive shows that events are out."""
        before = self._counts()
        mails = (self._send_news(), self._send_ours())
        self._arrives(mails[-1], "the archive", lambda: self._stored(archive, "events/"))
        for sent in mails:
            for where, found in (
                ("SNS", self._received("notices")),
                ("EventBridge", self._received("bus")),
                ("Firehose", self._stored(_BUCKET)),
            ):
                expect(f"events of {sent} in {where}", [each for each in found if sent in each], [])
        expect(f"mails counted for {_COUNTED}", self._counts(), before)

    def _expect_options(self) -> None:
        sesv2 = self._aws.client("sesv2")
        shown = sesv2.get_configuration_set(ConfigurationSetName=NEWS)
        expect("TLS policy", shown["DeliveryOptions"]["TlsPolicy"], "REQUIRE")
        expect("sending", shown["SendingOptions"]["SendingEnabled"], False)
        expect("suppression", shown["SuppressionOptions"]["SuppressedReasons"], ["COMPLAINT"])
        identity = sesv2.get_email_identity(EmailIdentity=IDENTITY)
        expect("the identity's default set", identity.get("ConfigurationSetName"), None)

    def _sets(self) -> list[str]:
        return list(self._aws.client("sesv2").list_configuration_sets()["ConfigurationSets"])

    def _destinations(self, name: str) -> list[dict[str, Any]]:
        answer = self._aws.client("sesv2").get_configuration_set_event_destinations(
            ConfigurationSetName=name
        )
        return list(answer.get("EventDestinations", []))

    def _arrives(self, message_id: str, where: str, found: Callable[[], Iterator[str]]) -> None:
        until = time.monotonic() + _PATIENCE_S
        while not any(message_id in text for text in found()):
            if time.monotonic() > until:
                expect(f"an event of {message_id} in {where}", "none", "one")
            time.sleep(0.2)

    def _received(self, name: str) -> Iterator[str]:
        """Yield what a queue got so far; its messages stay for the next question."""
        sqs, url = self._aws.client("sqs"), self._queues[name]
        asked = {"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 3600}
        while messages := sqs.receive_message(**asked).get("Messages"):
            self._bodies += [f"{name} {each['Body']}" for each in messages]
        yield from (body for body in self._bodies if body.startswith(name))

    def _stored(self, bucket: str, prefix: str = "") -> Iterator[str]:
        s3 = self._aws.client("s3")
        for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
            yield s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode()

    def _counts(self) -> list[int]:
        return [self._counted(name, value) for name, value in _COUNTED]

    def _counted(self, name: str, value: str) -> int:
        now = time.time()
        answer = self._aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SES",
            MetricName="Send",
            Dimensions=[{"Name": name, "Value": value}],
            StartTime=now - 3600,
            EndTime=now + 60,
            Period=3600,
            Statistics=["Sum"],
        )
        return int(sum(point["Sum"] for point in answer["Datapoints"]))


def _queue_arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{_WORD}-{name}"
