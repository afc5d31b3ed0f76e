"""The parameters of the SendRawEmail call that a reply asks for, as boto3 takes them."""

from datetime import datetime
from typing import Any

from bouncer.function_limits import PRODUCT
from bouncer.jobs.reply import Reply
from bouncer.mail.address import mailbox_address
from bouncer.metric_names import DEPLOYMENT
from bouncer.reply_text import mime

_ESCAPED = str.maketrans({"_": "__", ".": "_-"})


def reply_request(reply: Reply, *, date: datetime, deployment: str) -> dict[str, Any]:
    """Return the parameters of the call of a reply that is sent at `date`.

    The tags are dimensions and members of SES's events. `Source` is also where SES sends a bounce
    of this reply, as it takes no null sender.
    """
    call: dict[str, Any] = {
        "Source": mailbox_address(reply.from_),
        "Destinations": [reply.sender],
        "RawMessage": {"Data": mime(reply, date=date)},
        "Tags": [
            {"Name": "rule", "Value": tag_value(reply.rule)},
            {"Name": DEPLOYMENT, "Value": deployment},
            {"Name": "reference", "Value": reply.reference},
        ],
        "ConfigurationSetName": f"{PRODUCT}-{deployment}",
    }
    return call | ({"SourceArn": reply.from_arn} if reply.from_arn else {})


def tag_value(rule: str) -> str:
    """Return the name of a rule as the value of a tag, from which the name can be told again.

    SES takes letters, digits, `_` and `-`, at most 256 of them (API reference, MessageTag), and a
    name of at most 100 characters may have dots: a dot becomes `_-`, and `_` becomes `__`.
    """
    return rule.translate(_ESCAPED)
