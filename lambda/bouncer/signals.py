"""The marks of mail that must not be answered: one row each, with its source.

The guard reads the rows; nothing here reads a mail. Values are compared in lower case, without
comments and with single blanks, from the beginning to the end of the pattern; patterns are linear
in the length of the value. They are texts and not compiled here: most environments of the intake
never answer a mail, and compiling would delay the start of each.

Not used, because people's mail has them too: Feedback-ID (Google's key for complaints, which
Proton, Fastmail, Zoho, Titan and SES write into every mail), TMDA's headers,
X-MS-Exchange-Inbox-Rules-Loop (mail that a person's rule forwards), and subjects such as "Out of
office".
"""

from enum import StrEnum
from typing import NamedTuple

from bouncer.reasons import Reason


class Place(StrEnum):
    """The part of a mail that a signal is looked for in."""

    HEADER = "header"  # the values of one header; a subject is decoded first
    NAME = "name of a header"  # any header whose name matches; `name` is a pattern
    SENDER = "sender"  # the name in the envelope sender: its local part, without tag, SRS or BATV
    FROM = "From"  # the same name in an address in From
    ADDRESS = "address"  # the envelope sender or an address in From, whole


class Signal(NamedTuple):
    """One mark; `beside` is the name of a second header and the pattern of its value."""

    reason: Reason
    place: Place
    name: str
    pattern: str
    source: str
    beside: tuple[str, str] | None = None


ANY = r".*"
# A header of one's own that says "no" was written by a program for a person.
_UNLESS_NO = r"(?!\"?(?:no|none|not|n|never|false|f|off|0|disabled)\"?(?:;.*)?$).*"

# Local parts in lower case, in the spellings that other programs look for. No person's name may
# match: damon@, norman@, requests@.
_DAEMON = (
    r"(?:mail(?:er)?|smtp|mta|news|cron|fetchmail)[-_.]?d(?:ae|ea|e|a)mon(?:[-_.].*)?|m?daemon|mailer|"
    r"mail[-_.]?delivery[-_.]?(?:sub)?system|postmaster-?bounces?|uucp|"
    r"(?:mail|smtp|bounce)[-_.]?(?:errors?|relay)|.+-(?:errors|relay)"
)
_RESPONDER = (
    r"(?:.*[-_.])?auto(?:mated|matic)?[-_.]?"
    r"(?:respon(?:der|d|se)|repl(?:y|ies)|answer)s?(?:[-_.].*)?"
)
_GATEWAY = (
    r"ndr|post_master|(?:.*[-_.])?mail_service|(?:.*[-_.])?smtp[-_.]?gateways?|"
    r".*anti[-_.]?virus(?:[-_.](?:for|alert|gateway|scanner|server|system)(?:[-_.].*)?)?|"
    r"(?:mail|e-?mail|smtp|virus)[-_.]?(?:scan(?:ner)?|sweeper|wall)|virus[-_.]?alerts?|"
    r"amavis(?:d(?:-new)?)?|mailmarshal|interscan|scanmail"
)
_SYSTEM = rf"(?:{_DAEMON}|{_RESPONDER})"
_NO_ADDRESS = r"(?![^@]*@)"
_NOBODY = r"dev[-_.]?null|null|nobody"
_NO_REPLY_WORD = (
    r"(?:non?|not|never|do[-._]?not|don'?t)[-._]{0,2}(?:repl(?:y|ies)|respon(?:d|se|der|da)|answer|return)|"
    r"ne[-._]?pas[-._]?repondre|nao[-._]?responda|no[-._]?contestar|non[-._]?rispondere|"
    r"nicht[-._]?antworten|keine[-._]?antwort"
)
# A no-reply word counts at either end of the local part only: in the middle it may be in a name.
_NO_REPLY = (
    rf"(?:.*[-._]|e?mail|info|news|alerts?|notifications?)?(?:{_NO_REPLY_WORD})[0-9]*|"
    rf"(?:{_NO_REPLY_WORD})(?:[-._0-9].*)?"
)
# A list's confirmation carries a token: ship-confirm@ is a shop, cats-confirm+1a2b3c4d@ a list.
_LIST = (
    r"owner-.*|.*-owner|.*-request|(?:.*[-._])?bounces?(?:[-+=_.].*)?|"
    r"listserv|listproc|majordomo|mailman|.*-(?:subscribe|unsubscribe)|.*-confirm\+[0-9a-f]{6,}"
)

