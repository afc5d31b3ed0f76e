"""The form of a reply as plain values for JSON; a member that says nothing is left out."""

from typing import Any

from bouncer.rules.known_members import expect_known
from bouncer.rules.rejection import Template
from bouncer.rules.reply_form import ReplyForm

Values = dict[str, Any]

_MEMBERS = frozenset(("from", "from_arn", "reply_to", "subject", "text", "once_per_s"))


def reply_form_values(form: ReplyForm) -> Values:
    """Return a form as values; `reply_form_of` reads them again."""
    values: Values = {"from": form.sender, "text": form.text.text, "once_per_s": form.once_per_s}
    if form.sender_arn:
        values["from_arn"] = form.sender_arn
    if form.reply_to:
        values["reply_to"] = form.reply_to
    if form.subject:
        values["subject"] = form.subject.text
    return values


def reply_form_of(values: Values) -> ReplyForm:
    """Return the form that has these values; raises `ValueError` for an unknown member."""
    expect_known(values, _MEMBERS)
    subject = values.get("subject")
    return ReplyForm(
        sender=values["from"],
        sender_arn=values.get("from_arn"),
        subject=None if subject is None else Template(subject),
        text=Template(values["text"]),
        once_per_s=values["once_per_s"],
        reply_to=values.get("reply_to"),
    )
