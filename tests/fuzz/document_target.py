"""Documents that operators write: rules, lists, settings, `held` and cdk.json."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import strategies as st

from bouncer.errors import BouncerError, DocumentError
from bouncer.held_document import read_held
from bouncer.judge import judge
from bouncer.mail.message import read_event
from bouncer.operator_settings import Settings
from bouncer.rules.list_about import ReadList
from bouncer.rules.list_reader import ListFile, read_list, read_list_file
from bouncer.rules.named_list import NamedList
from bouncer.rules.pattern_weight import light_enough
from bouncer.rules.reply_warnings import reply_warnings
from bouncer.rules.rule import Mode, Rule
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.rules.ruleset_warnings import ruleset_warnings
from bouncer.sending.bounce_request import bounce_request
from bouncer.settings_reader import overlaid
from bouncer_infra.deployment_settings_reader import read_cdk_json, read_settings
from tests.fuzz.call_law import check_call
from tests.fuzz.drawn import HOSTILE, bent, encoded
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.judged import NOW
from tests.fuzz.repetition import repeated, repetitions
from tests.fuzz.reply_law import check_reply
from tests.harmless import assert_harmless
from tests.unit.ses_events import RECORD

_LONGEST_PROBLEM = 2000  # characters
_SIZE = 8192  # bytes that a parameter of SSM holds
_NAMED = RECORD["ses"]["receipt"] | {"recipients": ["someone.else@example.com"]}
_MAILS = read_event({"Records": [RECORD, {"ses": RECORD["ses"] | {"receipt": _NAMED}}]})
_SETTINGS = Settings(bounce_sender="mailer-daemon@bounces.example")


def check(data: bytes) -> None:
    """The first line says which document it is; each is read, or refused with all its problems."""
    kind, _, rest = data.partition(b"\n")
    rest = repeated(rest, _SIZE)
    text = rest.decode("utf-8", "replace")
    try:
        match kind:
            case b"settings":
                _check_jobs(_READABLE, overlaid(_SETTINGS, text))
            case b"held":
                str(read_held(text, document="held")).encode("utf-8", "backslashreplace")
            case b"list":
                _check_list(
                    read_list(
                        text,
                        document="odd",
                        read=lambda name: ListFile(name, rest),
                        fetch=lambda _: rest,
                    )
                )
            case b"file":
                _check_list(read_list_file(ListFile("odd.csv", rest)))
            case b"cdk":
                _check_cdk(rest, text)
            case _:
                _check_rule(read_rule("100-odd", text))
    except DocumentError as error:
        for problem in error.problems:
            assert_harmless(str(problem))
            assert "\n" not in str(problem)
            assert len(str(problem)) <= _LONGEST_PROBLEM, len(str(problem))


def _check_rule(rule: Rule) -> None:
    """Its condition can be asked, and its texts can be sent, whether or not the condition holds."""
    kept, _ = light_enough([rule], lambda _: ())
    for warning in ruleset_warnings(kept, ascii_only=False, now=NOW):
        assert_harmless(str(warning))
    _check_jobs(Ruleset(kept), _SETTINGS)
    everybody = replace(rule, condition=None, mode=Mode.ENFORCE)
    _check_jobs(Ruleset([everybody]), Settings(ascii_only=False))
    for doubt in reply_warnings(kept, ()):
        assert_harmless(str(doubt))


def _check_jobs(ruleset: Ruleset, settings: Settings) -> None:
    for mail in _MAILS:
        judgement = judge(mail, ruleset, settings, now=NOW)
        for job in judgement.jobs:
            check_call(bounce_request(job), mail.recipients)
        for reply in judgement.replies:
            check_reply(reply)


def _check_list(found: ReadList) -> None:
    """Its doubts can be shown, and rules can ask it."""
    for warning in found.warnings:
        assert_harmless(str(warning))
    _check_jobs(Ruleset(_ASKING, {"odd": NamedList(found.form)}), _SETTINGS)


def _check_cdk(data: bytes, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cdk.json")
        path.write_bytes(data)
        try:
            read_cdk_json(path)
        except DocumentError:
            raise
        except BouncerError as error:
            assert_harmless(str(error))
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    read_settings(value)


_READABLE = Ruleset([read_rule("100-all", 'when: {recipient: "*"}\nreject: {type: Undefined}')])
_ASKING = [
    read_rule("100-sender", "when: {sender: {in: odd}}\nreject: {type: Undefined}"),
    read_rule("200-host", "when: {sender_domain: {in: odd}}\nreject: {type: Undefined}"),
    read_rule("300-network", "when: {source_ip: {in: odd}}\nreject: {type: Undefined}"),
    read_rule("400-word", "when: {subject: {in: odd}}\nreject: {type: Undefined}"),
]
_WHEN = (
    *("sender", "from", "to", "cc", "reply_to", "recipient", "subject", "helo", "source_ip"),
    *("header", "recipients", "from_domain", "sender_domain", "recipient_domain", "time"),
    *("spf", "dkim", "dmarc", "spam", "virus", "dmarc_policy", "any", "all", "not"),
)
_RULE = {
    "mode": "enforce",
    "when": {
        "any": [
            {"sender": "*@partner.example", "subject": {"regex": "(?i)x{1,3}"}},
            {"source_ip": "192.0.2.0/24", "header": {"x-any": True}, "recipients": {"over": 3}},
            {"not": {"time": {"between": ["18:00", "08:00"], "zone": "Europe/Berlin"}}},
            {"recipient": ["ann@example.com", {"starts_with": "a"}]},
        ]
    },
    "reject": {
        "status": "5.7.1",
        "smtp_code": 550,
        "action": "failed",
        "diagnostic": "No {recipient}",
        "message": "{subject} {sender} {date} {rule} {reference}",
        "remote_mta": "dns; mx.example.com",
        "final_recipient": "someone@example.org",
        "last_attempt_date": True,
        "recipient_extension_fields": {"X-Rule": "a"},
        "extension_fields": {"X-All": "b"},
        "keep_copy": True,
        "answer": ["spam"],
        "sender": '"Daemon" <mailer-daemon@example.com>',
        "sender_arn": "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
    },
}
_REPLYING = {
    "when": {"recipient": "ann@example.com"},
    "reply": {
        "from": '"Daemon, of" <no-reply@bounces.example>',
        "from_arn": "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
        "reply_to": "Hello <hello@example.com>",
        "subject": "{subject} {sender}",
        "text": "{recipient}\n{sender} {date} {rule} {reference} Grüße",
        "once_per": "7d",
    },
}
_SET = {
    "mode": "shadow",
    "sending": "on",
    "rate": 0.5,
    "bounce_sender": "mailer-daemon@example.com",
    "reporting_mta": "dns; mx.example.com",
    "answer": ["spam"],
    "own_domains": [".example.com"],
    "expiry_margin": 600,
    "cache": 60,
    "ascii_only": False,
    "mask_addresses": True,
    "caps": {
        "sender": {"10m": 5},
        "domain_share": "25%",
        "domain_replies": 9,
        "allow": ["*@partner.example"],
    },
}
_DESTINATIONS = [
    {
        "name": "tags",
        "kind": "cloudwatch",
        "events": ["send"],
        "dimensions": [{"name": "campaign", "source": "messageTag", "default": "none"}],
    },
    {
        "name": "own",
        "kind": "firehose",
        "stream": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/x",
        "role": "arn:aws:iam::123456789012:role/x",
    },
    {"name": "ops", "kind": "sns", "topic": "arn:aws:sns:eu-west-1:123456789012:x"},
    {"name": "bus", "kind": "eventbridge", "enabled": False},
]
_NEWS = {
    "name": "news",
    "identity": "news.example",
    "tls": "require",
    "reputation_metrics": True,
    "suppression": ["BOUNCE"],
    "sending": True,
    "redirect_domain": "click.example",
    "destinations": _DESTINATIONS[:2],
}
_CDK = {
    "recipients": ["example.com"],
    "bounce_sender": "mailer-daemon@example.com",
    "destinations": _DESTINATIONS,
    "configuration_sets": [_NEWS],
    "settings": _SET,
}
_HELD = {"since": "2026-11-27T08:00:00+00:00", "by": "ann", "why": "a rule"}
_YAML = st.lists(
    st.sampled_from(
        [
            *(
                "when: ",
                "drop: {}",
                "reject: ",
                "{type: Undefined}",
                "\n",
                "\n  ",
                "- ",
                "? ",
                "&a ",
            ),
            *(
                "*a",
                "!x ",
                "|\n ",
                ">\n ",
                "'",
                '"',
                "# ",
                "---\n",
                "%YAML 1.2\n",
                "{",
                "}",
                "[",
                "]",
            ),
            *(
                ": ",
                ", ",
                "off",
                "18:00",
                "1e3",
                "0x1f",
                "~",
                "<<: ",
                "regex: ",
                "(a|b){1,90}",
                "\t",
            ),
            *(f"{field}: " for field in _WHEN),
        ]
    )
    | HOSTILE,
    max_size=20,
).map("".join)
_DEEP = st.sampled_from(
    [
        *(
            "[" * 90,
            "[" * 3000,
            "[" * 3000 + "]" * 3000,
            "- " * 300,
            '{"a":' * 99,
            '{"a":' * 700,
            "{a: " * 101,
            "? " * 500,
        )
    ]
).map(encoded)
_TEXTS = st.builds(
    lambda member, text: json.dumps({"reject": {"status": "5.1.1", member: text}}).encode(),
    st.sampled_from(["message", "diagnostic", "sender", "remote_mta", "final_recipient"]),
    st.sampled_from(["{", "}", "{nobody}", "{sender!r:>9}", "{{}}", "{0}", "{}"]) | HOSTILE,
)
_LIST = {
    "description": "x",
    "kind": "domains",
    "subdomains": True,
    "entries": ["partner.example", {"domain": "b\u00fccher.example", "reason": "spam"}],
}
_ROWS = st.lists(
    st.sampled_from(
        [
            *("address", "domain", "network", "word", "successor", ",", "\n", "\r\n", ";", '"'),
            *("ann@example.com", "partner.example", "192.0.2.0/24", "2001:db8::/32", "\ufeff", "#"),
            *(
                "sep=;",
                "sep=|\n",
                "|",
                "\t",
                "\r",
                "E-Mail-Adresse",
                "stra\u00dfe",
                "\u514d",
                "\x00",
            ),
        ]
    )
    | HOSTILE,
    max_size=20,
).map("".join)
LISTS = bent(_LIST) | _YAML.map(encoded) | _DEEP
_UTF_16 = _ROWS.map(lambda text: text.encode("utf-16", "surrogatepass"))
LIST_FILES = _ROWS.map(encoded) | _UTF_16 | repetitions(_ROWS.map(encoded))
RULES = (
    bent(_RULE, _REPLYING) | _YAML.map(encoded) | _DEEP | _TEXTS | repetitions(_YAML.map(encoded))
)
SETTINGS = bent(_SET) | _YAML.map(encoded) | _DEEP
HELD = bent(_HELD) | HOSTILE.map(encoded)
CDKS = bent({"context": {"bouncer": _CDK}}, _CDK)
TARGET = FuzzTarget(
    name="document",
    check=check,
    examples=st.one_of(
        RULES.map(b"rule\n".__add__),
        SETTINGS.map(b"settings\n".__add__),
        HELD.map(b"held\n".__add__),
        LISTS.map(b"list\n".__add__),
        LIST_FILES.map(b"file\n".__add__),
        CDKS.map(b"cdk\n".__add__),
    ),
    words=(
        *(*_WHEN, *_RULE["reject"], *_SET, *_LIST, *_NEWS, "regex: "),
        *("rule\n", "settings\n", "held\n", "list\n", "file\n", "cdk\n"),
    ),
)