# Names of headers that only automatic replies have. X-Auto-Response-Suppress is not one of them:
# people's mail has it, too.
_AUTO_NAMES = (
    r"(?:x-)?(?:mail-?)?auto-?(?:repl(?:y|ied)(?:-?from)?|respon(?:d|ded|der|se)|generated)"
)

_REPORT_TYPES = (
    r"(?:multipart ?/ ?report|message ?/ ?(?:global-)?(?:delivery-status|disposition-notification)|"
    r"message ?/ ?feedback-report).*"
)
_AGGREGATE = (
    r"(?:\[?preview\]? )?(?:dmarc )?(?:aggregate )?report[ -]?domain ?: ?\S{1,260}"
    r"[ ;,]+submitter ?: ?\S.*"
)
_FORENSIC = (
    r"dmarc (?:failure|forensic) report.*|"
    r"forensic report"
    r"(?:(?: for| from| on| about|:| -) (?:domain:? )?(?:[a-z0-9-]{1,63}\.){1,9}[a-z].*)?"
)
_UNDELIVERED = (
    r"(?:undeliver(?:ed|able)|delivery (?:status notification|has failed|failure|incomplete)|"
    r"mail delivery (?:failed|failure)|returned mail|failure notice).*"
)
_VACATION_MAILERS = (
    r"vacation(?:\.pl|d)?(?:[ /-](?:v?[0-9]|%|respon|auto|program).*)?|"
    r"(?:virtual|php|unix|horde) vacation.*|"
    r"(?:[a-z]+ )?auto-?responder.*|gnarwl.*|goldfish.*|kana(?:[ /_-].*)?"
)


def _rows(reason: Reason, place: Place, *rows: tuple[str, str, str]) -> tuple[Signal, ...]:
    """Return signals of one reason and place from their name, pattern and source."""
    return tuple(Signal(reason, place, *row) for row in rows)


