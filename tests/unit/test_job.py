"""Jobs: whole to the queue and back, never made if SES would misread them, one call each."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bouncer.jobs.job import MOST_RECIPIENTS, DsnFields, Job, JobError, Refusal
from bouncer.jobs.job_json import from_json, to_json
from bouncer.jobs.reference import REFERENCE, reference
from bouncer.sending.bounce_request import bounce_request
from bouncer.sending.queue import deduplication_id
from bouncer_sim.fake_ses.syntax import mailbox

DSN = DsnFields(
    action="failed",
    status="5.7.1",
    diagnostic_code="smtp; 550 5.7.1 No",
    final_recipient="box@example.com",
    remote_mta="dns; mx.example.com",
    last_attempt_date="2026-11-02T08:00:00+00:00",
    extension_fields=(("X-Why", "because"),),
)
NAMED = Refusal(
    recipient="ann@example.com", rule="a", recipient_arn=None, bounce_type="DoesNotExist", dsn=None
)
OWN = Refusal(
    recipient="bob@example.com",
    rule="b",
    recipient_arn="arn:aws:ses:us-east-1:123456789012:identity/example.com",
    bounce_type=None,
    dsn=DSN,
)
JOB = Job(
    message_id="m1",
    received_at=datetime(2026, 11, 2, 8, tzinfo=UTC),
    reference=reference("m1", ["ann@example.com", "bob@example.com"]),
    sender="eve@partner.example",
    bounce_sender="Mail <bounces@example.com>",
    bounce_sender_arn="arn:aws:ses:us-east-1:123456789012:identity/example.com",
    messages=(("a", "Gone."), ("b", "Closed."), ("a", "Gone.")),
    reporting_mta="dns; mx.example.com",
    extension_fields=(("X-Team", "mail"),),
    refusals=(NAMED, OWN),
)


def test_survives_the_queue() -> None:
    """A job read back from its body is the same job, and the body is ASCII."""
    odd = replace(JOB, messages=(("a", "\u65e5\u672c \u202e"),), sender="\ud800@x")
    assert from_json(to_json(odd)) == odd
    assert to_json(odd).isascii()


@pytest.mark.parametrize("name", ["Mail, system", "Mail (system)", "Mail: x;", "J. Doe"])
def test_a_name_that_needs_quotes_has_them_in_the_call(name: str) -> None:
    """No phrase may have such characters (RFC 5322), and the fake SES refuses them."""
    sender = bounce_request(replace(JOB, bounce_sender=f"{name} <bounces@example.com>"))
    assert sender["BounceSender"] == f'"{name}" <bounces@example.com>'
    assert mailbox("BounceSender", sender["BounceSender"])


def test_becomes_one_call_with_every_parameter() -> None:
    """Every parameter SendBounce has can be in a job, and stands where the API wants it."""
    call = bounce_request(JOB)
    assert call["OriginalMessageId"] == "m1"
    assert call["BounceSender"] == "Mail <bounces@example.com>"
    assert call["BounceSenderArn"].startswith("arn:")
    assert call["Explanation"] == "Gone. Closed."
    assert call["MessageDsn"]["ReportingMta"] == "dns; mx.example.com"
    assert call["MessageDsn"]["ArrivalDate"] == JOB.received_at
    assert call["MessageDsn"]["ExtensionFields"] == [
        {"Name": "X-Bouncer-Reference", "Value": JOB.reference},
        {"Name": "X-Team", "Value": "mail"},
    ]
    assert call["BouncedRecipientInfoList"] == [
        {"Recipient": "ann@example.com", "BounceType": "DoesNotExist"},
        {
            "Recipient": "bob@example.com",
            "RecipientArn": "arn:aws:ses:us-east-1:123456789012:identity/example.com",
            "RecipientDsnFields": {
                "Action": "failed",
                "Status": "5.7.1",
                "DiagnosticCode": "smtp; 550 5.7.1 No",
                "FinalRecipient": "box@example.com",
                "RemoteMta": "dns; mx.example.com",
                "LastAttemptDate": datetime(2026, 11, 2, 8, tzinfo=UTC),
                "ExtensionFields": [{"Name": "X-Why", "Value": "because"}],
            },
        },
    ]


def replaced(**members: Any) -> Job:
    """Make a job with values that its types forbid, as JSON may hold them."""
    return replace(JOB, **members)


@pytest.mark.threat
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: replace(JOB, refusals=()), "0 recipients"),
        (lambda: replace(JOB, refusals=(NAMED,) * (MOST_RECIPIENTS + 1)), "51 recipients"),
        (lambda: replace(JOB, refusals=(NAMED, NAMED)), "found a recipient twice"),
        (
            lambda: replace(JOB, refusals=(NAMED, replace(OWN, recipient="Ann@example.com"))),
            "twice",
        ),
        (lambda: replace(JOB, received_at=datetime(2026, 11, 2)), "received_at"),  # noqa: DTZ001
        (lambda: replace(JOB, received_at=datetime(9999, 1, 1, tzinfo=UTC)), "time of a mail"),
        (lambda: replace(JOB, bounce_sender="a@b\r\nBcc: x@y"), "bounce_sender"),
        (lambda: replace(JOB, bounce_sender="postmaster"), "bounce_sender, expected an address"),
        (lambda: replace(JOB, reporting_mta="dns; x\ny"), "reporting_mta"),
        (lambda: replace(JOB, message_id=""), "message_id"),
        (lambda: replace(JOB, message_id="mé"), "message_id, expected printable ASCII"),
        (lambda: replace(JOB, bounce_sender="daemon\x9b@x"), "bounce_sender, expected printable"),
        (lambda: replace(JOB, messages=(("a", "Gone.\r\nBcc: x@y"),)), "message, expected text on"),
        (lambda: replace(JOB, messages=(("a", "Gone \ud800"),)), "message, expected text on"),
        (lambda: replaced(message_id=None), "message_id"),
        (lambda: replaced(bounce_sender=None), "bounce_sender"),
        (lambda: replaced(sender=None), "None as sender"),
        (lambda: replace(JOB, messages=(("a", " "),)), "empty message of 'a'"),
        (lambda: replace(JOB, extension_fields=(("X-A: b", "c"),)), "extension field"),
        (lambda: replace(JOB, extension_fields=(("X-A", "b\nc"),)), "extension field"),
        (lambda: replace(NAMED, recipient="a\tb@example.com"), "recipient"),
        (
            lambda: replace(NAMED, recipient="änn@example.com"),
            "recipient, expected printable ASCII",
        ),
        (lambda: replace(NAMED, bounce_type="Gone"), "bounce type"),
        (lambda: replace(NAMED, bounce_type=None), "both or neither"),
        (lambda: replace(NAMED, dsn=DSN), "both or neither"),
        (lambda: replace(DSN, action="lost"), "action"),
        (lambda: replace(DSN, status="5.7"), "status"),
        (lambda: replace(DSN, diagnostic_code="x\r\ny"), "diagnostic_code"),
        (lambda: replace(DSN, remote_mta=""), "remote_mta"),
        (lambda: replace(DSN, last_attempt_date="yesterday"), "last_attempt_date"),
    ],
)
def test_refuses_what_botocore_lets_pass(make: Callable[[], object], says: str) -> None:
    """An empty list, odd enums, a bad status and line breaks can't be made, so can't reach SES."""
    with pytest.raises(JobError, match=says):
        make()


def test_explains_the_recipients_it_is_for() -> None:
    """Recipients answered before are not mentioned; a rule's text is used once."""
    assert JOB.explanation == "Gone. Closed."
    assert JOB.without(["ann@example.com"]).explanation == "Closed."
    assert replace(JOB, messages=(("a", "Gone."), ("b", "Gone."))).explanation == "Gone."
    assert replace(JOB, messages=()).explanation is None


