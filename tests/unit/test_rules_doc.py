"""docs/rules.md is true and complete: its examples are read, and every note below one is tried.

A note lists mails in code spans: `Matches:`, `Not:` and `Unknown:` say what the rule does with
them, `Message:` and `Diagnostic:` what a bounce of the first matching mail says, `Reply:` what a
reply to it says. A mail is the
usual mail of the document with some attributes changed. A block below the name of a file is a list.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from bouncer.errors import DocumentError
from bouncer.judge import Judgement, judge
from bouncer.mail.content import Content
from bouncer.mail.message import VERDICTS, Message, read_record
from bouncer.operator_settings import Settings
from bouncer.reasons import ANSWER_CLASSES
from bouncer.rules import rejection, rejection_reader
from bouncer.rules.condition import NESTING
from bouncer.rules.fields import FIELDS
from bouncer.rules.list_kind import ListKind
from bouncer.rules.list_reader import ListFile, read_list, read_list_file
from bouncer.rules.named_list import NamedList
from bouncer.rules.rule import Action, Mode
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.rules.ruleset_warnings import ruleset_warnings
from bouncer.settings_reader import overlaid

WHOLE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")

_LIST = re.compile(
    r"^`lists/(?P<file>[\w.-]+)`:\n\n```(?:yaml|csv)\n(?P<text>.*?)^```\n",
    re.DOTALL | re.MULTILINE,
)
FILES = {found["file"]: found["text"] for found in _LIST.finditer(WHOLE)}
DOCUMENT = _LIST.sub(lambda found: "\n" * found[0].count("\n"), WHOLE)  # lines keep their numbers
_BLOCK = re.compile(
    r"^```yaml\n(?P<text>.*?)^```\n\n?(?P<after>.*?)(?=\n\n|\Z)", re.DOTALL | re.MULTILINE
)
_NOTE = re.compile(
    r"(?P<label>Matches|Not|Unknown|Message|Diagnostic|Reply):\s(?P<spans>(?:`[^`]+`(?:,\s)?)+)"
)
_SPAN = re.compile(r"`([^`]+)`")
_USUAL = re.compile(r"usual mail:\n`([^`]+)`")

MESSAGE_ID = "o3vrnil0e2ic28tr"
HEADERS = {"from", "to", "cc", "reply_to", "subject"}


@dataclass(frozen=True)
class Example:
    """A yaml block of the document, the line it starts at and the notes directly below it."""

    line: int
    text: str
    notes: dict[str, list[str]]

    @property
    def is_rule(self) -> bool:
        """Settings have no action."""
        return bool(set(Action) & set(yaml.safe_load(self.text)))

    @property
    def ruleset(self) -> Ruleset:
        """The rule, compiled."""
        return Ruleset([read_rule("example", self.text)], lists())

    def judged(self, mail: str) -> Judgement:
        """Judge a mail by this rule."""
        message = received(mail)
        return judge(message, self.ruleset, Settings(), now=datetime(2026, 12, 1, tzinfo=UTC))


def lists() -> dict[str, NamedList]:
    """Every list of the document, by its name."""
    return {name.partition(".")[0]: read_named(name, text) for name, text in FILES.items()}


def read_named(file: str, text: str) -> NamedList:
    """Read a list as its file's name says."""

    def beside(name: str) -> ListFile:
        return ListFile(name, FILES[name].encode())

    document = file.endswith(".yaml")
    read = read_list(text, document=file, read=beside) if document else None
    form = (read or read_list_file(ListFile(file, text.encode()))).form
    return NamedList(form)


def examples() -> list[Example]:
    """Every yaml block of the document."""
    return [
        Example(
            line=DOCUMENT.count("\n", 0, block.start()) + 1,
            text=block["text"],
            notes={
                note["label"]: _SPAN.findall(note["spans"])
                for note in _NOTE.finditer(block["after"])
            },
        )
        for block in _BLOCK.finditer(DOCUMENT)
    ]


def attributes(mail: str) -> dict[str, str]:
    """The attributes of a mail as a note writes them: `sender: a@b.example; spf: fail`."""
    pairs = (attribute.partition(": ") for attribute in mail.split("; "))
    return {name: value for name, _, value in pairs}


