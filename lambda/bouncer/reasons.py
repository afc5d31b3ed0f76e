"""The reasons not to send a bounce or a reply: one row each, in the order of looking for them.

The guard's rows come first, the gate's follow. docs/flow.md shows the rows as two tables. The check
of a guard's reason stands in guard.py, attached to its row; gate.py looks for the gate's reasons.
"""

from enum import StrEnum
from typing import NamedTuple, Self


class _Row(NamedTuple):
    word: str
    when: str
    asked_by: str
    waived_by: str | None = None
    if_vouched: bool = False
    about_sender: bool = False
    of_replies: bool = False


def _guard(
    word: str,
    when: str,
    *,
    waived_by: str | None = None,
    if_vouched: bool = False,
    about_sender: bool = True,
    of_replies: bool = False,
) -> tuple[_Row]:
    return (_Row(word, when, "guard", waived_by, if_vouched, about_sender, of_replies),)


def _gate(word: str, when: str, *, about_sender: bool = False) -> tuple[_Row]:
    return (_Row(word, when, "gate", about_sender=about_sender),)


def _replier(word: str, when: str) -> tuple[_Row]:
    return (_Row(word, when, "replier", of_replies=True),)


class Reason(StrEnum):
    """A reason not to answer a rejected mail; its value is the word in logs, metrics and replay.

    `when` says when it applies, as docs/flow.md does; `asked_by` is `guard`, `gate` or `replier`,
    which looks for some reasons of the gate, too. `waived_by` is the class of `answer` that waives
    the reason, or None; with `if_vouched`, only for a sender that SPF or DMARC vouches for.
    `about_sender` is true of a reason that says something about the sender or the mail, and not
    only about what we know or can do: for a reason of the guard that does not, the mail goes
    on. Such reasons stand last, so they are reported only if no other applies. A reason that is
    `of_replies` withholds replies only; all others of the guard withhold both bounces and
    replies.
    """

    when: str
    asked_by: str
    waived_by: str | None
    if_vouched: bool
    about_sender: bool
    of_replies: bool

    def __new__(cls, row: _Row) -> Self:
        """Make a member of its row."""
        reason = str.__new__(cls, row.word)
        reason._value_ = row.word
        reason.when = row.when
        reason.asked_by = row.asked_by
        reason.waived_by = row.waived_by
        reason.if_vouched = row.if_vouched
        reason.about_sender = row.about_sender
        reason.of_replies = row.of_replies
        return reason

    NULL_SENDER = _guard(
        "null_sender",
        "the envelope sender or a Return-Path is empty: the mail is itself a bounce or a report",
    )
    INVALID_SENDER = _guard(
        "invalid_sender", "the envelope sender is not an address that mail could be delivered to"
    )
    REPORT = _guard(
        "report",
        "the mail is a delivery report, read receipt or complaint, or quotes a reference of ours",
    )
    OWN_SENDER = _guard(
        "own_sender",
        "the sender is the recipient, an address that bounces or replies come from, or in an own"
        " domain; or the mail goes to such an address, as answers to bounces do",
    )
    DAEMON_SENDER = _guard(
        "daemon_sender",
        "the sender is a mail system or an answering machine, such as mailer-daemon",
    )
    VIRUS = _guard("virus", "the virus verdict is FAIL")
    SUPPRESSED = _guard(
        "suppressed", "X-Auto-Response-Suppress has NDR or All: the sender's system wants no bounce"
    )
    SPAM = _guard("spam", "the spam verdict is FAIL", waived_by="spam")
    UNAUTHENTICATED = _guard(
        "unauthenticated",
        "SPF did not pass, nor did DMARC for a From that is the envelope sender;"
        " for a reply, SPF of a forwarder alone is not enough",
        waived_by="unauthenticated",
    )
    AUTOMATIC = _guard(
        "automatic",
        "a machine sent the mail: Auto-Submitted or a similar header, no-reply in sender or From,"
        " postmaster",
        waived_by="automatic",
    )
    LISTS = _guard(
        "lists",
        "a list sent the mail: List headers, Precedence bulk, owner- and -bounces senders",
        waived_by="lists",
    )
    REPLY_SUPPRESSED = _guard(
        "reply_suppressed",
        "replies only: X-Auto-Response-Suppress has OOF, AutoReply or All: the sender's system"
        " wants no automatic reply",
        of_replies=True,
    )
    NOT_NAMED = _guard(
        "not_named",
        "replies only: the recipient is not in To, Cc, Resent-To or Resent-Cc, so that the mail"
        " came by Bcc, an alias, forwarding or a list",
        of_replies=True,
    )
    HEADERS_TRUNCATED = _guard(
        "headers_truncated",
        "SES cut the headers at 10 KB, and no stored copy completes them: the missing ones may"
        " forbid a bounce; **the mail goes on**",
        waived_by="truncated",
        if_vouched=True,
        about_sender=False,
    )
    UNVERIFIABLE = _guard(
        "unverifiable",
        "as `unauthenticated`, but SES had no verdict on SPF or DMARC, and neither of them failed;"
        " **the mail goes on**",
        waived_by="unauthenticated",
        about_sender=False,
    )
    INVALID_RECIPIENT = _guard(
        "invalid_recipient",
        "SES takes no bounce for the recipient, which is not ASCII, longer than 320 characters or"
        " not an address; **the mail goes on**",
        about_sender=False,
    )
    HELD = _guard(
        "held",
        "sending is held for 12 hours or more, so that the bounce would hardly be sent in time;"
        " **the mail goes on**",
        about_sender=False,
    )
    NOT_KEPT = _guard(
        "not_kept",
        "the mail could not be copied to where stopped mail is kept, so that nobody could bring it"
        " back; **the mail goes on**",
        about_sender=False,
    )
    EXPIRED = _gate(
        "expired",
        "the mail is older than 24 hours minus `expiry_margin`; SES would refuse the bounce",
    )
    DUPLICATE = _gate(
        "duplicate", "every recipient of the job already got a bounce, or may have got one"
    )
    SENDER_BOUNCED_BEFORE = _gate(
        "sender_bounced_before",
        "a bounce to this sender bounced for good, or was reported as spam, within the time of the"
        " setting `suppression`",
        about_sender=True,
    )
    CAPPED = _gate(
        "capped",
        "the sender, its organisation, or the sender with this recipient and rule had all bounces"
        " that the setting `caps` allows; or its organisation had all replies of a day",
    )
    BRAKED = _gate(
        "braked",
        "the rule had all bounces that its `at_most` allows, and nobody has released it since",
    )
    REPLIED_BEFORE = _replier(
        "replied_before",
        "the sender got a reply by this rule, or may have got one, within its `once_per`",
    )


GUARD_REASONS = tuple(reason for reason in Reason if reason.asked_by == "guard")
BOUNCE_REASONS = tuple(reason for reason in Reason if not reason.of_replies)
GATE_REASONS = tuple(reason for reason in Reason if reason.asked_by == "gate")
REPLIER_REASONS = tuple(reason for reason in Reason if reason.asked_by == "replier")

# The words of `answer`: of reasons about the sender, the most harmless one first; then the others.
ANSWER_CLASSES = tuple(
    dict.fromkeys(
        reason.waived_by
        for about_sender in (True, False)
        for reason in reversed(Reason)
        if reason.waived_by and reason.about_sender is about_sender
    )
)
