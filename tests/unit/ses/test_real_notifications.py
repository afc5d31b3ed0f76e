"""Our notification against eight real ones of SES: same parts, same fields, same order."""

import email
from email.message import Message
from pathlib import Path

import pytest

from bouncer_sim.fake_ses.dsn import write
from bouncer_sim.fake_ses.send_bounce_request import BouncedRecipient, BounceType, SendBounceRequest
from bouncer_sim.fake_ses.ses_account import ReceivedMail

CORPUS = (
    Path(__file__).parents[4] / "shared/corpus/set-of-emails/maildir/bsd"
)  # beside the repository, where it is kept at all
# Added on the way by the sending host and by the receiver.
ADDED_LATER = {"Received", "DKIM-Signature", "X-SenderID", "Authentication-Results"}
BY_STATUS = {
    "5.1.1": BounceType.DOES_NOT_EXIST,
    "4.0.0": BounceType.TEMPORARY_FAILURE,
    "5.2.2": BounceType.EXCEEDED_QUOTA,
    "5.3.4": BounceType.MESSAGE_TOO_LARGE,
    "5.6.1": BounceType.CONTENT_REJECTED,
}


def _real_notifications() -> list[Path]:
    return sorted(CORPUS.glob("lhost-receivingses-*.eml"))


pytestmark = pytest.mark.skipif(
    not _real_notifications(), reason=f"no real notifications of SES in {CORPUS}"
)


def _subparts(message: Message) -> list[Message]:
    found = message.get_payload()
    assert isinstance(found, list)
    return [part for part in found if isinstance(part, Message)]


def _headers_as_lf(part: Message) -> str:
    """Return a part's text; one of the eight files has CRLF line ends."""
    return str(part.get_payload()).replace("\r\n", "\n")


def _ours_like(real: Message) -> Message:
    """Write the notification for the same recipient, sender, codes and headers as a real one."""
    _, status, headers = _subparts(real)
    per_message, per_recipient = _subparts(status)[:2]
    recipient = str(per_recipient["Final-Recipient"]).removeprefix("rfc822; ")
    reason = BY_STATUS.get(str(per_recipient["Status"]), BounceType.UNDEFINED)
    arrival = email.utils.parsedate_to_datetime(str(per_message["Arrival-Date"]))
    sent_at = email.utils.parsedate_to_datetime(str(real["Date"]))
    mail_headers = headers.get_payload(decode=True)
    assert isinstance(mail_headers, bytes)
    dsn = write(
        SendBounceRequest(
            original_message_id="x",
            bounce_sender=str(real["From"]),
            explanation=None,
            message_dsn=None,
            recipients=(BouncedRecipient(recipient=recipient, reason=reason),),
        ),
        ReceivedMail(
            message_id="x",
            sender=str(real["To"]),
            recipients=(recipient,),
            received_at=arrival.timestamp(),
            headers=mail_headers,
        ),
        bounce_id=str(real["Message-ID"]).strip("<>").partition("@")[0],
        region="us-west-2",
        at=sent_at.timestamp(),
    )
    return email.message_from_bytes(dsn)


@pytest.fixture(params=_real_notifications(), ids=lambda path: path.stem)
def pair(request: pytest.FixtureRequest) -> tuple[Message, Message]:
    """Return a real notification and ours for the same case."""
    real = email.message_from_bytes(Path(request.param).read_bytes())
    return real, _ours_like(real)


def test_header_fields_are_the_same(pair: tuple[Message, Message]) -> None:
    """The same names and, but for ids of SES's own, the same values and order."""
    real, ours = pair
    names = [name for name in real.keys() if name not in ADDED_LATER]  # noqa: SIM118 - not a dict
    assert names[:8] == ours.keys()[:8]
    assert set(names) == set(ours.keys())
    for name in names[:7]:
        assert ours[name] == real[name]
    assert str(ours["Feedback-ID"]).split(".")[:2] == str(real["Feedback-ID"]).split(".")[:2]


def test_parts_are_the_same(pair: tuple[Message, Message]) -> None:
    """Same types, encodings, descriptions and charset, in the same order."""
    real, ours = ([part.items() for part in _subparts(message)] for message in pair)
    assert ours == real


def test_text_and_returned_headers_are_the_same(pair: tuple[Message, Message]) -> None:
    """The standard sentence and the original's headers, to the last line break."""
    (real_text, _, real_headers), (our_text, _, our_headers) = map(_subparts, pair)
    assert our_text.get_payload() == real_text.get_payload()
    assert _headers_as_lf(our_headers) == _headers_as_lf(real_headers)


def test_status_fields_are_the_same(pair: tuple[Message, Message]) -> None:
    """Same DSN fields in the same order; same values where a bounce type has those codes."""
    real, ours = (
        [block.items() for block in _subparts(_subparts(message)[1]) if block.items()]
        for message in pair
    )
    names = [[name for name, _ in block] for block in real]
    assert [[name for name, _ in block] for block in ours] == names
    if dict(real[1])["Status"] in BY_STATUS:
        assert ours == real
