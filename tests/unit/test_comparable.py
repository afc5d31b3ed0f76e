"""Texts that look alike are compared alike, domains in the form that mail servers use."""

import contextlib
import json
import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bouncer.errors import DocumentError
from bouncer.guard import in_domains
from bouncer.mail.a_label import a_labels
from bouncer.mail.address import domain
from bouncer.mail.comparable import (
    GLUE,
    comparable,
    comparable_part,
    folded,
    letters,
    stream_safe,
)
from bouncer.mail.message import Message, read_record
from bouncer.operator_settings import Settings
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.settings_reader import overlaid
from tests import oracle

ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates included
ALIKE = "aesß\u0301\u0308éǰŉﬃİᾀ\u00ad\u200b\u00a0 \t\u3000\ufeff*?.@"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Our special offer", "Our special offer"),
        ("Our\u00a0special\u2003offer", "Our special offer"),
        ("Our  special\toffer", "Our special offer"),
        (" \u3000offer\u202f", "offer"),
        ("\ufeffof\u00adf\u200be\u2060r", "offer"),
        ("\u202eoffer\u2066", "offer"),
        ("of\x00f\x1ber", "offer"),
        ("cafe\u0301", "café"),
        ("cafe\u200b\u0301", "café"),
        ("\u2764\ufe0f", "\u2764"),
        ("\u1112\u1161\u11ab", "한"),
        ("", ""),
        ("\u200b", ""),
    ],
)
def test_what_nobody_sees_is_not_compared(text: str, seen: str) -> None:
    """Blanks are one blank, letters are composed, invisible characters are left out."""
    assert comparable(text) == seen


STACKS = (
    "\u0300\u0316",
    "a\u0300\u0316" * 9,
    "\u0f73",
    "\u0344\u0316",
    "\u0345\u0300",
    "\u05b0\u0591",
)


