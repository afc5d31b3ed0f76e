"""Events that are not mails, and hostile ones, are refused or read, never an error."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer.errors import UnreadableEventError
from bouncer.mail.message import read_event
from tests.unit.ses_events import GONE, ID, RECORD, event, exercise, headers, read


@pytest.mark.parametrize(
    ("strange", "words"),
    [
        (None, "not a JSON object"),
        ("x", "not a JSON object"),
        ([], "a list"),
        ({}, "an empty object"),
        ({"a": 1, "b": 2}, "the keys a, b"),
        ({"\u202e" + "x" * 500: 1}, "the keys xxx"),
        ({"Records": None}, "the keys Records"),
        ({"Records": []}, "the keys Records"),
        ({"Records": {}}, "the keys Records"),
        ({"Records": [None]}, "not a JSON object"),
        ({"Records": [{}]}, "an empty object"),
        ({"Records": [{"ses": None}]}, "the keys ses"),
        ({"Records": [{"ses": {"mail": []}}]}, "the keys ses"),
        ({"Records": [{"s3": {}}]}, "an S3 event"),
        ({"Records": [{"Sns": {"Message": "{}"}}]}, "an SNS event"),
        ({"Records": [{"body": "{}", "receiptHandle": "x"}]}, "an SQS event"),
        ({"Type": "SubscriptionConfirmation", "SubscribeURL": "x"}, "an SNS subscription"),
        ({"notificationType": "Delivery", "mail": {}}, "a sending notification"),
        ({"eventType": "Bounce"}, "a sending event"),
        (event({"messageId": GONE}), "no mail.messageId"),
        (event({"messageId": " "}), "no mail.messageId"),
        (event({"messageId": 7}), "no mail.messageId"),
        (event({"messageId": "AMAZON_SES_SETUP_NOTIFICATION"}), "AMAZON_SES_SETUP_NOTIFICATION"),
        (event({"messageId": "in/AMAZON_SES_SETUP_NOTIFICATION"}), "when a rule is made"),
    ],
)
def test_what_is_no_mail_is_said_to_be_what_it_is(strange: object, words: str) -> None:
    """Anything else raises one error that names what was found, short and printable."""
    with pytest.raises(UnreadableEventError) as caught:
        read_event(strange)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


def test_deeply_nested_strangers_are_refused() -> None:
    """A value that is not an event is refused in the same way, however deep it nests."""
    nested: dict[str, Any] = {}
    for _ in range(5_000):
        nested = {"Records": [nested]}
    with pytest.raises(UnreadableEventError):
        read_event(nested)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Records",
                    "ses",
                    "mail",
                    "receipt",
                    "messageId",
                    "source",
                    "headers",
                    "name",
                    "value",
                    "commonHeaders",
                    "to",
                    "subject",
                    "recipients",
                    "spfVerdict",
                    "status",
                    "timestamp",
                    "headersTruncated",
                    "body",
                    "Sns",
                    "s3",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


MAIL_MEMBERS = [*RECORD["ses"]["mail"]]


RECEIPT_MEMBERS = [*RECORD["ses"]["receipt"], "dmarcPolicy"]


@pytest.mark.threat
@given(JSON)
def test_no_event_raises_anything_else(strange: object) -> None:
    """Any JSON value is read or refused."""
    for candidate in (strange, {"Records": [strange]}, {"Records": [{"ses": {"mail": strange}}]}):
        try:
            messages = read_event(candidate)
        except UnreadableEventError:
            continue
        for message in messages:
            exercise(message)


@settings(max_examples=50)
@given(
    st.dictionaries(st.sampled_from(MAIL_MEMBERS[:2] + MAIL_MEMBERS[3:]), JSON),
    st.dictionaries(st.sampled_from(RECEIPT_MEMBERS), JSON),
)
def test_no_member_makes_a_mail_unreadable(mail: dict[str, Any], receipt: dict[str, Any]) -> None:
    """With a message id there is a message, whatever else is in the event."""
    if not isinstance(mail.get("messageId", ID), str):
        mail.pop("messageId")
    try:
        exercise(read(mail, **receipt))
    except UnreadableEventError:
        assert not mail["messageId"].strip()


@given(st.lists(st.tuples(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))))
def test_any_header_is_read(pairs: list[tuple[str, str]]) -> None:
    """NUL, bidi characters, lone surrogates: no header text stops a decision."""
    named = [(name, value) for name, value in pairs]
    for name in ("Subject", "To", "X-Any"):
        named += [(name, value) for _, value in pairs]
    exercise(read(headers(*named)))
