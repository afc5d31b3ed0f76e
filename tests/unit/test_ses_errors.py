"""Every error SES may answer has a row, and each row its outcome."""

import pytest

from bouncer.errors import BouncerError
from bouncer.sending.pacer import NotAcceptedError
from bouncer.sending.ses_errors import (
    ERRORS,
    DeadLetterError,
    Mender,
    RefusedError,
    Scope,
    ThrottledError,
    UnavailableError,
    UnknownOutcomeError,
    row_of,
)

ANY = "Something new."
# code, text, HTTP status; outcome, scope, who mends it
Expected = tuple[str, str, int, type[BouncerError], Scope, Mender]
EXPECTED: list[Expected] = [
    ("BandwidthLimitExceeded", ANY, 400, ThrottledError, Scope.ACCOUNT, Mender.NOBODY),
    ("LimitExceededException", ANY, 400, ThrottledError, Scope.ACCOUNT, Mender.NOBODY),
    ("PriorRequestNotComplete", ANY, 400, ThrottledError, Scope.ACCOUNT, Mender.NOBODY),
    ("RequestLimitExceeded", ANY, 400, ThrottledError, Scope.ACCOUNT, Mender.NOBODY),
    ("RequestThrottledException", ANY, 400, ThrottledError, Scope.ACCOUNT, Mender.NOBODY),
    ("SlowDown", ANY, 503, ThrottledError, Scope.ACCOUNT, Mender.NOBODY),
    ("ThrottledException", ANY, 400, ThrottledError, Scope.ACCOUNT, Mender.NOBODY),
    ("Throttling", ANY, 400, ThrottledError, Scope.ACCOUNT, Mender.NOBODY),
    ("TooManyRequestsException", ANY, 400, ThrottledError, Scope.ACCOUNT, Mender.NOBODY),
    ("", ANY, 429, ThrottledError, Scope.ACCOUNT, Mender.NOBODY),
    ("AuthFailure", ANY, 403, UnavailableError, Scope.ACCOUNT, Mender.AWS),
    ("ExpiredTokenException", ANY, 403, UnavailableError, Scope.ACCOUNT, Mender.AWS),
    ("IncompleteSignature", ANY, 400, UnavailableError, Scope.ACCOUNT, Mender.AWS),
    ("InvalidClientTokenId", ANY, 403, UnavailableError, Scope.ACCOUNT, Mender.AWS),
    ("MissingAuthenticationToken", ANY, 403, UnavailableError, Scope.ACCOUNT, Mender.AWS),
    ("RequestExpired", ANY, 400, UnavailableError, Scope.ACCOUNT, Mender.AWS),
    ("RequestTimeTooSkewed", ANY, 400, UnavailableError, Scope.ACCOUNT, Mender.AWS),
    ("ServiceUnavailable", ANY, 503, UnavailableError, Scope.ACCOUNT, Mender.AWS),
    ("SignatureDoesNotMatch", ANY, 403, UnavailableError, Scope.ACCOUNT, Mender.AWS),
    ("UnrecognizedClientException", ANY, 403, UnavailableError, Scope.ACCOUNT, Mender.AWS),
    ("AccountSendingPausedException", ANY, 400, UnavailableError, Scope.ACCOUNT, Mender.OPERATOR),
    ("AccountSuspendedException", ANY, 400, UnavailableError, Scope.ACCOUNT, Mender.OPERATOR),
    ("OptInRequired", ANY, 403, UnavailableError, Scope.ACCOUNT, Mender.OPERATOR),
    ("SendingPausedException", ANY, 400, UnavailableError, Scope.ACCOUNT, Mender.OPERATOR),
    ("", ANY, 503, UnavailableError, Scope.ACCOUNT, Mender.AWS),
    ("InternalFailure", ANY, 500, UnknownOutcomeError, Scope.JOB, Mender.AWS),
    ("AccessDeniedException", ANY, 403, DeadLetterError, Scope.IDENTITY, Mender.OPERATOR),
    ("ConfigurationSetDoesNotExist", ANY, 400, DeadLetterError, Scope.IDENTITY, Mender.OPERATOR),
    (
        "ConfigurationSetSendingPausedException",
        ANY,
        400,
        DeadLetterError,
        Scope.IDENTITY,
        Mender.OPERATOR,
    ),
    (
        "MailFromDomainNotVerifiedException",
        ANY,
        400,
        DeadLetterError,
        Scope.IDENTITY,
        Mender.OPERATOR,
    ),
    ("UnauthorizedOperation", ANY, 403, DeadLetterError, Scope.IDENTITY, Mender.OPERATOR),
    (
        "MessageRejected",
        "Email address is not verified. The following identities",
        400,
        DeadLetterError,
        Scope.IDENTITY,
        Mender.OPERATOR,
    ),
    (
        "MessageRejected",
        "Configuration set <bounces> does not exist.",
        400,
        DeadLetterError,
        Scope.IDENTITY,
        Mender.OPERATOR,
    ),
    (
        "MessageRejected",
        "Sending is paused for this configuration set",
        400,
        DeadLetterError,
        Scope.IDENTITY,
        Mender.OPERATOR,
    ),
    (
        "MessageRejected",
        "Sending paused for this account. For more information",
        400,
        UnavailableError,
        Scope.ACCOUNT,
        Mender.OPERATOR,
    ),
    ("MessageRejected", ANY, 400, RefusedError, Scope.JOB, Mender.NOBODY),
    ("InvalidParameterValue", ANY, 400, RefusedError, Scope.JOB, Mender.NOBODY),
    ("ValidationError", ANY, 400, RefusedError, Scope.JOB, Mender.NOBODY),
    ("SomethingNew", ANY, 400, DeadLetterError, Scope.JOB, Mender.OPERATOR),
]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda row: f"{row[0]} {row[2]}".strip())
def test_each_error_has_its_outcome(expected: Expected) -> None:
    """The answer that a row is about meets this row, not one above it."""
    code, text, status, *meaning = expected
    row = row_of(code, text, status)
    assert [row.outcome, row.scope, row.mended_by] == meaning


