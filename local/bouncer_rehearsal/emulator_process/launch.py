"""Starts ministack, and adds receipt rules in CloudFormation, SendBounce, events and more of SES.

It runs in the emulator's own virtual environment (.venv-emulator), so it must not import our
packages. SendBounce goes on to the fake SES at BOUNCER_SES. No mail is received here:
`bouncer_rehearsal.receipt_rules` plays that part. The emulator ends when its standard input does,
so it cannot outlive the process that started it. It uses private names of ministack, whose version
is pinned in requirements.txt.
"""

import asyncio
import json
import os
import re
import signal
import threading
import urllib.error
import urllib.request
from fnmatch import fnmatchcase
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote

from ministack import app
from ministack.services import eventbridge, lambda_svc, s3, ses, ses_v2, sqs
from ministack.services.cloudformation import provisioners
from sent_events import publishing, read_classic, read_v2
from stand_in_resources import INERT, RECORDED, simplified

Properties = dict[str, Any]
Created = tuple[str, dict[str, str]]  # physical id, attributes
Answer = tuple[int, dict[str, str], bytes]
Asked = dict[str, list[str]]

_TIMEOUT_S = 60
_filters: dict[str, dict[str, Any]] = {}
_moved: dict[str, int] = {}  # messages moved, by the source's ARN
_answer_others = ses.handle_request
_answer_others_v2 = ses_v2.handle_request


def main() -> None:
    """Register the missing resources and actions, then run ministack."""
    handlers = provisioners._RESOURCE_HANDLERS  # noqa: SLF001  # see requirements.in
    handlers["AWS::CloudWatch::Alarm"] = simplified(handlers["AWS::CloudWatch::Alarm"])
    handlers.update(
        {
            "AWS::SES::ReceiptRuleSet": {"create": create_rule_set, "delete": delete_rule_set},
            "AWS::SES::ReceiptRule": {
                "create": create_rule,
                "update": update_rule,
                "delete": delete_rule,
            },
            "AWS::SES::ReceiptFilter": {"create": create_filter, "delete": delete_filter},
            **dict.fromkeys(INERT, RECORDED),
        }
    )
    sqs._HANDLERS |= {  # noqa: SLF001
        "StartMessageMoveTask": start_move,
        "ListMessageMoveTasks": list_moves,
    }
    eventbridge._put_events = partial(eventbridge._put_events, allow_aws_source=True)  # noqa: SLF001
    ses.handle_request = publishing(answer, read_classic)
    ses_v2.handle_request = publishing(answer_v2, read_v2)
    threading.Thread(target=_end_with_input, daemon=True).start()
    app.main()


def _end_with_input() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


async def answer(
    method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
) -> Answer:
    """Answer as ministack does, and also the actions that it does not know."""
    action = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
    if action == "SendBounce":
        return await asyncio.to_thread(_forward, headers, body)
    receiving = _RECEIVING.get(action)
    if receiving:
        try:
            found = receiving(parse_qs(body.decode()))
        except ValueError as error:
            return ses._receipt_error("InvalidParameterValue", str(error))  # type: ignore[no-any-return]  # noqa: SLF001
        return ses._receipt_result(action, found)  # type: ignore[no-any-return]  # noqa: SLF001
    return await _answer_others(method, path, headers, body, query)  # type: ignore[no-any-return]


def _ask_filters(asked: Asked) -> dict[str, Any]:  # noqa: ARG001  # it asks for all
    return {"Filters": list(_filters.values())}


def _ask_filter(asked: Asked) -> dict[str, Any]:
    (name,) = asked["Filter.Name"]
    keys = {"Policy": "Filter.IpFilter.Policy", "Cidr": "Filter.IpFilter.Cidr"}
    ip_filter = {key: asked[place][0] for key, place in keys.items()}
    create_filter("", {"Filter": {"Name": name, "IpFilter": ip_filter}}, "")
    return {}


def _ask_rule(asked: Asked) -> dict[str, Any]:
    """Take any action, with the checks of CloudFormation's rule; ministack takes two kinds."""
    rule = ses._receipt_rule_from_params(asked)  # noqa: SLF001
    props = {"RuleSetName": asked["RuleSetName"][0], "Rule": rule}
    create_rule("", props | {"After": asked.get("After", [None])[0]}, "")
    return {}


