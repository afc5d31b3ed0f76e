"""Judges a message: decisions, disposition, withheld bounces, jobs and replies, as one value.

The same function serves the intake, replay and tests; it has no effects. A rejected recipient whose
bounce is withheld is still rejected. But a mail is never stopped while its bounce is withheld for a
reason that says nothing about its sender: such a mail goes on. A reply never changes what becomes
of its mail, which goes on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from bouncer import guard
from bouncer.bounce_text import BounceTexts
from bouncer.jobs.job import MOST_RECIPIENTS, Job, JobError
from bouncer.jobs.reference import reference
from bouncer.mail.address import domain
from bouncer.mail.copied_content import CopiedContent
from bouncer.mail.message import Message
from bouncer.mail.stored_copy import StoredCopy, StoredCopyError, with_all_headers
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.rules.rejection import Rejection
from bouncer.rules.rule import Action, Mode
from bouncer.rules.ruleset import Decision, Ruleset

if TYPE_CHECKING:
    from bouncer.jobs.reply import Reply


class Disposition(StrEnum):
    """The answer of the intake to SES (SES Developer Guide, "Lambda function action")."""

    CONTINUE = "CONTINUE"
    STOP_RULE_SET = "STOP_RULE_SET"


class Judgement(NamedTuple):
    """All there is to say about one mail; `withheld` maps unanswered recipients to the reason.

    `went_on` is the reason for which a mail goes on that its rules would have stopped, or None.
    `completed` is set if the headers of `message` are those of its stored copy, and `unread` is the
    error for which the copy could not be read. `unreplied` maps recipients whose reply is withheld
    to the reason, and `reply_error` is the error for which a reply could not be made.
    """

    message: Message
    decisions: tuple[Decision, ...]
    disposition: Disposition
    withheld: Mapping[str, Reason]
    went_on: Reason | None
    jobs: tuple[Job, ...]
    completed: bool = False
    unread: StoredCopyError | None = None
    replies: tuple["Reply", ...] = ()
    unreplied: Mapping[str, Reason] = {}
    reply_error: JobError | None = None

    @property
    def passed_over(self) -> dict[str, list[str]]:
        """The rules that did not act on some recipient, by the cause: `braked`, `outside_share`."""
        found: dict[str, set[str]] = {}
        for decision in self.decisions:
            for rule in filter(attrgetter("passed_over"), decision.shadow):
                found.setdefault(rule.passed_over.replace(" ", "_"), set()).add(rule.name)
        return {cause: sorted(names) for cause, names in sorted(found.items())}


def judge(
    message: Message,
    ruleset: Ruleset,
    settings: Settings,
    *,
    now: datetime,
    goes_on: bool = False,
    copy: StoredCopy | None = None,
    kept: bool = True,
) -> Judgement:
    """Decide about every recipient; `now` is the time of receipt for a mail without one.

    With `goes_on`, sending is held for so long that a mail that would be bounced goes on. From the
    `copy` come headers that SES has cut, if a rule or the guard asks for headers, and content, if a
    rule asks for that. Without `kept`, the mail could not be copied to where stopped mail is kept.

    In mode shadow, decisions and what is withheld are for the record only: nothing is stopped, and
    `jobs` and `replies` are empty. Raises `JobError` for a mail whose bounce can't be made, such as
    one with a line break in its message id.
    """
    message, decisions, completed, unread = _seen(message, ruleset, settings, copy)
    withheld, answered, unreplied, replied = _guarded(
        message, decisions, ruleset, settings, goes_on=goes_on, kept=kept
    )
    acting = settings.mode is Mode.ENFORCE
    stopping = acting and bool(decisions) and all(map(_stops, decisions))
    went_on = _not_about_sender(withheld.values()) if stopping else None
    stopped = stopping and went_on is None
    judgement = Judgement(
        message=message,
        decisions=decisions,
        disposition=Disposition.STOP_RULE_SET if stopped else Disposition.CONTINUE,
        withheld=withheld,
        went_on=went_on,
        jobs=tuple(_jobs(message, answered, ruleset, settings, now)) if acting else (),
        completed=completed,
        unread=unread,
    )
    if not (unreplied or replied):
        return judgement
    replies, error = _replies(message, replied, ruleset, now) if acting else ((), None)
    return judgement._replace(replies=replies, unreplied=unreplied, reply_error=error)


class _Seen(NamedTuple):
    """A message with what was read of its copy, and the decisions about it."""

    message: Message
    decisions: tuple[Decision, ...]
    completed: bool = False
    unread: StoredCopyError | None = None


def _seen(message: Message, ruleset: Ruleset, settings: Settings, copy: StoredCopy | None) -> _Seen:
    if settings.mode is Mode.OFF:
        return _Seen(message, ())
    content = None
    if copy is not None and message.content is None and ruleset.asks_content:
        content = CopiedContent(copy)
        message = replace(message, content=content)
    decisions = ruleset.decisions(message)
    if copy is None or not message.headers_truncated or not _ask_headers(decisions, ruleset):
        return _Seen(message, decisions, unread=content.unread if content else None)
    try:
        message = with_all_headers(message, copy)
    except StoredCopyError as error:
        return _Seen(message, decisions, unread=error)
    decisions = ruleset.decisions(message)
    completed = not message.headers_truncated
    return _Seen(message, decisions, completed, content.unread if content else None)


def _ask_headers(decisions: Iterable[Decision], ruleset: Ruleset) -> bool:
    """Tell whether the rules, or the guard by what they decided, look at headers."""
    actions = [each.action for each in decisions]
    guarded = Action.REJECT in actions or Action.REPLY in actions
    return bool(actions) and (ruleset.asks_headers or guarded)


def _not_about_sender(reasons: Iterable[Reason]) -> Reason | None:
    """Return the first reason that says nothing about the sender: the mail goes on for it."""
    return next((reason for reason in reasons if not reason.about_sender), None)


def _stops(decision: Decision) -> bool:
    if decision.rule is None or decision.rule.action.lets_through:
        return False
    return decision.rule.rejection is None or not decision.rule.rejection.keep_copy


def guard_context(
    message: Message,
    decision: Decision,
    ruleset: Ruleset,
    settings: Settings,
    *,
    goes_on: bool = False,
    kept: bool = True,
) -> guard.Context:
    """Return the facts the guard needs about one recipient that is rejected or replied for.

    Our senders are those of all rules, of the settings, the one that a bounce has without them, and
    all that the deployment may reply from, as a rule that replied yesterday may be gone today:
    if only the deciding rule's counted, two rules that refuse mail to each other's sender would
    answer each other's bounces without end. Nothing waives a reason to withhold a reply.
    """
    rejection = decision.rule.rejection if decision.rule else None
    default = bounce_sender(decision.recipient, None, settings)
    for_reply = decision.action is Action.REPLY
    waived = settings.answer | (rejection.answer if rejection else frozenset())
    return guard.Context(
        recipient=decision.recipient,
        our_senders=ruleset.our_senders | {default, *(settings.reply_senders or ())},
        own_domains=(
            *map(domain, (decision.recipient, *message.own_recipients)),
            *settings.own_domains,
        ),
        answer=frozenset() if for_reply else waived,
        goes_on=goes_on,
        kept=kept,
        for_reply=for_reply,
    )


def bounce_sender(recipient: str, rejection: Rejection | None, settings: Settings) -> str:
    """Return the sender address of a bounce: the rule's, the settings', or the domain's."""
    named = (rejection.sender if rejection else None) or settings.bounce_sender
    return named or f"mailer-daemon@{domain(recipient)}"