@pytest.mark.parametrize("unit", STACKS)
def test_stacks_of_accents_take_little_time(unit: str) -> None:
    """Sorting 40,000 marks behind one letter takes Python seconds, unseen signs between or not."""
    for joint in ("", "\u200b", "\ufe0f", "\u034f"):
        started = time.process_time()
        found = comparable("a" + (unit + joint) * (40_000 // len(unit)))
        folded(found)
        letters(found)
        assert time.process_time() - started < 1


def test_every_mark_is_known() -> None:
    """A text of any marks is cut; one with as many as languages have is not."""
    marks = [
        char
        for char in map(chr, (*range(0xD800), *range(0xE000, 0x110000)))
        if unicodedata.combining(unicodedata.normalize("NFD", char)[0])
    ]
    assert {char for char in marks if len(stream_safe("a" + char * 40)) != 31} == set()
    assert stream_safe("a" + "\u0301" * 30) == "a" + "\u0301" * 30
    thai = "\u0e01\u0e34\u0e48" * 40
    assert stream_safe(thai) == thai


@given(ANY_TEXT | st.text(ALIKE))
def test_comparable_form_is_final(text: str) -> None:
    """A text in comparable form stays as it is, and so does one in folded form."""
    seen = comparable(text)
    assert comparable(seen) == seen
    assert folded(folded(seen)) == folded(seen)
    assert letters(seen).replace(GLUE, "") == folded(seen)
    assert comparable_part(text).strip() == seen


def test_blanks_at_the_ends_of_a_part_stay() -> None:
    """A part of a text keeps one blank at an end: it may stand between two words."""
    assert comparable_part("\t a  b\u00a0") == " a b "
    assert comparable_part("\u00a0") == " "
    assert comparable_part("\u200b") == ""


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("example.com", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BU\u0308CHER.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("STRA\u1e9eE.example", "xn--strae-oqa.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),
        ("例え\u3002テスト", "xn--r8jz45g.xn--zckzah"),
        ("\uff45xample.com", "example.com"),
        ("bü\u00adcher.example", "xn--bcher-kva.example"),
        ("\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.example", "xn--mgba3gch31f060k.example"),
        ("b*ü.example", "b*ü.example"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("ü" * 64, "ü" * 64),
        ("", ""),
    ],
)
def test_domains_are_compared_as_they_are_sent(written: str, sent: str) -> None:
    """An international domain has its A-label form (RFC 5890); one that has none stays a text."""
    assert a_labels(written) == sent


@given(ANY_TEXT)
@example("bücher.example\uff0e")
def test_any_text_may_stand_for_a_domain(text: str) -> None:
    """Any text has a form, and that form is final."""
    assert a_labels(a_labels(text)) == a_labels(text)
    assert domain(f"a@{domain(f'a@{text}')}") == domain(f"a@{text}")


def mail(subject: str = "", sender: str = "eve@partner.example") -> Message:
    """Return a mail with this subject and this envelope sender."""
    headers = [{"name": "Subject", "value": subject}]
    mail = {"messageId": "m", "source": sender, "headers": headers}
    return read_record({"ses": {"mail": mail, "receipt": {"recipients": ["ann@example.com"]}}})


def matches(condition: object, message: Message) -> bool:
    """Tell whether a condition holds, as the ruleset decides; the oracle must agree."""
    documents = {"a": {"when": condition, "drop": {}}}
    ruleset = Ruleset([read_rule("a", json.dumps(documents["a"]))])
    decided = ruleset.decide(message, "ann@example.com").rule is not None
    assert decided == (oracle.decide(documents, message, "ann@example.com")[0] == "a")
    return decided


@pytest.mark.parametrize(
    ("condition", "subject"),
    [
        ({"contains": "Café"}, "Das Cafe\u0301 am Markt"),
        ({"contains": "Cafe\u0301"}, "Das CAFÉ am Markt"),
        ({"contains": "our special offer"}, "Our\u00a0special\u200b offer"),
        ({"contains": "our\u00a0special  offer"}, "Our special\toffer"),
        ({"starts_with": "offer"}, "\ufeffOffer"),
        ({"ends_with": "offer"}, "Offer\u00a0"),
        ({"regex": "^special offer$"}, "\ufeffSpecial\u00a0offer "),
        ({"regex": "cafe\u0301\u00a0x"}, "Café x"),
        ("special offer", "Special \u00ad Offer"),
        ("special*", "\u200bspecial"),
        ("STRASSE", "straße"),
        ("Neue Stra?e", "Neue Straße"),
        ("?", "ß"),
        ("?", "\ufb03"),
        ("?", "e\u0301"),
        ("??", "Sß"),
        ("*?e", "Straße"),
        ("Stra*se", "Straße"),
    ],
)
def test_texts_alike_to_the_eye_match(condition: object, subject: str) -> None:
    """A rule matches what an operator sees, however a mail program wrote it."""
    assert matches({"subject": condition}, mail(subject))


@pytest.mark.parametrize(
    ("condition", "subject"),
    [
        ("Stra?e", "Strasse"),
        ("Stra??e", "Straße"),
        ("?", ""),
        ("?*s", "ß"),
        ("s?", "ß"),
        ({"contains": "cafe"}, "Café"),
        ({"contains": "offer "}, "offer"),
        ({"contains": "no  t"}, "not"),
    ],
)
def test_other_texts_do_not_match(condition: object, subject: str) -> None:
    """`?` stands for one letter, and a blank or an accent that is seen counts."""
    assert not matches({"subject": condition}, mail(subject))


@pytest.mark.parametrize(
    "condition",
    [
        {"sender_domain": "bücher.example"},
        {"sender_domain": "XN--bcher-kva.example"},
        {"sender_domain": {"ends_with": "bücher.example"}},
        {"sender": "jörg@BÜCHER.example"},
        {"sender": "*@bücher.example"},
        {"sender": "j?rg@bücher.*"},
        {"sender": {"ends_with": "@bücher.example"}},
        {"sender": {"contains": "@bücher."}},
        {"sender": {"contains": "jörg"}},
        {"sender": {"starts_with": "jörg@bücher"}},
        {"sender": {"regex": "@xn--bcher-kva"}},
    ],
)
@pytest.mark.parametrize(
    "host", ["bücher.example", "xn--bcher-kva.example", "Bu\u0308cher.EXAMPLE"]
)
def test_both_forms_of_a_domain_are_one(condition: object, host: str) -> None:
    """A rule may write a domain in either form, and so may a mail."""
    sender = f"J\u00f6rg@{host}"
    documents = {"a": {"when": condition, "drop": {}}}
    ruleset = Ruleset([read_rule("a", json.dumps(documents["a"]))])
    assert ruleset.decide(mail(sender=sender), "ann@example.com").rule is not None


def test_subdomains_of_an_international_domain_match() -> None:
    """`.bücher.example` means the subdomains of that domain in either form."""
    for host, expected in (
        ("mail.xn--bcher-kva.example", True),
        ("post.Bücher.example", True),
        ("xn--bcher-kva.example", False),
    ):
        found = matches({"sender_domain": ".bücher.example"}, mail(sender=f"a@{host}"))
        assert found == expected


@pytest.mark.parametrize("pattern", ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example"])
@pytest.mark.parametrize("host", ["xn--bcher-kva.example", "bücher.example"])
def test_an_own_domain_may_be_international(pattern: str, host: str) -> None:
    """Settings have it in either form, and so has a mail; its senders never get a bounce."""
    for setting, sender in ((pattern, f"a@{host}"), (f".{pattern}", f"a@mail.{host}")):
        settings = overlaid(Settings(), json.dumps({"own_domains": [setting]}))
        assert in_domains(domain(sender), settings.own_domains)
        assert not in_domains("other.example", settings.own_domains)


@given(
    st.text("büé.xn-*?@", min_size=1, max_size=9).map(lambda part: part.rstrip(".") or "bü"),
    st.sampled_from(["contains", "starts_with", "ends_with", ""]),
    st.sampled_from(["sender_domain", "from_domain", "recipient_domain"]),
)
def test_a_part_of_a_domain_is_refused_or_agrees_with_the_oracle(
    part: str, matcher: str, field: str
) -> None:
    """A rule that is read decides as the oracle does, however its domain is cut."""
    condition = {field: {matcher: part} if matcher else part}
    sender = mail(sender="a@bü.xn--b-eha.é.example")
    with contextlib.suppress(DocumentError):
        matches(condition, sender)


def test_domains_that_only_fold_alike_are_two() -> None:
    """`straße.example` and `strasse.example` may belong to two owners."""
    assert not matches({"sender_domain": "straße.example"}, mail(sender="a@strasse.example"))
    assert matches({"sender_domain": "straße.example"}, mail(sender="a@xn--strae-oqa.example"))


@given(
    st.text("sß?*a\u0130ŉi\u0308", min_size=1, max_size=8),
    st.text("sSßaİiŉ\u1f80\u03b9", max_size=8),
)
def test_wildcards_agree_with_the_oracle(pattern: str, subject: str) -> None:
    """Wildcards count letters for any mixture of letters that folding makes longer."""
    matches({"subject": pattern}, mail(subject))


@pytest.mark.parametrize(
    "condition", ["\u200b", " ", {"contains": "\u00ad"}, {"ends_with": "\ufeff"}]
)
def test_text_that_nobody_sees_is_refused(condition: object) -> None:
    """A rule may not compare with invisible text: it would match every text, or the empty one."""
    with pytest.raises(DocumentError, match="expected text with a character that can be seen"):
        read_rule("a", json.dumps({"when": {"subject": condition}, "drop": {}}))
