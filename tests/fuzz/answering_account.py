"""An account that answers every call of boto3 as a healthy deployment does, but for one text.

It answers below the clients, so that commands run as they are, and no request leaves the machine.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.session import Session
from dns.resolver import NXDOMAIN, Resolver

from bouncer.sources.stopped_mail import METADATA
from tests.functions.doctor.aws import HEALTHY, parameter

# The places in which a text can stand: a rule, the document `held`, a dead letter, the ledger, the
# envelope of a stopped mail, the names of an identity and of a rule set.
RULE, HELD, LETTER, LEDGER, MAIL, NAME = "rule", "held", "letter", "ledger", "mail", "name"


@contextmanager
def answered(place: str, text: str) -> Iterator[None]:
    """Answer every call of boto3 as a healthy deployment does, but with the text in its place."""
    keys = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    secrets = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "COLUMNS": "80"}
    answers = _Answers(place, text)
    with (
        patch.dict(os.environ, keys | secrets),
        patch.object(Session, "create_client", lambda _, *names, **given: _client(*names, **given)),
        patch.object(BaseClient, "_make_api_call", answers.of),
        patch.object(Resolver, "resolve", side_effect=NXDOMAIN),
    ):
        yield


_create_client = Session.create_client


@cache
def _made(name: str, region: str) -> BaseClient:
    """Make a client once: it takes longer than all that a command does."""
    made: BaseClient = _create_client(
        Session(),
        name,
        region_name=region,
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106  # nobody's
    )
    return made


def _client(name: str, region_name: str | None = None, **_: object) -> BaseClient:
    return _made(name, region_name or "eu-west-1")


class _Answers:
    """The answers of AWS to one command; each letter and document is shown once."""

    def __init__(self, place: str, text: str) -> None:
        self._place = place
        self._text = text
        self._received = False

    def of(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a call; `patch` leaves the client out."""
        answer = self._special(operation, asked)
        if answer is not None:
            return answer
        known = next((HEALTHY[key] for key in HEALTHY if key.endswith(f".{operation}")), None)
        if callable(known):
            known = known(str(asked))
        if known is None:
            return {}
        if isinstance(known, str | tuple):
            raise ClientError({"Error": {"Code": "NoSuch", "Message": self._text}}, operation)
        return dict(known)

    def _special(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        match operation:
            case "DescribeStacks":
                return {"Stacks": [_STACK]}
            case "GetParametersByPath":
                return {"Parameters": [parameter("rules/a", _ALL), *self._document()]}
            case "ReceiveMessage":
                return {"Messages": self._letters()}
            case "BatchGetItem":
                keys = asked["RequestItems"]["ledger"]["Keys"]
                return {"Responses": {"ledger": [{**key, **self._item()} for key in keys]}}
            case "ListObjectsV2" if self._place == MAIL:
                keys = [f"{_KEY}m-1", f"{_KEY}m-2", f"stopped/{self._text[:99]}"]
                return {"Contents": [{"Key": key, "Size": 1} for key in keys]}
            case "ListEmailIdentities":
                return {"EmailIdentities": [{"IdentityName": self._name("example.com")}]}
            case "DescribeActiveReceiptRuleSet" if self._place == NAME:
                return {"Metadata": {"Name": self._text[:99]}}
            case "GetObject" if self._place == MAIL:
                return {"Body": BytesIO(b"x"), "Metadata": {METADATA: self._envelope(asked["Key"])}}
        return None

    def _name(self, otherwise: str) -> str:
        return self._text[:99] if self._place == NAME and len(self._text) % 2 else otherwise

    def _envelope(self, key: str) -> str:
        """Return the metadata of a mail: a text, or the members of an envelope that have it."""
        if key.endswith("2"):
            return self._text
        groups = [[self._text, "reject", self._text, [self._text, self._text]]]
        return json.dumps({"v": 1, "from": self._text, "for": groups, "more": 0})

    def _item(self) -> dict[str, Any]:
        """Return the members of an item whose every text is a stranger's."""
        texts = dict.fromkeys(("state", "outcome", "reason", "why", "salt"), self._text[:99])
        return {"since": {"N": "1793606400"}, **{name: {"S": text} for name, text in texts.items()}}

    def _document(self) -> list[dict[str, Any]]:
        names = {RULE: "rules/odd", HELD: "held"}
        return [parameter(names[self._place], self._text)] if self._place in names else []

    def _letters(self) -> list[dict[str, Any]]:
        if self._received or self._place != LETTER:
            return []
        self._received = True
        attributes = {"SentTimestamp": "1793606400000", "MessageGroupId": self._text[:99]}
        body = {"Body": self._text, "Attributes": attributes}
        return [{"MessageId": "m-1", "ReceiptHandle": "h", **body}]


_KEY = "stopped/2026-11-02/080000_"
_ALL = 'when: {recipient: "*"}\ndrop: {}'
_OUTPUTS = {
    "PublisherArn": "arn:aws:lambda:eu-west-1:123456789012:function:publisher",
    "RulesPrefix": "/ses-auto-bouncer/main/rules/",
    "HeldParameter": "/ses-auto-bouncer/main/held",
    "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs.fifo",
    "DeadLetterUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/dead.fifo",
    "MailBucket": "mails",
}
_STACK = HEALTHY["cloudformation.DescribeStacks"]["Stacks"][0] | {
    "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in _OUTPUTS.items()]
}
