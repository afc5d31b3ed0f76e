"""A rule as plain values for JSON: the form in which the functions load it, without its document.

The document's name and its warnings are left out: the same rule, read from a file or a parameter,
has the same values on any machine.
"""

from datetime import datetime
from typing import Any

from bouncer.rules.bounce_limit import BounceLimit
from bouncer.rules.condition_json import condition_of, condition_values
from bouncer.rules.known_members import expect_known
from bouncer.rules.rejection_json import rejection_of, rejection_values
from bouncer.rules.reply_form_json import reply_form_of, reply_form_values
from bouncer.rules.rule import Action, Mode, Rule


def rule_values(rule: Rule) -> dict[str, Any]:
    """Return a rule as values; a member that says nothing is left out."""
    values: dict[str, Any] = {"name": rule.name, "mode": str(rule.mode), "action": str(rule.action)}
    if rule.description:
        values["description"] = rule.description
    if rule.starts is not None:
        values["from"] = rule.starts.isoformat()
    if rule.ends is not None:
        values["until"] = rule.ends.isoformat()
    if rule.share is not None:
        values["share"] = rule.share
    if rule.at_most is not None:
        values["at_most"] = list(rule.at_most)
    if rule.condition is not None:
        values["condition"] = condition_values(rule.condition)
    if rule.rejection is not None:
        values["reject"] = rejection_values(rule.rejection)
    if rule.reply is not None:
        values["reply"] = reply_form_values(rule.reply)
    return values


_MEMBERS = frozenset(
    (
        "name",
        "mode",
        "action",
        "description",
        "from",
        "until",
        "share",
        "at_most",
        "condition",
        "reject",
        "reply",
    )
)


def rule_of(values: dict[str, Any]) -> Rule:
    """Return the rule that has these values; raises `KeyError` or `ValueError` for other values.

    A member that is not known is refused: without it the rule might do more than it should.
    """
    expect_known(values, _MEMBERS)
    condition = values.get("condition")
    rejection, reply = values.get("reject"), values.get("reply")
    at_most = values.get("at_most")
    return Rule(
        name=values["name"],
        description=values.get("description", ""),
        mode=Mode(values["mode"]),
        starts=_moment(values.get("from")),
        ends=_moment(values.get("until")),
        share=values.get("share"),
        at_most=BounceLimit(*at_most) if at_most else None,
        condition=condition_of(condition) if condition else None,
        action=Action(values["action"]),
        rejection=rejection_of(rejection) if rejection else None,
        reply=reply_form_of(reply) if reply else None,
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