def test_every_row_is_in_this_list_once() -> None:
    """A row that is added has to say here what becomes of the job."""
    met = [row_of(code, text, status) for code, text, status, *_ in EXPECTED]
    assert met == list(ERRORS)


def test_an_outcome_is_one_of_four() -> None:
    """Not accepted, a dead letter, refused for good, not known: the worker knows no other."""
    known = (NotAcceptedError, DeadLetterError, RefusedError, UnknownOutcomeError)
    assert all(issubclass(row.outcome, known) for row in ERRORS)


def test_the_scope_decides() -> None:
    """An error of the account is tried again; an error of one sender holds up nobody else."""
    for row in ERRORS:
        assert (row.scope is Scope.ACCOUNT) == issubclass(row.outcome, NotAcceptedError)
        assert row.scope is not Scope.IDENTITY or row.outcome is DeadLetterError


@pytest.mark.parametrize("code", [row.code for row in ERRORS if row.code])
def test_a_code_is_the_same_with_and_without_its_last_word(code: str) -> None:
    """Some APIs of SES write ThrottlingException where others write Throttling."""
    assert row_of(f"{code}Exception", ANY, 400) is row_of(code, ANY, 400)


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("Sending suspended for this account.", Scope.ACCOUNT),
        ("Email sending is disabled for this account.", Scope.ACCOUNT),
        ("Email sending has been disabled for configuration set bounces", Scope.IDENTITY),
        ("Sending paused for identity example.com", Scope.IDENTITY),
        ("configuration set bounces is paused", Scope.IDENTITY),
        ('"Configuration set"@evil.example is not an address', Scope.JOB),
        ("Invalid recipient: sending paused for configuration set", Scope.JOB),
    ],
)
def test_the_sentence_names_the_scope(text: str, scope: Scope) -> None:
    """A pause of one configuration set is not the account's; a stranger's words are neither."""
    assert row_of("MessageRejected", text, 400).scope is scope


def test_the_first_row_that_fits_counts() -> None:
    """A server error with a code of its own is that code's; any other is of unknown outcome."""
    assert row_of("AccessDenied", ANY, 500).outcome is UnknownOutcomeError
    assert row_of("Throttling", "Sending paused", 500).outcome is ThrottledError
    assert row_of("AccessDenied", ANY, 503).outcome is UnavailableError
