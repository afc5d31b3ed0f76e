"""A SendBounce call against SES's documentation is refused before anything is sent."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer_sim.fake_ses.form import decode
from bouncer_sim.fake_ses.refusal import ErrorCode, SesError
from bouncer_sim.fake_ses.send_bounce_request import (
    BounceType,
    DsnAction,
    RecipientDsnFields,
    parse,
)

FIRST = "BouncedRecipientInfoList.member.1"
DSN = f"{FIRST}.RecipientDsnFields"


def _refusal(form: dict[str, str]) -> SesError:
    with pytest.raises(SesError) as caught:
        parse(form)
    return caught.value


def test_every_parameter_is_read(full: dict[str, str]) -> None:
    """A call with all parameters arrives complete."""
    request = parse(full)
    assert request.original_message_id == "orig-1"
    assert request.bounce_sender == '"Postmaster, Example" <postmaster@mail.example.com>'
    assert request.explanation is not None
    assert request.explanation.startswith("Ann & Bob have left; 100 % sure.\nWrite")
    assert request.message_dsn is not None
    assert request.message_dsn.reporting_mta == "dns; mx.example.com"
    assert request.message_dsn.arrival_date == datetime(2026, 1, 31, 12, 0, 0, 250_000, UTC)
    assert [field.name for field in request.message_dsn.extension_fields] == [
        "X-Reference",
        "X-Other",
    ]
    assert request.message_dsn.extension_fields[0].value == "r-42; a=b&c"
    ann, bob = request.recipients
    assert isinstance(ann.reason, RecipientDsnFields)
    assert ann.reason.action is DsnAction.FAILED
    assert ann.reason.status == "5.7.1"
    assert ann.reason.remote_mta == "dns; remote.example.net"
    assert ann.reason.extension_fields[0].value == "200-departed"
    assert (ann.recipient, ann.final_recipient) == ("ann@example.com", "ann.b@example.org")
    assert (bob.reason, bob.final_recipient) == (BounceType.DOES_NOT_EXIST, "bob@example.com")


@pytest.mark.parametrize("client", ["aws-cli", "javascript-sdk"])
def test_clients_differ_in_spelling_only(client: str, wire: Path, full: dict[str, str]) -> None:
    """The AWS CLI and the JavaScript SDK say the same as boto3, in another order and escaping."""
    assert parse(decode((wire / f"{client}.form").read_bytes())) == parse(full)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OriginalMessageId", "a\r\nBcc: x@example.com"),
        ("BounceSender", "postmaster"),
        ("BounceSender", "a@example.com, b@example.com"),
        ("BounceSender", "Ann, B <a@example.com>"),
        ("BounceSender", "Ann\r\nBcc: x@example.com <a@example.com>"),
        ("BounceSender", "Jörg <a@example.com>"),
        ("BounceSender", "a@bücher.example"),
        ("BounceSender", ""),
        ("BounceSenderArn", "arn:aws:s3:::bucket"),
        ("Explanation", "NUL \0"),
        ("Explanation", "bell \a"),
        ("MessageDsn.ReportingMta", "mx.example.com"),
        ("MessageDsn.ReportingMta", "dns; mx.example.com\nAction: delivered"),
        ("MessageDsn.ReportingMta", "dns; two words"),
        ("MessageDsn.ReportingMta", "dns;"),
        ("MessageDsn.ArrivalDate", "Thu, 01 Oct 2015 13:48:54 +0000"),
        ("MessageDsn.ArrivalDate", "2026-01-31"),
        ("MessageDsn.ArrivalDate", "0001-01-01T00:00:00+14:00"),
        ("MessageDsn.ArrivalDate", ""),
        ("MessageDsn.ExtensionFields.member.1.Name", "X Reference"),
        ("MessageDsn.ExtensionFields.member.1.Name", "X-Reference:"),
        ("MessageDsn.ExtensionFields.member.1.Name", "X" * 51),
        ("MessageDsn.ExtensionFields.member.1.Name", ""),
        ("MessageDsn.ExtensionFields.member.1.Name", "X-Gänse"),
        ("MessageDsn.ExtensionFields.member.1.Value", "v" * 2049),
        ("MessageDsn.ExtensionFields.member.1.Value", "a\rb"),
        ("MessageDsn.ExtensionFields.member.1.Value", "a\nb"),
        (f"{FIRST}.Recipient", "Ann <ann@example.com>"),
        (f"{FIRST}.Recipient", "ann"),
        (f"{FIRST}.Recipient", "ann@example.com\r\nStatus: 2.0.0"),
        (f"{FIRST}.Recipient", "a" * 310 + "@example.com"),
        (f"{DSN}.FinalRecipient", "rfc822; ann@example.com"),
        (f"{DSN}.FinalRecipient", ""),
        (f"{DSN}.Status", "3.1.1"),
        (f"{DSN}.Status", "5.1"),
        (f"{DSN}.Status", "5.1.1000"),
        (f"{DSN}.Status", "5.1.1\n"),
        (f"{DSN}.Status", "5.1.\u0661"),
        (f"{DSN}.DiagnosticCode", "smtp; 550\r\nAction: delivered"),
        (f"{DSN}.RemoteMta", "remote.example.net"),
        (f"{DSN}.LastAttemptDate", "yesterday"),
        (f"{DSN}.ExtensionFields.member.1.Value", "\0"),
        (f"{FIRST}.BounceType", "DoesNotExist"),
    ],
)
def test_unacceptable_value_is_refused(name: str, value: str, full: dict[str, str]) -> None:
    """One bad value is enough, wherever it stands; header injection above all."""
    assert _refusal(full | {name: value}).code is ErrorCode.INVALID_PARAMETER_VALUE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BounceSender", "<postmaster@example.com>"),
        ("BounceSender", "Mail Delivery <postmaster@example.com>"),
        ("MessageDsn.ReportingMta", "dns;[192.0.2.1]"),
        ("MessageDsn.ReportingMta", "x-local; the big one"),
        ("MessageDsn.ArrivalDate", "2026-01-31T13:00:00+01:00"),
        ("MessageDsn.ExtensionFields.member.1.Name", "X" * 50),
        ("MessageDsn.ExtensionFields.member.1.Value", "v" * 2048),
        (f"{FIRST}.Recipient", '"ann smith"@example.com'),
        (f"{FIRST}.Recipient", "a..b.@example.com"),
        (f"{DSN}.Status", "2.999.999"),
        ("Explanation", "Büro geschlossen\r\n\tbis Montag"),
    ],
)
def test_unusual_value_is_taken(name: str, value: str, full: dict[str, str]) -> None:
    """Values that are documented, or merely odd, are not refused."""
    parse(full | {name: value})


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        (f"{DSN}.Action", "bounced", "bouncedRecipientInfoList.1.member.recipientDsnFields.action"),
        (f"{DSN}.Action", "Failed", "failed, delayed, delivered, relayed, expanded"),
        (
            "BouncedRecipientInfoList.member.2.BounceType",
            "Gone",
            "bouncedRecipientInfoList.2.member.bounceType",
        ),
    ],
)
def test_word_outside_a_closed_set_is_refused(
    name: str, value: str, place: str, full: dict[str, str]
) -> None:
    """Enums are checked here, since no SDK does, and worded as AWS words it."""
    error = _refusal(full | {name: value})
    assert error.code is ErrorCode.VALIDATION_ERROR
    assert place in str(error)


@pytest.mark.parametrize(
    "name",
    [
        "OriginalMessageId",
        "BounceSender",
        "MessageDsn.ReportingMta",
        "MessageDsn.ExtensionFields.member.2.Value",
        f"{FIRST}.Recipient",
        f"{DSN}.Action",
        f"{DSN}.Status",
        f"{DSN}.ExtensionFields.member.1.Name",
    ],
)
def test_missing_parameter_is_refused(name: str, full: dict[str, str]) -> None:
    """A parameter that SES requires has to be there."""
    del full[name]
    error = _refusal(full)
    assert error.code is ErrorCode.VALIDATION_ERROR
    assert "Member must not be null" in str(error)


def test_empty_list_is_refused(full: dict[str, str]) -> None:
    """Both ways to send no recipients, none at all and SDKs' `List=`, are refused."""
    none = {name: value for name, value in full.items() if not name.startswith("BouncedRec")}
    assert "length greater than" in str(_refusal(none))
    assert "length greater than" in str(_refusal(none | {"BouncedRecipientInfoList": ""}))