def received(mail: str) -> Message:
    """The message SES would hand us for the usual mail with some attributes changed."""
    usual = _USUAL.search(DOCUMENT)
    assert usual is not None
    given = attributes(usual[1]) | attributes(mail)
    count = int(given.pop("recipients", "1"))
    more = [f"colleague{number}@example.com" for number in range(1, count)]
    moment = datetime.fromisoformat(f"{given.pop('received')}+00:00")
    origin = (
        f"from {given.pop('helo')} (mx.partner.example [{given.pop('source_ip')}])"
        f" by inbound-smtp.eu-west-1.amazonaws.com with SMTP id {MESSAGE_ID}"
    )
    receipt: dict[str, object] = {
        "recipients": [given.pop("recipient"), *more],
        "timestamp": moment.isoformat(),
        "dmarcPolicy": given.pop("dmarc_policy", None),
    }
    for verdict in VERDICTS:
        receipt[f"{verdict}Verdict"] = {"status": given.pop(verdict).upper()}
    content = content_of(given)
    source = given.pop("sender")
    headers = [{"name": "Received", "value": origin}]
    for name, value in given.items():
        assert name in HEADERS or name[0].isupper(), f"what is {name}?"
        headers.append({"name": name.replace("_", "-"), "value": value})
    mail_part = {"messageId": MESSAGE_ID, "source": source, "headers": headers}
    message = read_record({"ses": {"mail": mail_part, "receipt": receipt}})
    return replace(message, content=content)


def content_of(given: dict[str, str]) -> Content | None:
    """Take the content out of a note: `body`, `html`, `size`, `attached`, or `copy: none`.

    `attached: a.zip/b.exe` is an archive with a file in it, `a.jpg=MZ` a file that begins so.
    """
    mail = EmailMessage()
    mail.set_content(given.pop("body", "Hello."))
    if "html" in given:
        mail.add_alternative(given.pop("html"), subtype="html")
    for file in filter(None, given.pop("attached", "").split(", ")):
        name, data = file.partition("=")[0], file.partition("=")[2].encode()
        if "/" in file:
            name, inner = file.split("/", 1)
            with ZipFile(packed := BytesIO(), "w") as archive:
                archive.writestr(inner, "x")
            data = packed.getvalue()
        mail.add_attachment(data, maintype="application", subtype="x-file", filename=name)
    raw = bytes(mail)
    raw += b"x" * (int(given.pop("size", "0")) - len(raw))
    return None if given.pop("copy", "") == "none" else Content(raw)


def matches(example: Example, mail: str) -> bool:
    """Does the rule match the first recipient of the mail, deciding or in shadow mode?"""
    message = received(mail)
    decision = example.ruleset.decide(message, message.recipients[0])
    return decision.rule is not None or bool(decision.shadow)


def is_unknown(example: Example, mail: str) -> bool:
    """Is the rule unknown for the first recipient of the mail?"""
    message = received(mail)
    return bool(example.ruleset.decide(message, message.recipients[0]).unknown)


EXAMPLES = examples()
RULES = [example for example in EXAMPLES if example.is_rule]


def by_line(example: Example) -> str:
    """The name of a test: where the example stands."""
    return f"line-{example.line}"


def test_every_block_is_an_example() -> None:
    """Nothing in the document that looks like a rule escapes these tests."""
    assert len(EXAMPLES) == DOCUMENT.count("```yaml")
    assert DOCUMENT.count("```") == 2 * len(EXAMPLES)
    notes = (_NOTE.sub("", block["after"]) for block in _BLOCK.finditer(DOCUMENT))
    assert [rest for rest in notes if "`" in rest] == []
    assert len(RULES) >= 30


@pytest.mark.parametrize("example", EXAMPLES, ids=by_line)
def test_an_example_is_valid(example: Example) -> None:
    """It can be copied and used; a rule says below what it matches and what it does not."""
    if example.is_rule:
        read_rule("example", example.text)
        assert len(example.notes.keys() & {"Matches", "Not", "Unknown"}) >= 2
    else:
        overlaid(Settings(), example.text)


@pytest.mark.parametrize("example", RULES, ids=by_line)
def test_a_rule_matches_what_its_note_says(example: Example) -> None:
    """Each mail named below a rule is decided by the real ruleset."""
    meant, not_meant = example.notes.get("Matches", []), example.notes.get("Not", [])
    assert [mail for mail in meant if not matches(example, mail)] == []
    assert [mail for mail in not_meant if matches(example, mail)] == []
    assert [mail for mail in meant + not_meant if is_unknown(example, mail)] == []
    assert [
        mail for mail in example.notes.get("Unknown", []) if not is_unknown(example, mail)
    ] == []


@pytest.mark.parametrize(
    "example",
    [rule for rule in RULES if {"Message", "Diagnostic"} & rule.notes.keys()],
    ids=by_line,
)
def test_a_bounce_says_what_its_note_says(example: Example) -> None:
    """The texts are those of the job the first matching mail makes."""
    (job,) = example.judged(example.notes["Matches"][0]).jobs
    dsn = job.refusals[0].dsn
    assert example.notes.get("Message", [job.explanation]) == [job.explanation]
    if "Diagnostic" in example.notes:
        assert dsn is not None
        assert example.notes["Diagnostic"] == [dsn.diagnostic_code]


