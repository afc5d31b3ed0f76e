"""Tells the deployed publisher that parameters changed, as SSM would.

The emulator's Parameter Store publishes no events by itself; its bus, our rule, the queue and the
function are the deployed ones.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from bouncer.publishing.occasion import PUBLISH, Scope
from bouncer.sources.pointer import POINTER_KEY, Pointer, read_pointer
from bouncer.sources.revision import Revision, read_revision, revision_key
from bouncer_rehearsal.emulator import Emulator
from bouncer_rehearsal.story import expect

_LONGEST_WAIT_S = 60


class ParameterChanges:
    """The changes of one deployment's parameters, and what is in force."""

    def __init__(self, aws: Emulator, outputs: Mapping[str, str]) -> None:
        self._aws = aws
        self._outputs = outputs

    def announce(self, name: str) -> Pointer:
        """Put the event of one change on the bus; return the pointer once it has moved."""
        before = self.pointer().serial
        detail = {"name": name, "type": "String", "operation": "Update"}
        entry = {"Source": "aws.ssm", "DetailType": "Parameter Store Change"}
        answer = self._aws.client("events").put_events(
            Entries=[{**entry, "Detail": json.dumps(detail)}]
        )
        expect("events that were refused", answer["FailedEntryCount"], 0)
        ends = time.monotonic() + _LONGEST_WAIT_S
        while self.pointer().serial == before and time.monotonic() < ends:
            time.sleep(0.5)
        expect("the pointer has moved", self.pointer().serial > before, True)
        return self.pointer()

    def publish(self) -> None:
        """Have everything published at once, as a command of `bouncer` does."""
        payload = json.dumps({PUBLISH: str(Scope.EVERYTHING)})
        arn = self._outputs["PublisherArn"]
        answer = self._aws.client("lambda").invoke(FunctionName=arn, Payload=payload)
        expect("errors of the publisher", answer.get("FunctionError"), None)

    def pointer(self) -> Pointer:
        """Return the pointer in the bucket."""
        return read_pointer(self._object(POINTER_KEY))

    def revision(self) -> Revision:
        """Return the revision in force."""
        revision_id = self.pointer().revision
        return read_revision(revision_id, self._object(revision_key(revision_id)))

    def _object(self, key: str) -> bytes:
        bucket = self._outputs["RulesBucket"]
        answer: dict[str, Any] = self._aws.client("s3").get_object(Bucket=bucket, Key=key)
        body: bytes = answer["Body"].read()
        return body