class _Guarded(NamedTuple):
    """The decisions that may be answered, and the reasons why not by recipient."""

    withheld: dict[str, Reason]
    answered: list[Decision]
    unreplied: dict[str, Reason]
    replied: list[Decision]


def _guarded(
    message: Message,
    decisions: Iterable[Decision],
    ruleset: Ruleset,
    settings: Settings,
    *,
    goes_on: bool,
    kept: bool,
) -> _Guarded:
    found = _Guarded({}, [], {}, [])
    for decision in decisions:
        action = decision.action
        if action is Action.REJECT or action is Action.REPLY:
            context = guard_context(
                message, decision, ruleset, settings, goes_on=goes_on, kept=kept
            )
            rejects = action is Action.REJECT
            if reason := guard.withheld(message, context):
                (found.withheld if rejects else found.unreplied)[decision.recipient] = reason
            else:
                (found.answered if rejects else found.replied).append(decision)
    return found


def _replies(
    message: Message, replied: Sequence[Decision], ruleset: Ruleset, now: datetime
) -> tuple[tuple["Reply", ...], JobError | None]:
    """Return the replies that can be made, and the error of one that can't."""
    if not replied:
        return (), None
    from bouncer.replying import replies_to  # noqa: PLC0415  # few mails have one

    return replies_to(message, replied, partial(ruleset.columns, message), now)


def _jobs(
    message: Message,
    answered: list[Decision],
    ruleset: Ruleset,
    settings: Settings,
    now: datetime,
) -> Iterable[Job]:
    """Yield one job for the mail, or several if one bounce may not have all its recipients."""
    for start in range(0, len(answered), MOST_RECIPIENTS):
        few = answered[start : start + MOST_RECIPIENTS]
        yield _job(message, few, ruleset, settings, now)


def _job(
    message: Message,
    answered: list[Decision],
    ruleset: Ruleset,
    settings: Settings,
    now: datetime,
) -> Job:
    received_at = message.received_at or now
    bounce_reference = reference(message.message_id, (each.recipient for each in answered))
    texts = BounceTexts(
        message,
        received_at,
        bounce_reference,
        ascii_only=settings.ascii_only,
        columns=partial(ruleset.columns, message),
    )
    rejections = [each.rule.rejection for each in answered if each.rule and each.rule.rejection]
    first = rejections[0]
    return Job(
        message_id=message.message_id,
        received_at=received_at,
        reference=bounce_reference,
        sender=message.sender,
        bounce_sender=bounce_sender(answered[0].recipient, first, settings),
        bounce_sender_arn=first.sender_arn,
        messages=tuple(texts.messages(answered)),
        reporting_mta=_reporting_mta(rejections, settings),
        extension_fields=_extension_fields(rejections),
        refusals=tuple(texts.refusal(decision) for decision in answered),
    )


def _reporting_mta(rejections: Iterable[Rejection], settings: Settings) -> str:
    """Return the reporting MTA of the first rule that names one, or the settings'."""
    named = (rejection.reporting_mta for rejection in rejections)
    return next(filter(None, named), settings.reporting_mta)


def _extension_fields(rejections: Iterable[Rejection]) -> tuple[tuple[str, str], ...]:
    """Return the extension fields of all rules; of fields with one name, the first rule's."""
    fields: dict[str, str] = {}
    for rejection in rejections:
        for name, value in rejection.extension_fields:
            fields.setdefault(name, value)
    return tuple(fields.items())
