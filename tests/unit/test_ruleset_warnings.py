# ruff: noqa: RUF001  # letters that look like others are what these tests are about
"""Rules that are valid and hardly meant so: each doubt is one sentence, and refuses nothing."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.errors import DocumentError
from bouncer.mail.message import read_record
from bouncer.rules.rule import Rule
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.rules.ruleset_warnings import ruleset_warnings

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
ALL = 'when: {recipient: "*"}\n'


def rule(text: str, name: str = "100-rule") -> Rule:
    return read_rule(name, text, document=f"{name}.yaml")


def warnings(*rules: Rule, ascii_only: bool = True) -> list[str]:
    found = ruleset_warnings(rules, ascii_only=ascii_only, now=NOW)
    return [str(warning) for warning in found]


DOUBTFUL = [
    (
        f"share: 0%\n{ALL}drop: {{}}",
        (
            '100-rule.yaml:1: share: found "0%", expected 1% to 99%, or mode: shadow: '
            "the rule does not act on anybody"
        ),
    ),
    (
        f"share: 100%\n{ALL}drop: {{}}",
        (
            '100-rule.yaml:1: share: found "100%", expected 1% to 99%, or no share: '
            "the rule acts on everybody"
        ),
    ),
    (
        f"mode: shadow\nshare: 10%\n{ALL}drop: {{}}",
        (
            "100-rule.yaml:2: share: found a share in mode shadow, expected mode: enforce, "
            "or no share: the rule does not act on anybody"
        ),
    ),
    (
        f"at_most: {{bounces: 9, per: 1h}}\n{ALL}drop: {{}}",
        (
            "100-rule.yaml:1: at_most: found at_most with drop, "
            "expected reject: only that sends bounces"
        ),
    ),
    (
        'when:\n  sender: "@partner.example"\naccept: {}',
        (
            '100-rule.yaml:2: when.sender: found "@partner.example", '
            'expected "*@partner.example", as which this is taken: everybody there'
        ),
    ),
    (
        "when:\n  subject: /win/i\ndrop: {}",
        (
            '100-rule.yaml:2: when.subject: found "/win/i", '
            'expected a mapping with regex: and "win", as this is compared as plain text'
        ),
    ),
    (
        "when:\n  subject: {regex: /win (a|the) prize/}\ndrop: {}",
        (
            '100-rule.yaml:2: when.subject.regex: found "/win (a|the) prize/", expected '
            '"win (a|the) prize": slashes are part of a pattern, and case never matters'
        ),
    ),
    (
        "when:\n  header:\n    X-Mailer: “bulk”\ndrop: {}",
        (
            '100-rule.yaml:3: when.header.X-Mailer: found "“bulk”", '
            'expected straight quotes (") or none: these are compared as part of the text'
        ),
    ),
    (
        "when:\n  subject: {regex: ['offer', '\\bпродажа\\b']}\ndrop: {}",
        (
            "100-rule.yaml:2: when.subject.regex[1]: found \\b beside letters beyond ASCII in "
            '"\\bпродажа\\b", expected (^|[^\\pL\\pN]) before a word or ([^\\pL\\pN]|$) after it '
            "(\\b knows ASCII only)"
        ),
    ),
    (
        f"until: 2026-10-31\n{ALL}drop: {{}}",
        (
            "100-rule.yaml: until: found 2026-11-01 00:00 UTC, which is past, "
            "expected a later time; the rule is not in force any more"
        ),
    ),
    (
        "description: x\nreject: {type: DoesNotExist}",
        (
            "100-rule.yaml:1: found no when, so that every mail is rejected, "
            'expected a condition (when: {recipient: "*"} if every mail is meant)'
        ),
    ),
    (
        "unless: {sender: boss@example.com}\ndrop: {}",
        (
            "100-rule.yaml:1: found no when, so that all mail but that of unless is dropped, "
            'expected a condition (when: {recipient: "*"} if every mail is meant)'
        ),
    ),
    (
        f"{ALL}reject: {{type: DoesNotExist, message: 'Ящик {{recipient}} закрыт.'}}",
        (
            "100-rule.yaml: reject.message: found a text that is sent as "
            '"???? {recipient} ??????.", '
            "expected text in ASCII, or the setting ascii_only: false"
        ),
    ),
    (
        "when: {sender_domain: {contains: bü}}\ndrop: {}",
        (
            '100-rule.yaml:1: when.sender_domain.contains: found "bü", expected "bü" as a whole '
            'label: it is compared as "xn--b-eha", its xn-- form'
        ),
    ),
    (
        "when: {from: {starts_with: 'jörg@bü'}}\ndrop: {}",
        (
            '100-rule.yaml:1: when.from.starts_with: found "jörg@bü", expected "bü" as a whole '
            'label: it is compared as "xn--b-eha", its xn-- form'
        ),
    ),
    (
        "when: {reply_to: {regex: '@bücher'}}\ndrop: {}",
        (
            '100-rule.yaml:1: when.reply_to.regex: found "@bücher", expected the xn-- form of an '
            "international domain, as a regex sees that"
        ),
    ),
    (
        "when: {helo: '*.bücher.example'}\ndrop: {}",
        (
            '100-rule.yaml:1: when.helo: found "*.bücher.example", expected the xn-- form of the '
            "host name, as HELO has it"
        ),
    ),
    (
        f"{ALL}reject: {{status: 5.1.1, diagnostic: このアドレスはありません}}",
        (
            '100-rule.yaml: reject.diagnostic: found a text that is sent as "????????????", '
            "expected text in ASCII"
        ),
    ),
]


@pytest.mark.parametrize(("text", "expected"), DOUBTFUL)
def test_a_doubt_is_one_sentence_and_refuses_nothing(text: str, expected: str) -> None:
    """It names document and place, what was found and what is expected."""
    assert warnings(rule(text)) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        ALL + "drop: {}",
        "accept: {}",  # to accept every mail stops none
        "when: {sender: {ends_with: '@partner.example'}}\ndrop: {}",
        "when: {header: {List-Unsubscribe: {contains: /unsubscribe/}}}\ndrop: {}",
        "when: {header: {X-Path: /var/log}}\ndrop: {}",
        "when: {sender_domain: [bücher.example, .bücher.example, '*.bücher.*']}\ndrop: {}",
        "when: {sender: {ends_with: bücher.example}, from: {contains: '@bücher.'}}\ndrop: {}",
        "when: {sender: {contains: jörg}, subject: {regex: bücher}}\ndrop: {}",
        "when: {sender: {regex: '^jörg@'}, sender_domain: {contains: .bücher.}}\ndrop: {}",
        "when: {subject: don’t miss it}\ndrop: {}",
        "when: {subject: '«Новости» недели'}\ndrop: {}",
        "when: {subject: {regex: '\\bwin\\w+\\s\\d'}}\ndrop: {}",
        "when: {subject: {regex: '(^|\\PL)купить(\\PL|$)'}}\ndrop: {}".replace("\\PL", "[^а-я]"),
        "when: {subject: {regex: 'цена: €\\\\d'}}\ndrop: {}",  # an escaped backslash, not a class
        "when: {subject: ''}\ndrop: {}",
        f"until: 2026-11-02\n{ALL}drop: {{}}",
        f"{ALL}reject: {{type: DoesNotExist, message: 'Größe überschritten, — sorry'}}",
        f"{ALL}reject: {{type: DoesNotExist, message: '{{recipient}} …'}}",
    ],
)
def test_what_is_usual_raises_no_doubt(text: str) -> None:
    """A rule that says what it means is not warned about."""
    assert warnings(rule(text)) == []


@pytest.mark.parametrize("quotes", ["“”", "„“", "‘’", "”“", "«»", "‹›", '”"', '"“'])
@pytest.mark.parametrize("field", ["sender: {}a@b.example{}", "subject: {{contains: {}x{}}}"])
def test_curly_quotes_of_any_shape_are_doubted(quotes: str, field: str) -> None:
    """A word processor puts them in, and no mail has them."""
    value = field.format("'" + quotes[0], quotes[1] + "'")
    assert "straight quotes" in warnings(rule(f"when:\n  {value}\ndrop: {{}}"))[0]


@pytest.mark.parametrize("word", list("bBwWdDsS"))
@pytest.mark.parametrize("letters", ["ü", "продажа", "値", r"\p{Cyrillic}", r"\PL", r"\x{43a}"])
def test_each_class_of_ascii_is_doubted_beside_other_letters(word: str, letters: str) -> None:
    """RE2's classes know ASCII alone, so that such a pattern misses what it names."""
    (found,) = warnings(rule(f"when:\n  subject: {{regex: '{letters}\\{word}'}}\ndrop: {{}}"))
    assert f"found \\{word} beside letters beyond ASCII" in found


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["9-a", "10-b"], "numbers of 2 digits each, such as 09"),
        (["100-a", "20-b", "3-c"], "numbers of 3 digits each, such as 020"),
        (["1000-a", "900-b", "950-c"], "numbers of 4 digits each, such as 0900"),
    ],
)
def test_numbers_out_of_order_are_doubted_once(names: list[str], expected: str) -> None:
    """`10-` stands before `9-`: names are compared as text."""
    rules = [rule(f"{ALL}accept: {{}}", name) for name in names]
    (found,) = warnings(*rules)
    assert "as names are compared as text" in found
    assert expected in found


