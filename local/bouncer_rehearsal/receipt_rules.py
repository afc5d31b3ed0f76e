"""Plays the receiving side of SES: takes the actions of the active receipt rules for a mail.

It knows only the actions that our rule has; any other is an error, and is not passed over. Sources:
SES Developer Guide, "Receipt rules console walkthrough" and "Invoke Lambda function action".
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bouncer.errors import BouncerError
from bouncer_cli.raw_mail import Envelope, read_raw_mail

_STOP_RULE_SET = "STOP_RULE_SET"


class ReceivingError(BouncerError):
    """SES could not have taken a rule's action; the text gives the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The delivery of a mail: objects stored, as `bucket/key`, and each function's disposition."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    stored: tuple[str, ...]
    dispositions: tuple[str, ...]


class Receiving:
    """The receiving of one account, by the clients `ses`, `s3` and `functions` (Lambda)."""

    def __init__(self, *, ses: Any, s3: Any, functions: Any) -> None:
        self._ses = ses
        self._s3 = s3
        self._functions = functions

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules in force, in order; an empty list while no rule set is active."""
        return list(self._ses.describe_active_receipt_rule_set().get("Rules", []))

    def deliver(self, raw: bytes, envelope: Envelope) -> Delivery:
        """Take the actions of every matching rule in order, until a function answers stop."""
        record = read_raw_mail(raw, envelope).record
        mail = record["ses"]["mail"]
        mail["timestamp"] = _now()
        recipients = tuple(record["ses"]["receipt"]["recipients"])
        stored: list[str] = []
        dispositions: list[str] = []
        for rule in self.rules():
            concerned = [each for each in recipients if matches(rule, each)]
            if not rule["Enabled"] or not concerned:
                continue
            for action in rule["Actions"]:
                if "S3Action" in action:
                    stored.append(self._store(action["S3Action"], mail["messageId"], raw))
                elif "LambdaAction" in action:
                    event = _event(record, rule, concerned, action["LambdaAction"])
                    dispositions.append(self._invoke(action["LambdaAction"], event))
                else:
                    kinds = " and ".join(action)
                    raise ReceivingError(
                        f"receipt rule {rule['Name']}: found {kinds}, expected S3 or Lambda actions"
                    )
                if dispositions[-1:] in (["STOP_RULE"], [_STOP_RULE_SET]):
                    break
            if dispositions[-1:] == [_STOP_RULE_SET]:
                break
        return Delivery(
            message_id=mail["messageId"],
            sender=mail["source"],
            recipients=recipients,
            stored=tuple(stored),
            dispositions=tuple(dispositions),
        )

    def _store(self, action: dict[str, Any], message_id: str, raw: bytes) -> str:
        bucket, key = action["BucketName"], f"{action.get('ObjectKeyPrefix', '')}{message_id}"
        self._s3.put_object(Bucket=bucket, Key=key, Body=raw)
        return f"{bucket}/{key}"

    def _invoke(self, action: dict[str, Any], event: dict[str, Any]) -> str:
        """Return the function's disposition; SES takes any answer without one for CONTINUE."""
        kind = action["InvocationType"]
        answer = self._functions.invoke(
            FunctionName=action["FunctionArn"], InvocationType=kind, Payload=json.dumps(event)
        )
        text = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise ReceivingError(f"{action['FunctionArn']}: found an error: {text[:1000]!r}")
        if kind != "RequestResponse":
            return "CONTINUE"
        said = json.loads(text or b"null")
        return str(said["disposition"]) if isinstance(said, dict) else "CONTINUE"


def matches(rule: dict[str, Any], recipient: str) -> bool:
    """Tell whether a rule covers a recipient: by address, domain, or `.domain` for subdomains."""
    conditions = rule.get("Recipients") or []
    return not conditions or any(_covers(each, recipient.lower()) for each in conditions)


def _covers(condition: str, recipient: str) -> bool:
    condition = condition.lower()
    domain = recipient.rpartition("@")[2]
    if condition.startswith("."):
        return domain.endswith(condition)
    return condition in (recipient, domain)


def _event(
    record: dict[str, Any], rule: dict[str, Any], recipients: list[str], action: dict[str, Any]
) -> dict[str, Any]:
    """Return the event of one action: the rule's recipients; no scan, no content verdicts."""
    receipt = {
        **record["ses"]["receipt"],
        "recipients": recipients,
        "timestamp": _now(),
        "processingTimeMillis": 400,
        "action": {
            "type": "Lambda",
            "functionArn": action["FunctionArn"],
            "invocationType": action["InvocationType"],
        },
    }
    if not rule["ScanEnabled"]:
        receipt |= {f"{scan}Verdict": {"status": "DISABLED"} for scan in ("spam", "virus")}
    return {"Records": [{**record, "ses": {"mail": record["ses"]["mail"], "receipt": receipt}}]}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
