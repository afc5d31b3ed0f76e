"""Reads the `reply` part of a rule, which looks like this:

from: Example support <replies@example.com>    # one of the deployment's reply_senders
from_arn: arn:aws:ses:...                       # if another account verifies it
reply_to: hello@example.com                      # where answers go; default from
subject: "We have your mail (was: {subject})"   # default "Auto: {subject}"
text: |
  Plain text in any letters, with the placeholders of reject.
once_per: 7d                                    # one reply to a sender; 1h to 30d
"""

import re

from bouncer.rules.address_reader import read_mailbox
from bouncer.rules.bounce_limit import DAY_S, HOUR_S
from bouncer.rules.document import Node
from bouncer.rules.rejection import Template
from bouncer.rules.rejection_reader import read_arn, read_template
from bouncer.rules.reply_form import DEFAULT_ONCE_PER_S, ReplyForm

TEXT_LIMIT = 4000  # characters of a text before it is filled in
SUBJECT_LIMIT = 200
KEYS = ("from", "from_arn", "reply_to", "subject", "text", "once_per")

_LONGEST_S = 30 * DAY_S
_A_PERIOD = "hours or days such as 12h or 7d, 1h to 30d"
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_REQUIRED = ("from", "text")


def read_reply(node: Node) -> ReplyForm | None:
    """Return the form of replies in a `reply` mapping; None after a problem."""
    entries = node.members(KEYS, "a mapping with from and text")
    if not isinstance(node.value, dict):
        return None
    for key in _REQUIRED:
        if key not in entries:
            node.fault("from and text", found=f"no {key}")
    sender = read_mailbox(entries["from"]) if "from" in entries else None
    text = _text(entries["text"], TEXT_LIMIT) if "text" in entries else None
    form = ReplyForm(
        sender=sender or "",
        sender_arn=read_arn(entries["from_arn"]) if "from_arn" in entries else None,
        subject=_subject(entries["subject"]) if "subject" in entries else None,
        text=text or Template(""),
        once_per_s=_once_per_s(entries["once_per"])
        if "once_per" in entries
        else DEFAULT_ONCE_PER_S,
        reply_to=read_mailbox(entries["reply_to"]) if "reply_to" in entries else None,
    )
    return form if sender and text else None


def _text(node: Node, limit: int) -> Template | None:
    """Return a template in whose text nothing but line feeds and tabs controls anything."""
    template = read_template(node, limit)
    if template and (found := _CONTROLS.search(template.text)):
        node.fault("text with line feeds and tabs alone", found=f"the character {found[0]!a}")
        return None
    return template


def _subject(node: Node) -> Template | None:
    template = _text(node, SUBJECT_LIMIT)
    if template and ("\n" in template.text.rstrip() or "\t" in template.text):
        node.fault("text on one line")
        return None
    return template


def _once_per_s(node: Node) -> int:
    text = node.value if isinstance(node.value, str) else ""
    match = re.fullmatch(r"([1-9][0-9]{0,2})([hd])", text)
    seconds = int(match[1]) * (HOUR_S if match[2] == "h" else DAY_S) if match else 0
    if not 0 < seconds <= _LONGEST_S:
        node.fault(_A_PERIOD)
    return seconds