@pytest.mark.parametrize(
    "names", [["050-a", "100-b"], ["5-a", "900-b"], ["x", "9-a"], ["1-a", "1-b"]]
)
def test_numbers_in_order_raise_no_doubt(names: list[str]) -> None:
    """Names whose numbers say the order in which they are tried need no change."""
    assert warnings(*(rule(f"{ALL}accept: {{}}", name) for name in names)) == []


def test_a_file_that_upload_loops_leave_out_is_doubted() -> None:
    """`for file in rules/*.yaml` passes by a file that ends in .yml."""
    (found,) = warnings(read_rule("100-a", f"{ALL}accept: {{}}", document="rules/100-a.yml"))
    assert found.startswith("rules/100-a.yml: found the ending .yml, expected the ending .yaml")


def test_a_text_in_utf_8_is_not_doubted() -> None:
    """With `ascii_only: false` a message keeps its letters; a diagnostic never does."""
    text = f"{ALL}reject: {{status: 5.1.1, message: Ящик закрыт, diagnostic: Ящик закрыт}}"
    assert [found.split(": ")[1] for found in warnings(rule(text), ascii_only=False)] == [
        "reject.diagnostic"
    ]


def test_doubts_change_no_rule() -> None:
    """A rule with doubts equals the same rule of another document."""
    text = "reject: {type: DoesNotExist}"
    assert rule(text) == read_rule("100-rule", text, document="elsewhere")