BODY = json.loads(to_json(JOB))
MEMBERS = [
    (),
    *((name,) for name in BODY),
    *(("refusals", 1, name) for name in BODY["refusals"][1]),
    *(("refusals", 1, "dsn", name) for name in BODY["refusals"][1]["dsn"]),
]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    st.sampled_from(MEMBERS),
)
@example(None, ("bounce_sender",))
@example(None, ("refusals", 1, "recipient"))
@example(None, ("refusals", 1, "dsn", "status"))
@example("0001-01-01T00:00:00+01:00", ("received_at",))
def test_an_unreadable_body_is_one_kind_of_error(
    value: object, member: tuple[str | int, ...]
) -> None:
    """Reading any body of the queue yields a job that can be sent, or a JobError."""
    body: Any
    body = whole = {"job": json.loads(to_json(JOB))}
    *path, last = "job", *member
    for step in path:
        body = body[step]
    body[last] = value
    try:
        read: Job | JobError = from_json(json.dumps(whole["job"]))
    except JobError as error:
        read = error
    assert bounce_request(read) if isinstance(read, Job) else "found" in str(read)


def test_the_error_of_a_body_is_short_whatever_the_body_holds() -> None:
    """It is shown on one screen, and journalled, even if a member's name is as long as the body."""
    body = json.loads(to_json(JOB)) | {"k" * 100_000: 1}
    with pytest.raises(JobError) as caught:
        from_json(json.dumps(body))
    assert len(str(caught.value)) < 300


def test_reference_and_deduplication_know_the_mail_and_its_recipients() -> None:
    """The order and case of recipients do not matter; another mail or recipient does."""
    same = reference("m1", ["Bob@example.com", "ann@example.com"])
    assert same == JOB.reference
    assert REFERENCE.fullmatch(same)
    assert reference("m2", ["ann@example.com", "bob@example.com"]) != same
    assert deduplication_id(JOB) == deduplication_id(replace(JOB, refusals=(OWN, NAMED)))
    assert deduplication_id(JOB) != deduplication_id(JOB.without(["ann@example.com"]))
