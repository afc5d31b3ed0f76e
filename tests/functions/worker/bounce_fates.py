"""Events of SES about bounces of ours, for tests."""

import json

from bouncer.sending.bounce_event import BounceEvent, Kind

OURS = "bounces@example.com"


def event_of(bounce_id: str, kind: Kind, source: str = OURS) -> BounceEvent:
    """The event that tells what became of a bounce."""
    return BounceEvent(kind=kind, mail_id=bounce_id, source=source)


def event_text(bounce_id: str, kind: Kind, source: str = OURS) -> str:
    """The same event, as EventBridge puts it into the queue."""
    complained = kind is Kind.COMPLAINT
    mail = {"messageId": bounce_id, "source": source, "destination": ["eve@partner.example"]}
    fate = {"complaint": {}} if complained else {"bounce": {"bounceType": kind.capitalize()}}
    return json.dumps(
        {
            "version": "0",
            "id": "e0",
            "detail-type": "Email Complaint Received" if complained else "Email Bounced",
            "source": "aws.ses",
            "account": "111122223333",
            "detail": {"eventType": "Bounce", "mail": mail, **fate},
        }
    )
