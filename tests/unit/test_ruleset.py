"""The compiled ruleset: it agrees with the oracle, never raises, and first match wins."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from bouncer.mail.content import Content
from bouncer.mail.message import VERDICTS, Message, read_record
from bouncer.rules.fields import FIELDS, Availability, Field, Kind
from tests import oracle
from tests.unit.ruleset_mails import HEADERS, LISTS, WORDS, addresses, compiled, fields, rulesets

BLANKS = [" ", "\u00a0", "  ", "\t", "\u3000"]


VERDICT_WORDS = ["pass", "fail", "gray", "absent"]


texts = st.builds(str.join, st.sampled_from(BLANKS), st.lists(st.sampled_from(WORDS), max_size=3))


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """An SES event record made of the same few words as the rules."""
    address = draw(st.sampled_from(["192.0.2.9", "192.0.2.70", "198.51.100.1", "2001:db8::5", "x"]))
    helo = draw(texts)
    headers = [
        (
            "Received",
            (
                f"from {helo} (rdns [{address}]) by inbound-smtp.eu-west-1.amazonaws.com "
                "with SMTP id m1 for x; d"
            ),
        ),
        *[(name, draw(texts)) for name in draw(st.lists(st.sampled_from(HEADERS), max_size=3))],
        *[("Subject", draw(texts)) for _ in range(draw(st.integers(0, 2)))],
        *[
            (name, draw(addresses))
            for name in draw(st.lists(st.sampled_from(["From", "To", "Cc", "Reply-To"])))
        ],
    ]
    moment = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(
        minutes=draw(st.integers(0, 30 * 24 * 60))
    )
    verdicts = {
        f"{name}Verdict": {"status": draw(st.sampled_from(VERDICT_WORDS)).upper()}
        for name in VERDICTS
    }
    return {
        "ses": {
            "mail": {
                "messageId": "m1",
                "source": draw(addresses | st.just("")),
                "timestamp": moment.isoformat() if draw(st.booleans()) else None,
                "headers": [{"name": name, "value": value} for name, value in headers],
            },
            "receipt": {
                "recipients": draw(st.lists(addresses, min_size=1, max_size=3)),
                "dmarcPolicy": draw(st.sampled_from(["reject", None])),
                **verdicts,
            },
        }
    }


parts = st.builds(
    "Content-Type: {}\r\nContent-Disposition: {}\r\n\r\n{}\r\n".format,
    st.sampled_from(
        ["text/plain", "text/html", "application/zip", 'text/plain; name="offer"', "multipart/x"]
    ),
    st.sampled_from(["inline", "attachment", "attachment; filename=Invoice"]),
    texts | st.just("x" * 900),
)
no_surrogate = str.maketrans(dict.fromkeys(range(0xD800, 0xE000)))


@st.composite
def copies(draw: st.DrawFn) -> Content | None:
    """The content of a mail made of the same few words; None is a copy that is missing.

    A multipart without a boundary is a part that can't be read.
    """
    found = draw(st.none() | st.lists(parts, max_size=4))
    if found is None:
        return None
    head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    text = head + "".join(f"--b\r\n{part}" for part in (found or ["\r\n"])) + "--b--\r\n"
    return Content(text.translate(no_surrogate).encode())


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(
    rulesets,
    st.lists(st.tuples(records(), copies()), min_size=1, max_size=4),
    st.sets(st.sampled_from([*LISTS])),
)
def test_agrees_with_the_oracle(
    found: dict[str, Any],
    mails: list[tuple[dict[str, Any], Content | None]],
    missing: set[str],
) -> None:
    """For any rules and mail, the compiled ruleset decides as the obvious evaluator does.

    Lists and stored copies are missing at random.
    """
    lists = {name: document for name, document in LISTS.items() if name not in missing}
    ruleset = compiled(found, lists)
    for record, copy in mails:
        message = replace(read_record(record), content=copy)
        for recipient, decision in zip(message.recipients, ruleset.decisions(message), strict=True):
            decided = decision.rule.name if decision.rule else None
            expected = oracle.decide(found, message, recipient, lists)
            before = (decision.shadow, decision.unknown)
            assert (decided, *([rule.name for rule in each] for each in before)) == expected
            assert ruleset.decide(message, recipient) == decision


def messages(field: Field) -> st.SearchStrategy[Message]:
    """A mail, and its content if the field is read from that."""
    copied = field.availability is Availability.COPY
    return st.builds(
        lambda record, copy: replace(read_record(record), content=copy),
        records(),
        copies() if copied else st.none(),
    )


def values(field: Field, message: Message) -> list[Any]:
    """The values of a field in a message, without the word for a missing verdict or policy."""
    if field.kind is Kind.HEADER:
        return [value for name in HEADERS for value in message.header(name.lower())]
    if field.recipient_values:
        return [each for address in message.recipients for each in field.recipient_values(address)]
    return [value for value in field.values(message) if value not in ("absent", "")]


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_the_oracle_is_asked_about_every_field(field: Field) -> None:
    """A new row takes part in the comparison: rules ask for it, mails have it, the oracle knows it.

    Two mails differ in it, so that a rule can match the one and not the other.
    """
    found = find(
        st.tuples(messages(field), messages(field)),
        lambda pair: values(field, pair[0]) != values(field, pair[1]),
    )
    spec = find(fields[field.name], lambda _: True)
    for message in found:
        oracle.decide({"a": {"when": {field.name: spec}}}, message, message.recipients[0])