@pytest.mark.parametrize("example", [rule for rule in RULES if "Reply" in rule.notes], ids=by_line)
def test_a_reply_says_what_its_note_says(example: Example) -> None:
    """All matching mails get one, and its text is that of the first."""
    for mail in example.notes["Matches"]:
        judgement = example.judged(mail)
        assert len(judgement.replies) == 1
        assert not judgement.jobs
    (reply,) = example.judged(example.notes["Matches"][0]).replies
    assert example.notes["Reply"] == [reply.text]


def test_a_shadow_rule_only_records() -> None:
    """As the document says of the mode."""
    shadow = [rule for rule in RULES if rule.ruleset.rules[0].mode is Mode.SHADOW]
    assert shadow
    for example in shadow:
        (decision,) = example.judged(example.notes["Matches"][0]).decisions
        assert decision.action is None
        assert [rule.name for rule in decision.shadow] == ["example"]


def test_the_presets_are_those_of_the_code() -> None:
    """The table of types has each with its reply code and status."""
    for kind, (code, status) in rejection.PRESETS.items():
        assert f"| `{kind}` | {code} | {status} |" in DOCUMENT


def words(*groups: Iterable[str]) -> list[str]:
    """Every word once."""
    return sorted({str(word) for group in groups for word in group})


@pytest.mark.parametrize(
    "word",
    words(
        FIELDS,
        NESTING,
        *(field.words for field in FIELDS.values()),
        ("days", "between", "zone"),
        rejection_reader.KEYS,
        rejection.ACTIONS,
        ANSWER_CLASSES,
        rejection.BounceType,
        Mode,
        Action,
        (*ListKind, *(kind.entry for kind in ListKind), "subdomains", "entries", "file"),
        ("description", "mode", "from", "until", "share", "at_most", "when", "unless"),
        ("bounces", "per"),
        (f"{{{name}}}" for name in rejection.PLACEHOLDERS),
    ),
)
def test_every_word_of_the_language_is_explained(word: str) -> None:
    """In code type, somewhere in the text itself; examples do not count."""
    text = _BLOCK.sub("", DOCUMENT)
    assert f"`{word}`" in text


def test_the_table_of_fields_is_that_of_the_code() -> None:
    """Each row of fields.py stands in the table, beside fields of its kinds only, and no other."""
    table = DOCUMENT.partition("\n## Fields\n")[2].partition("\n\nAn *address*")[0]
    rows = re.findall(r"^\| (\[?`.*`\S*) \| .* \| (.*) \|$", table, re.MULTILINE)
    shown = [(re.findall(r"`(\w+)`", names), kinds.split(", ")) for names, kinds in rows]
    assert sorted(name for names, _ in shown for name in names) == sorted(FIELDS)
    for names, kinds in shown:
        assert set(kinds) == {str(FIELDS[name].kind) for name in names}


@pytest.mark.parametrize(
    "matcher",
    ["contains", "starts_with", "ends_with", "regex", "over", "under", "not", "within", "in"],
)
def test_every_matcher_is_explained_and_shown(matcher: str) -> None:
    """It has its row in the table and an example."""
    assert f"`{{{matcher}: " in DOCUMENT
    assert any(re.search(rf"\b{matcher}: ", rule.text) for rule in RULES)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_has_an_example(field: str) -> None:
    """There is a rule that asks for it."""
    assert any(re.search(rf"^\s+(?:- )?{field}:", rule.text, re.MULTILINE) for rule in RULES)


def test_every_setting_is_explained_and_shown() -> None:
    """Each key the reader knows has a row in the table, and the example has them all."""
    (example,) = (example for example in EXAMPLES if not example.is_rule)
    shown = set(yaml.safe_load(example.text))
    table = DOCUMENT.partition("\n## Settings\n")[2]
    assert shown == set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert shown == known_settings()


def known_settings() -> set[str]:
    """The keys the reader says settings may have."""
    with pytest.raises(DocumentError) as caught:
        overlaid(Settings(), "zzzzzz: 1")
    listed = str(caught.value).rpartition("expected one of ")[2]
    return set(listed.split(", "))


def test_no_example_is_doubtful() -> None:
    """Nobody copies a rule that is warned about."""
    rules = [rule for example in examples() if example.is_rule for rule in example.ruleset.rules]
    now = datetime(2026, 12, 1, tzinfo=UTC)
    doubts = [
        found for rule in rules for found in ruleset_warnings([rule], ascii_only=True, now=now)
    ]
    assert not doubts
