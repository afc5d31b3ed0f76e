"""The answers of SES as XML: for a sent bounce or mail, and for an error.

It only renders; every value it is given may be a stranger's, so every value is escaped.
"""

from dataclasses import dataclass
from xml.sax.saxutils import escape

from bouncer_sim.fake_ses.refusal import SesError

_NAMESPACE = "http://ses.amazonaws.com/doc/2010-12-01/"
_SERVER_FAULT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer: status, body and the request id SES also sends as a header.

    `error` is the code of an error that stands in a header, as in SES's second API.
    """

    status: int
    body: bytes
    request_id: str
    content_type: str = "text/xml"
    error: str = ""


def sent(message_id: str, request_id: str, action: str = "SendBounce") -> Answer:
    """Answer that the bounce, or the mail of another action, was accepted under `message_id`."""
    body = (
        f'<{action}Response xmlns="{_NAMESPACE}">\n'
        f"  <{action}Result>\n    <MessageId>{escape(message_id)}</MessageId>\n"
        f"  </{action}Result>\n"
        f"  <ResponseMetadata>\n    <RequestId>{request_id}</RequestId>\n"
        f"  </ResponseMetadata>\n</{action}Response>\n"
    )
    return Answer(status=200, body=body.encode(), request_id=request_id)


def refused(error: SesError, request_id: str) -> Answer:
    """Answer with an error; its type says whose fault it is: `Sender` below status 500."""
    status = error.code.status
    kind = "Receiver" if status >= _SERVER_FAULT else "Sender"
    body = (
        f'<ErrorResponse xmlns="{_NAMESPACE}">\n'
        f"  <Error>\n    <Type>{kind}</Type>\n    <Code>{error.code}</Code>\n"
        f"    <Message>{escape(str(error))}</Message>\n  </Error>\n"
        f"  <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n"
    )
    return Answer(status=status, body=body.encode(), request_id=request_id)
