"""Events of SES are read as far as they are needed, and nothing that was written can raise."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.sending.bounce_event import BounceEventError, Kind, read_event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
MAIL = {"messageId": "0102-id", "source": "bounces@example.com"}


def event(kind: str = "Email Bounced", **detail: Any) -> dict[str, Any]:
    """An event as EventBridge hands it on, with these members of its detail."""
    return {"source": "aws.ses", "detail-type": kind, "detail": {"mail": MAIL, **detail}}


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (event(bounce={"bounceType": "Permanent", "bounceSubType": "General"}), Kind.PERMANENT),
        (event(bounce={"bounceType": "Transient", "bounceSubType": "General"}), Kind.TRANSIENT),
        (event(bounce={"bounceType": "Undetermined"}), Kind.TRANSIENT),
        (event(bounce=["Permanent"]), Kind.TRANSIENT),
        (event("Email Complaint Received", complaint={}), Kind.COMPLAINT),
    ],
)
def test_an_event_says_what_became_of_a_mail(found: dict[str, Any], kind: Kind) -> None:
    """A bounce that is not surely permanent suppresses nobody."""
    read = read_event(json.dumps(found))
    assert (read.kind, read.mail_id, read.source) == (kind, "0102-id", "bounces@example.com")
    assert read.kind.suppresses is (kind is not Kind.TRANSIENT)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not JSON",
        "[]",
        "[" * 100_000,
        json.dumps(event() | {"source": "my.app"}),
        json.dumps(event("Email Sent")),
        json.dumps(event(mail={})),
        json.dumps(event(mail={"messageId": ["0102-id"]})),
        json.dumps(event(mail={"messageId": "i" * 2000})),
    ],
)
def test_what_is_not_such_an_event_is_refused_in_a_sentence(body: str) -> None:
    """The sentence shows what was found, cut."""
    with pytest.raises(BounceEventError, match=r"^found .*, expected .*") as caught:
        read_event(body)
    assert len(str(caught.value)) < 200


@given(JSON, JSON, JSON, JSON)
def test_no_event_raises_another_error(detail: Any, mail: Any, bounce: Any, source: Any) -> None:
    """Members of any kind, at any place."""
    for found in (
        {"source": source, "detail-type": mail, "detail": detail},
        {**event(), "detail": detail},
        event(mail=mail, bounce=bounce),
        event(mail={"messageId": mail, "source": source}, bounce={"bounceType": bounce}),
    ):
        try:
            read = read_event(json.dumps(found))
        except BounceEventError:
            continue
        assert read.mail_id
        assert isinstance(read.source, str)
