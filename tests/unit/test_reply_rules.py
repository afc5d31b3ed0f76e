"""Rules that reply: how they are read, what is warned of, and their form in a revision."""

import json

import pytest

from bouncer.rules.reply_warnings import reply_warnings
from bouncer.rules.rule import Action, Rule
from bouncer.rules.rule_json import rule_of, rule_values
from bouncer.rules.rule_reader import read_rule

WHOLE = """
when: {recipient: {in: departed}}
reply:
  from: Example Ltd <No-Reply@example.com>
  from_arn: arn:aws:ses:eu-west-1:123456789012:identity/example.com
  reply_to: Hello <hello@example.com>
  subject: "{recipient} has left"
  text: |
    Grüße,

      {departed.successor} is in charge.
  once_per: 12h
"""


def read(text: str) -> Rule:
    return read_rule("200-a", text)


def test_a_rule_with_everything_survives_the_revision() -> None:
    """No member gets lost, and the text keeps its lines and letters."""
    rule = read(WHOLE)
    assert rule.action is Action.REPLY
    assert rule.reply
    assert rule.reply.text.text == "Grüße,\n\n  {departed.successor} is in charge.\n"
    assert rule.reply.once_per_s == 12 * 3600
    assert rule.reply.reply_to == "Hello <hello@example.com>"
    assert rule.columns == (("departed", "successor"),)
    assert rule_of(json.loads(json.dumps(rule_values(rule)))) == rule


def test_a_member_that_is_not_known_is_refused() -> None:
    """Without it the reply might say something else."""
    values = rule_values(read(WHOLE))
    with pytest.raises(ValueError, match="more"):
        rule_of(values | {"reply": values["reply"] | {"more": 1}})


@pytest.mark.parametrize(
    ("text", "seconds"), [("1h", 3600), ("12h", 43200), ("720h", 2592000), ("30d", 2592000)]
)
def test_once_per_is_hours_or_days(text: str, seconds: int) -> None:
    """From an hour to 30 days."""
    rule = read(f"reply: {{from: a@example.com, text: Hi, once_per: {text}}}")
    assert rule.reply
    assert rule.reply.once_per_s == seconds


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("", "found no when, so that every mail is replied to"),
        ("when: {spf: pass}\nat_most: {bounces: 1, per: 1h}\n", "found at_most with reply"),
    ],
)
def test_what_is_hardly_meant_is_warned_of(text: str, warning: str) -> None:
    """A rule that answers everybody, and a limit of bounces without bounces."""
    rule = read(f"{text}reply: {{from: a@example.com, text: Hi}}")
    assert [warning in str(each) for each in rule.warnings] == [True]


def warned(senders: set[str] | None, rule: str = WHOLE) -> list[str]:
    return [str(each) for each in reply_warnings([read(rule)], senders)]


def test_a_from_that_cannot_send_is_warned_of() -> None:
    """Case makes no difference; what is not known is not warned of."""
    assert warned({"no-reply@example.com"}) == []
    assert warned(None) == []
    (warning,) = warned(set())
    assert warning == (
        '200-a: reply.from: found "No-Reply@example.com", expected an address of reply_senders in '
        "cdk.json: nobody gets this reply"
    )


ABOUT = "which rule 200-a is about, expected another address, reply_to, or an accept rule"
FROM_HELP = "when: {spf: fail}\nreply: {from: Help+auto@example.com, text: Hi}"


@pytest.mark.parametrize(
    "rule",
    [
        "when: {recipient: Help@example.com}\ndrop: {}",
        "when: {recipient: Help@example.com}\nreply: {from: 'A <help@example.com>', text: Hi}",
        "when: {recipient: help@example.com, subject: x}\nreject: {type: DoesNotExist}",
        "when: {recipient_domain: example.com}\nreject: {type: DoesNotExist}",
        "reject: {type: DoesNotExist}",
    ],
)
def test_a_from_that_a_rule_is_about_is_warned_of(rule: str) -> None:
    """The guard withholds each reply and each bounce for mail to it, whatever its tag."""
    rules = [read_rule("200-a", rule), read_rule("300-b", FROM_HELP)]
    warnings = [each for each in reply_warnings(rules, None) if each.document == "300-b"]
    assert [ABOUT in str(each) for each in warnings] == [True]


@pytest.mark.parametrize(
    "rules",
    [
        ["when: {recipient: help@example.com}\naccept: {}", "reject: {type: DoesNotExist}"],
        ["when: {recipient_domain: example.org}\nreject: {type: DoesNotExist}"],
        ["when: {subject: x}\nreject: {type: DoesNotExist}"],
        ["when: {recipient: {not: {in: people}}}\nreject: {type: DoesNotExist}"],
        ["mode: off\nreject: {type: DoesNotExist}"],
    ],
)
def test_a_from_that_gets_its_mail_is_not_warned_of(rules: list[str]) -> None:
    """An accept rule before the others lets it through, and what is not sure is not told."""
    read = [read_rule(str(number), text) for number, text in enumerate([*rules, FROM_HELP])]
    assert list(reply_warnings(read, None)) == []


def test_a_from_whose_answers_go_elsewhere_needs_no_mail() -> None:
    """With reply_to nobody writes to From; a rule that names From is warned of all the same."""
    form = "reply: {from: help@example.com, reply_to: hello@example.com, text: Hi}"
    reply = read_rule("300-b", f"when: {{spf: fail}}\n{form}")
    everybody = read_rule("200-a", "reject: {type: DoesNotExist}")
    named = read_rule("200-a", "when: {recipient: help@example.com}\nreject: {type: DoesNotExist}")
    assert list(reply_warnings([everybody, reply], None)) == []
    assert [ABOUT in str(each) for each in reply_warnings([named, reply], None)] == [True]