_RECEIVING = {
    "ListReceiptFilters": _ask_filters,
    "CreateReceiptFilter": _ask_filter,
    "CreateReceiptRule": _ask_rule,
}


def start_move(data: dict[str, Any], url: str) -> dict[str, Any]:  # noqa: ARG001  # ministack's signature
    """Move all messages of a queue at once, as new messages; SQS takes its time."""
    source, target = (
        sqs._queue_by_arn(data[key])  # noqa: SLF001
        for key in ("SourceArn", "DestinationArn")
    )
    _moved[data["SourceArn"]] = len(source["messages"])
    for message in source["messages"]:
        asked = {
            "QueueUrl": target["url"],
            "MessageBody": message["body"],
            "MessageGroupId": message["group_id"],
            "MessageDeduplicationId": message["id"],
        }
        sqs._act_send_message(asked, target["url"])  # noqa: SLF001
    source["messages"].clear()
    return {"TaskHandle": "moved"}


def list_moves(data: dict[str, Any], url: str) -> dict[str, Any]:  # noqa: ARG001
    """Return the last move out of a queue."""
    count = _moved.get(data["SourceArn"], 0)
    task = {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": count}
    return {"Results": [{**task, "SourceArn": data["SourceArn"]}]}


async def answer_v2(
    method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
) -> Answer:
    """Answer as ministack does, and also PutEmailIdentityConfigurationSetAttributes."""
    asked = re.fullmatch(r"/v2/email/identities/([^/]+)/configuration-set", path)
    if method != "PUT" or asked is None:
        return await _answer_others_v2(method, path, headers, body, query)  # type: ignore[no-any-return]
    identity = ses_v2._identities.get(unquote(asked[1]))  # noqa: SLF001
    name = json.loads(body or b"{}").get("ConfigurationSetName")
    if identity is None or (name and name not in ses_v2._config_sets):  # noqa: SLF001
        missing = "NotFoundException", f"{unquote(asked[1])} or {name} does not exist", 404
        return ses_v2._json_err(*missing)  # type: ignore[no-any-return]  # noqa: SLF001
    identity.pop("ConfigurationSetName", None)
    if name:
        identity["ConfigurationSetName"] = name
    return 200, {"Content-Type": "application/json"}, b"{}"


def _forward(headers: dict[str, str], body: bytes) -> Answer:
    kept = ("authorization", "content-type")
    request = urllib.request.Request(  # noqa: S310  # a loopback address
        os.environ["BOUNCER_SES"],
        data=body,
        headers={name: value for name, value in headers.items() if name.lower() in kept},
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as reply:  # noqa: S310
            return reply.status, {"Content-Type": "text/xml"}, reply.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, {"Content-Type": "text/xml"}, refusal.read()


def create_rule_set(logical_id: str, props: Properties, stack: str) -> Created:
    """Create an AWS::SES::ReceiptRuleSet; its Ref is its name."""
    name = props.get("RuleSetName") or f"{stack}-{logical_id}"
    _require(ses._create_receipt_rule_set({"RuleSetName": [name]}))  # noqa: SLF001
    return name, {}


def delete_rule_set(name: str, props: Properties) -> None:  # noqa: ARG001  # ministack's signature
    """Delete a set; refused while it is active, as by SES."""
    _require(ses._delete_receipt_rule_set({"RuleSetName": [name]}))  # noqa: SLF001


def create_rule(logical_id: str, props: Properties, stack: str) -> Created:
    """Create a rule; refused unless SES may take its actions, as SES tries each of them."""
    rule = _rule(logical_id, props, stack)
    _require_permissions(rule, props["RuleSetName"])
    rules = _rules(props["RuleSetName"])
    if any(other["Name"] == rule["Name"] for other in rules):
        raise ValueError(f"Rule already exists: {rule['Name']}")
    _insert(rules, rule, props.get("After"))
    return rule["Name"], {}


def update_rule(name: str, old: Properties, new: Properties, stack: str) -> Created:
    """Change a rule in place if it keeps its set, or else create it anew in the other set."""
    if old["RuleSetName"] != new["RuleSetName"]:
        created = create_rule(name, new, stack)
        delete_rule(name, old)
        return created
    rule = _rule(name, new, stack)
    _require_permissions(rule, new["RuleSetName"])
    delete_rule(name, old)
    _insert(_rules(new["RuleSetName"]), rule, new.get("After"))
    return rule["Name"], {}


def delete_rule(name: str, props: Properties) -> None:
    """Delete a rule, if it still exists."""
    rules = _rules(props["RuleSetName"])
    rules[:] = [rule for rule in rules if rule["Name"] != name]


def create_filter(logical_id: str, props: Properties, stack: str) -> Created:
    """Create an AWS::SES::ReceiptFilter; its Ref is its name."""
    name = props["Filter"].get("Name") or f"{stack}-{logical_id}"
    _filters[name] = {"Name": name, "IpFilter": props["Filter"]["IpFilter"]}
    return name, {}


def delete_filter(name: str, props: Properties) -> None:  # noqa: ARG001  # ministack's signature
    """Delete a filter, if it still exists."""
    _filters.pop(name, None)


def _rules(rule_set: str) -> list[dict[str, Any]]:
    if rule_set not in ses._receipt_rule_sets:  # noqa: SLF001
        raise ValueError(f"Rule set does not exist: {rule_set}")
    return ses._receipt_rule_sets[rule_set]["Rules"]  # type: ignore[no-any-return]  # noqa: SLF001


def _insert(rules: list[dict[str, Any]], rule: dict[str, Any], after: str | None) -> None:
    names = [other["Name"] for other in rules]
    if after and after not in names:
        raise ValueError(f"Rule does not exist: {after}")
    rules.insert(names.index(after) + 1 if after else 0, rule)


def _rule(logical_id: str, props: Properties, stack: str) -> dict[str, Any]:
    """Return a rule as SES describes it, with its defaults for what the template leaves out."""
    given = props["Rule"]
    rule = {
        "Name": given.get("Name") or f"{stack}-{logical_id}",
        "Enabled": _flag(given.get("Enabled", False)),
        "TlsPolicy": given.get("TlsPolicy", "Optional"),
        "Actions": [
            {kind: {"InvocationType": "Event", **details} if kind == "LambdaAction" else details}
            for action in given.get("Actions", [])
            for kind, details in action.items()
        ],
        "Recipients": list(given.get("Recipients", [])),
        "ScanEnabled": _flag(given.get("ScanEnabled", False)),
    }
    _require(ses._receipt_rule_error(rule))  # noqa: SLF001
    return rule


def _flag(value: object) -> bool:
    return str(value).lower() == "true"


def _require(answered: Answer | None) -> None:
    if answered is not None and answered[0] >= 400:  # noqa: PLR2004  # an HTTP error
        raise ValueError(answered[2].decode())


def _require_permissions(rule: dict[str, Any], rule_set: str) -> None:
    source = f":receipt-rule-set/{rule_set}:receipt-rule/{rule['Name']}"
    for action in rule["Actions"]:
        if "LambdaAction" in action:
            _require_invocation(action["LambdaAction"]["FunctionArn"], source)
        if "S3Action" in action:
            _require_bucket(action["S3Action"]["BucketName"], source)


def _require_invocation(arn: str, source: str) -> None:
    record, _, _ = lambda_svc._get_func_record_for_ref(arn)  # noqa: SLF001
    statements = json.dumps(record["policy"]["Statement"] if record else [])
    if "ses.amazonaws.com" not in statements or source not in statements:
        raise ValueError(f"InvalidLambdaFunction: SES may not invoke {arn}")


def _after_account(arn: str) -> str:
    return ":" + arn.split(":", 5)[-1]


def _require_bucket(bucket: str, source: str) -> None:
    policy = s3._bucket_policies.get(bucket) or "{}"  # noqa: SLF001
    document = json.loads(policy) if isinstance(policy, str) else policy
    allowed = [
        pattern
        for statement in document.get("Statement", [])
        if "ses.amazonaws.com" in json.dumps(statement.get("Principal"))
        for pattern in statement.get("Condition", {}).get("ArnLike", {"": "*"}).values()
    ]
    if not any(fnmatchcase(source, f"*{_after_account(pattern)}") for pattern in allowed):
        raise ValueError(f"InvalidS3Configuration: SES may not write to bucket {bucket}")


if __name__ == "__main__":
    main()