def test_neither_type_nor_fields_is_refused(full: dict[str, str]) -> None:
    """A recipient without a reason is refused, as is one with two (above)."""
    del full["BouncedRecipientInfoList.member.2.BounceType"]
    assert "exactly one of" in str(_refusal(full))


def test_more_than_fifty_recipients_are_refused(full: dict[str, str]) -> None:
    """Fifty pass, fifty-one do not."""
    more = {
        f"BouncedRecipientInfoList.member.{number}.{name}": value
        for number in range(3, 51)
        for name, value in (("Recipient", "ann@example.com"), ("BounceType", "Undefined"))
    }
    assert len(parse(full | more).recipients) == 50
    more["BouncedRecipientInfoList.member.51.Recipient"] = "ann@example.com"
    assert str(_refusal(full | more)) == "Recipient count exceeds 50."


@pytest.mark.parametrize(
    "name",
    [
        "ConfigurationSetName",
        f"{FIRST}.recipient",
        f"{DSN}.ExtensionFields.member.01.Name",
        "BouncedRecipientInfoList.1.Recipient",
        "MessageDsn.Comment",
    ],
)
def test_unknown_parameter_is_refused(name: str, full: dict[str, str]) -> None:
    """A parameter SendBounce does not have is a mistake, not something to pass over."""
    error = _refusal(full | {name: "x"})
    assert error.code is ErrorCode.VALIDATION_ERROR
    assert "Unexpected parameter" in str(error)


def test_recipients_keep_their_numeric_order(full: dict[str, str]) -> None:
    """Member 10 comes after member 9, whatever the order on the wire."""
    more = {
        f"BouncedRecipientInfoList.member.{number}.{name}": value
        for number in (10, 9)
        for name, value in (("Recipient", f"r{number}@example.com"), ("BounceType", "Undefined"))
    }
    assert [bounced.recipient for bounced in parse(more | full).recipients][2:] == [
        "r9@example.com",
        "r10@example.com",
    ]


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "OriginalMessageId",
                "BounceSender",
                "Explanation",
                "MessageDsn.ReportingMta",
                "MessageDsn.ArrivalDate",
                f"{FIRST}.Recipient",
                f"{FIRST}.BounceType",
                f"{DSN}.Status",
            ]
        )
        | st.text(max_size=5),
        st.text(max_size=10) | st.sampled_from(["a@example.com", "5.1.1", "DoesNotExist"]),
        max_size=8,
    )
)
def test_any_form_is_read_or_refused(form: dict[str, str]) -> None:
    """For any parameters the only error is a refusal, in text that XML can carry."""
    text = ""
    try:
        parse(form)
    except SesError as error:
        text = str(error)
    assert text.isascii()
    assert text.isprintable()