def matched(condition: str, **mail: str) -> bool:
    """Tell whether a rule with one condition matches a mail."""
    compiled = Ruleset([rule(f"when:\n  {condition}\ndrop: {{}}")])
    headers = [{"name": "From", "value": mail.get("from_", "x@y.example")}]
    fields = {"messageId": "m", "source": mail.get("sender", ""), "headers": headers}
    recipients = [mail.get("recipient", "ann@example.com")]
    message = read_record({"ses": {"mail": fields, "receipt": {"recipients": recipients}}})
    return compiled.decide(message, recipients[0]).rule is not None


@pytest.mark.parametrize(
    ("condition", "mail", "expected"),
    [
        ('sender: "@partner.example"', {"sender": "Eve@Partner.example"}, True),
        ('sender: ["@partner.example"]', {"sender": "eve@mail.partner.example"}, False),
        ('sender: {not: "@partner.example"}', {"sender": "eve@partner.example"}, False),
        ('recipient: "@example.com"', {"recipient": "ann+x@example.com"}, True),
        ('from: "@*.partner.example"', {"from_": "E <eve@mail.partner.example>"}, True),
        ('sender: "@xn--bcher-kva.example"', {"sender": "a@xn--bcher-kva.example"}, True),
    ],
)
def test_a_domain_after_an_at_sign_means_everybody_there(
    condition: str,
    mail: dict[str, str],
    expected: bool,  # what is expected
) -> None:
    """`@domain` matches as `*@domain` does, in every address field and below `not`."""
    assert matched(condition, **mail) is expected


WILD = st.text(st.sampled_from("@.*?/“”‘a1ü€-+\\bw \u202e\u200b\x1b"), min_size=1, max_size=12)


@given(st.sampled_from(["sender", "recipient", "from_domain", "subject"]), WILD)
def test_any_value_is_read_doubted_or_refused_in_sentences(field: str, value: str) -> None:
    """Reading never fails otherwise, and what it says can be printed."""
    try:
        read = rule(f'{{"when": {{"{field}": {json.dumps(value)}}}, "drop": {{}}}}')
    except DocumentError as error:
        texts = list(map(str, error.problems))
    else:
        texts = warnings(read)
    for text in texts:
        assert text.isprintable()
        assert text.count(", expected ") == 1


def test_an_accept_rule_on_content_before_one_that_stops_mail_is_doubted() -> None:
    """A stranger can make content unknown, but neither the size nor what the event has."""
    accepting = 'when:\n  attachment_name: "*.p7s"\naccept: {}'
    stopping = rule("when: {spam: fail}\ndrop: {}", "900-spam")
    assert warnings(rule(accepting), stopping) == [
        (
            "100-rule.yaml: found an accept rule that asks for attachment_name before 900-spam, "
            "expected rules that stop mail first: whoever writes a mail can make its content "
            "unknown, and an unknown accept rule lets it through"
        )
    ]
    assert warnings(rule(accepting, "950-signed"), stopping) == []
    assert warnings(rule(f"mode: shadow\n{accepting}"), stopping) == []
    assert warnings(rule("when: {size: {under: 1KB}}\naccept: {}"), stopping) == []
    assert warnings(rule("when: {subject: a}\naccept: {}"), stopping) == []