SIGNALS: tuple[Signal, ...] = (
    *_rows(
        Reason.REPORT,
        Place.HEADER,
        ("Content-Type", _REPORT_TYPES, "RFC 3464, RFC 8098, RFC 5965, RFC 6533"),
        ("X-Failed-Recipients", ANY, "Exim"),
        ("Subject", _AGGREGATE, "RFC 7489 section 7.2.1.1; Microsoft, Fastmail, 163, SES"),
        ("Subject", _FORENSIC, "senders of DMARC failure reports (RFC 6591)"),
        ("TLS-Report-Domain", ANY, "RFC 8460 section 5.3"),
        ("Subject", r"complaint about message from .*", "Microsoft's JMRP"),
        ("X-HmXmrOriginalRecipient", ANY, "Microsoft's JMRP"),
        ("X-MS-Exchange-Message-Is-Ndr", _UNLESS_NO, "Exchange"),
        ("X-MS-Exchange-Generated-Message-Source", _UNLESS_NO, "Exchange"),
        ("Content-Class", r"(?:.*[:.])?(?:dsn|mdn|recallmessage)", "Exchange"),
    ),
    Signal(
        Reason.REPORT,
        Place.HEADER,
        "X-Mailer",
        r"amazon workmail.*",
        "Amazon WorkMail's bounces",
        beside=("Subject", _UNDELIVERED),
    ),
    *_rows(
        Reason.REPORT,
        Place.ADDRESS,
        ("", r"staff@hotmail\.com", "Microsoft's JMRP"),
    ),
    *(
        Signal(Reason.DAEMON_SENDER, place, "", pattern, source)
        for place in (Place.SENDER, Place.FROM)
        for pattern, source in (
            (_DAEMON, "RFC 5230 section 4.6; Pigeonhole, James, simta, rspamd"),
            (_RESPONDER, "SpamAssassin, rspamd"),
            (_GATEWAY, "bounces of gateways and virus scanners, such as Symantec's"),
        )
    ),
    *_rows(
        Reason.DAEMON_SENDER,
        Place.SENDER,
        ("", _NOBODY, "mailboxes that are thrown away"),
    ),
    *_rows(
        Reason.DAEMON_SENDER,
        Place.HEADER,
        ("From", r"[^@<]*< ?>", "bounces without an author, `From: <>`"),
        ("From", rf"{_NO_ADDRESS}(?:[^<]*<)? ?\"?{_SYSTEM}\"? ?>?", "`From: MAILER-DAEMON`"),
        ("From", rf"{_NO_ADDRESS}\"?{_SYSTEM}\"? ?<[^>]*>", "`From: MAILER-DAEMON <...>`"),
    ),
    *_rows(
        Reason.SUPPRESSED,
        Place.HEADER,
        (
            "X-Auto-Response-Suppress",
            r"(?:.*[,; ])?(?:ndr|all)(?:[,; ].*)?",
            "MS-OXCMAIL 2.1.3.2.20",
        ),
    ),
    *_rows(
        Reason.REPLY_SUPPRESSED,
        Place.HEADER,
        (
            "X-Auto-Response-Suppress",
            r"(?:.*[,; ])?(?:oof|autoreply|all)(?:[,; ].*)?",
            "MS-OXCMAIL 2.1.3.2.20",
        ),
    ),
    *_rows(
        Reason.AUTOMATIC,
        Place.HEADER,
        ("Auto-Submitted", r"(?!(?:no ?)?(?:;.*)?$).*", "RFC 3834 section 5"),
        ("Precedence", r"(?:[^;]*[ ,])?auto.*", "RFC 3834 section 2; vacation programs"),
        ("X-Precedence", r"(?:[^;]*[ ,])?auto.*", "cPanel BoxTrapper"),
        ("Preference", r"auto[-_ ]?reply.*", "cPanel BoxTrapper"),
        ("X-FC-MachineGenerated", _UNLESS_NO, "FirstClass"),
        ("X-MS-Embedded-Report", ANY, "Exchange"),
        ("X-Cron-Env", ANY, "Vixie cron"),
        ("X-Loop", _UNLESS_NO, "procmail, Debian"),
        ("X-RT-Loop-Prevention", ANY, "Request Tracker"),
        ("Message-ID", r"<rt-[0-9].*", "Request Tracker"),
        ("References", r"<rt-ticket-[0-9].*", "Request Tracker"),
        ("X-OTRS-Loop", _UNLESS_NO, "OTRS"),
        ("X-HolidayReply", _UNLESS_NO, "holiday programs"),
        ("HolidayReply", _UNLESS_NO, "holiday programs"),
        ("X-Vacation", _UNLESS_NO, "vacation programs"),
        ("X-Away", _UNLESS_NO, "away programs"),
        ("X-Out-Of-Office", _UNLESS_NO, "away programs"),
        ("X-Apple-Action", _UNLESS_NO, "iCloud's vacation replies"),
        ("X-Amazon-Auto-Reply", _UNLESS_NO, "Amazon"),
        ("X-Amz-SNS-Message-Id", ANY, "Amazon SNS's notifications by mail"),
        ("Delivered-To", r"autoresponder(?:@.*)?", "qmail's autoresponder"),
        ("X-POST-MessageClass", r"(?:9 ?; ?)?auto-?responder.*", "Mailtraq"),
        ("Thread-Topic", r"auto-?response(?:[ :].*)?", "answering programs of Microsoft Exchange"),
        ("X-Mailer", _VACATION_MAILERS, "vacation programs; KANA"),
    ),
    *_rows(
        Reason.AUTOMATIC,
        Place.NAME,
        (_AUTO_NAMES, _UNLESS_NO, "X-Autoreply and its kin: CommuniGate, DTC, Gmail, osTicket"),
    ),
    *_rows(
        Reason.AUTOMATIC,
        Place.SENDER,
        ("", rf"{_NO_REPLY}|postmaster|root|automated|automatic", "RFC 5230 section 4.6"),
    ),
    *_rows(
        Reason.AUTOMATIC,
        Place.FROM,
        ("", rf"{_NO_REPLY}|{_NOBODY}", "shops and services with a technical envelope sender"),
    ),
    *_rows(
        Reason.LISTS,
        Place.NAME,
        (r"list-.*", ANY, "RFC 2369, RFC 2919, RFC 8058"),
    ),
    *_rows(
        Reason.LISTS,
        Place.HEADER,
        ("Mailing-List", ANY, "ezmlm"),
        ("X-Mailing-List", ANY, "vger, Debian"),
        ("X-Mailman-Version", ANY, "Mailman"),
        ("X-BeenThere", ANY, "Mailman"),
        ("X-MLServer", ANY, "fml"),
        ("X-ML-Name", ANY, "fml"),
        ("X-Mail-Count", ANY, "fml"),
        ("Precedence", r"(?:[^;]*[ ,])?(?:bulk|list|junk)(?:[ ,;].*)?", "RFC 3834 section 2"),
        ("X-Precedence", r"(?:[^;]*[ ,])?(?:bulk|list|junk)(?:[ ,;].*)?", "bulk mailers"),
    ),
    *_rows(
        Reason.LISTS,
        Place.SENDER,
        ("", _LIST, "RFC 2142, RFC 5230 section 4.6; VERP"),
    ),
)
