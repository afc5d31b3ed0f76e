"""The key and the metadata of a stopped mail in the mail bucket, by which it is found again.

The key has what a mail is looked for by: time, message id, references. The metadata has what the
mail itself does not say: its envelope, and what was decided for whom. It has no subject, which
stands in the mail. docs/decisions/0029-stored-copy.md has the reasons.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bouncer.judge import Judgement

STOPPED = "stopped/"  # the beginning of the keys of all stopped mail
METADATA = "bouncer"  # x-amz-meta-bouncer
_FORMAT = 1
_MOST_REFERENCES = 20  # 1,000 recipients; a key has at most 1,024 bytes
_LONGEST_METADATA = 1_800  # bytes; S3 takes 2 KB with the names
_LONGEST_SENDER = 600  # bytes of it in there
# Patterns are compiled when they are first needed: most mails need none.
_SAFE_ID = "[A-Za-z0-9][A-Za-z0-9._-]{0,199}"
_MARK = "bnc-[a-z2-7]{16}"  # a reference
_KEY = (
    rf"{STOPPED}(?P<time>\d{{4}}-\d\d-\d\d/\d{{6}})_(?P<id>{_SAFE_ID}?)"
    rf"(?:_(?P<marks>{_MARK}(?:\.{_MARK})*))?"
)
_TIME = "%Y-%m-%d/%H%M%S"
# A signature counts several blanks as one, and S3 may decode what looks like an encoded word.
_ESCAPES = {" ": "\\u0020", "?": "\\u003f", "\x7f": "\\u007f"}


class StoppedFor(NamedTuple):
    """Recipients for whom a mail was stopped alike: by a rule and its action.

    `reason` is the one for which they get no bounce, or "".
    """

    rule: str
    action: str
    reason: str
    recipients: tuple[str, ...]


class StoppedMail(NamedTuple):
    """One stopped mail; `more` is the number of recipients beyond those that the metadata holds."""

    message_id: str
    received_at: datetime
    references: tuple[str, ...] = ()
    sender: str = ""
    stopped_for: tuple[StoppedFor, ...] = ()
    more: int = 0

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that stopped it."""
        return tuple(dict.fromkeys(each.rule for each in self.stopped_for))

    @property
    def recipients(self) -> tuple[str, ...]:
        """The recipients for whom it was stopped."""
        return tuple(name for each in self.stopped_for for name in each.recipients)


def is_safe_id(message_id: str) -> bool:
    """Tell whether a message id can be part of a key; those of SES can."""
    return re.fullmatch(_SAFE_ID, message_id) is not None


def stopped_mail(judgement: Judgement, now: datetime) -> StoppedMail:
    """Return what is to be known of a mail that is stopped; `now` is its time if it has none."""
    message = judgement.message
    groups: dict[tuple[str, str, str], list[str]] = {}
    for decision in judgement.decisions:
        rule, reason = decision.rule, judgement.withheld.get(decision.recipient)
        key = (rule.name if rule else "", str(decision.action or ""), str(reason or ""))
        groups.setdefault(key, []).append(decision.recipient)
    return StoppedMail(
        message_id=message.message_id,
        received_at=message.received_at or now,
        references=tuple(job.reference for job in judgement.jobs),
        sender=message.sender,
        stopped_for=tuple(StoppedFor(*key, tuple(names)) for key, names in groups.items()),
    )


def stopped_key(mail: StoppedMail) -> str:
    """Return the key of a stopped mail: the same mail, stopped again, has the same one."""
    marks = ".".join(mail.references[:_MOST_REFERENCES])
    return f"{key_of_time(mail.received_at)}_{mail.message_id}" + (f"_{marks}" if marks else "")


def key_of_time(moment: datetime) -> str:
    """Return the beginning of the keys of mail that was received in this second."""
    return f"{STOPPED}{moment.astimezone(UTC).strftime(_TIME)}"


def read_key(key: str) -> StoppedMail | None:
    """Return what the key of a stopped mail says, or None for any other key."""
    found = re.fullmatch(_KEY, key)
    if found is None:
        return None
    try:
        received_at = datetime.strptime(found["time"], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
    marks = tuple(found["marks"].split(".")) if found["marks"] else ()
    return StoppedMail(found["id"], received_at, marks)


def metadata(mail: StoppedMail) -> dict[str, str]:
    """Return the object's metadata: ASCII without blanks, with as many recipients as fit."""
    sender = mail.sender
    while len(_encoded(sender)) > _LONGEST_SENDER:
        sender = sender[: len(sender) // 2]
    room = _LONGEST_METADATA - len(_encoded(_members(sender, (), len(mail.recipients))))
    kept: list[StoppedFor] = []
    more = 0
    for each in mail.stopped_for:
        names = []
        room -= len(_encoded(each._replace(recipients=()))) + 1
        for name in each.recipients:
            room -= len(_encoded(name)) + 1
            if room >= 0:
                names.append(name)
        more += len(each.recipients) - len(names)
        if names:
            kept.append(each._replace(recipients=tuple(names)))
    return {METADATA: _encoded(_members(sender, kept, more))}


def _members(sender: str, kept: Iterable[StoppedFor], more: int) -> Mapping[str, Any]:
    return {"v": _FORMAT, "from": sender, "for": list(kept), "more": more}


def _encoded(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"))
    for char, escape in _ESCAPES.items():
        text = text.replace(char, escape)
    return text


def with_metadata(mail: StoppedMail, found: Mapping[str, str]) -> StoppedMail:
    """Return a mail with what its object's metadata says; others' metadata says nothing."""
    try:
        members = json.loads(found[METADATA])
        groups = [
            StoppedFor(str(rule), str(action), str(reason), tuple(map(str, names)))
            for rule, action, reason, names in members["for"]
        ]
        return mail._replace(
            sender=str(members["from"]), stopped_for=tuple(groups), more=int(members["more"])
        )
    except (KeyError, ValueError, TypeError, RecursionError):
        return mail
