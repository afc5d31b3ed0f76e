"""SES receiving as the local deployment plays it: rules and actions in order, until a stop."""

import io
import json
from typing import Any

import pytest

from bouncer_cli.raw_mail import Envelope
from bouncer_rehearsal.receipt_rules import Receiving, ReceivingError, matches

RAW = b"""Return-Path: <tom@bakery.example>
From: tom@bakery.example
To: ann@example.com
Subject: Hello

Hello
"""
STORE = {"S3Action": {"BucketName": "mails", "ObjectKeyPrefix": "in/"}}


def invoke(name: str, kind: str = "RequestResponse") -> dict[str, Any]:
    return {"LambdaAction": {"FunctionArn": name, "InvocationType": kind}}


def rule(*actions: dict[str, Any], **other: Any) -> dict[str, Any]:
    given = {"Name": "r", "Enabled": True, "ScanEnabled": True, "Recipients": [], **other}
    return {**given, "Actions": list(actions)}


class Aws:
    """The three services, as far as they are called; `done` lists the actions in order."""

    def __init__(self, *rules: dict[str, Any], **answers: object) -> None:
        self._rules = list(rules)
        self._answers = answers
        self.done: list[str] = []
        self.events: list[dict[str, Any]] = []

    def describe_active_receipt_rule_set(self) -> dict[str, Any]:
        return {"Rules": self._rules}

    def put_object(self, **call: Any) -> None:
        assert call["Body"] == RAW
        self.done.append(f"put {call['Bucket']}/{call['Key'][:3]}")

    def invoke(self, **call: Any) -> dict[str, Any]:
        name = call["FunctionName"]
        self.done.append(f"invoke {name}")
        self.events.append(json.loads(call["Payload"]))
        answer = self._answers.get(name)
        error = {"FunctionError": "Unhandled"} if answer == "error" else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **error}

    def deliver(self, *recipients: str) -> tuple[str, ...]:
        receiving = Receiving(ses=self, s3=self, functions=self)
        return receiving.deliver(RAW, Envelope(recipients=recipients)).dispositions


def said(disposition: str) -> dict[str, str]:
    return {"disposition": disposition}


def test_actions_run_in_the_rules_order() -> None:
    """The mail is stored before the function is asked, if the rule says so, and after if not."""
    first, last = Aws(rule(STORE, invoke("f"))), Aws(rule(invoke("f"), STORE))
    first.deliver()
    last.deliver()
    assert first.done == ["put mails/in/", "invoke f"]
    assert last.done == ["invoke f", "put mails/in/"]


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        ("CONTINUE", ["invoke f", "put mails/in/", "invoke g"]),
        ("STOP_RULE", ["invoke f", "invoke g"]),
        ("STOP_RULE_SET", ["invoke f"]),
    ],
)
def test_a_disposition_stops_what_it_says(answer: str, done: list[str]) -> None:
    """STOP_RULE skips the rule's further actions, STOP_RULE_SET all that follows."""
    aws = Aws(rule(invoke("f"), STORE), rule(invoke("g")), f=said(answer))
    aws.deliver()
    assert aws.done == done


def test_whatever_a_function_does_not_say_is_continue() -> None:
    """Null from a function lets the mail go on, and so does an asynchronous call."""
    assert Aws(rule(invoke("f")), f=None).deliver() == ("CONTINUE",)
    assert Aws(rule(invoke("f", "Event")), f=said("STOP_RULE")).deliver() == ("CONTINUE",)


def test_an_event_names_only_the_rules_recipients() -> None:
    """Each rule's function gets the recipients that its rule covers, and the kind of call."""
    aws = Aws(rule(invoke("f"), Recipients=["ann@example.com"], ScanEnabled=False))
    aws.deliver("ann@example.com", "bob@example.com")
    receipt = aws.events[0]["Records"][0]["ses"]["receipt"]
    assert receipt["recipients"] == ["ann@example.com"]
    assert receipt["action"]["invocationType"] == "RequestResponse"
    assert receipt["spamVerdict"] == {"status": "DISABLED"}


def test_disabled_and_unconcerned_rules_do_nothing() -> None:
    """A rule that is off, or for somebody else, is passed over."""
    aws = Aws(rule(invoke("f"), Enabled=False), rule(invoke("g"), Recipients=["example.org"]))
    assert aws.deliver("ann@example.com") == ()
    assert aws.done == []


@pytest.mark.parametrize(
    ("conditions", "covered"),
    [
        ([], True),
        (["ann@example.com"], True),
        (["Example.COM"], True),
        (["example.org", "example.com"], True),
        ([".example.com"], False),
        (["bob@example.com"], False),
        (["ample.com"], False),
    ],
)
def test_what_a_rule_covers(conditions: list[str], covered: bool) -> None:
    """Addresses and domains match in any case; a leading dot means the domains below only."""
    assert matches({"Recipients": conditions}, "Ann@example.com") is covered
    assert matches({"Recipients": [".example.com"]}, "ann@mail.example.com")


def test_what_could_not_happen_is_an_error() -> None:
    """An action that is not known, or a function that failed, is never passed over in silence."""
    with pytest.raises(ReceivingError, match="found StopAction, expected S3 or Lambda"):
        Aws(rule({"StopAction": {"Scope": "RuleSet"}})).deliver()
    with pytest.raises(ReceivingError, match="f: found an error"):
        Aws(rule(invoke("f")), f="error").deliver()
