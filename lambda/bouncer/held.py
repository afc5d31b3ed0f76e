"""The state in which no bounce is sent: since when, by whom and why.

Sending is held by the document `held`, which `bouncer pause` writes and `bouncer resume` removes,
or by `sending: paused` in the settings. Both are one state. Jobs then wait in the queue; after 12
hours the intake makes no further ones and lets mail go on that it would have bounced, because a job
of a later mail would hardly be sent within its 24 hours.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

GOES_ON_AFTER = timedelta(hours=12)  # held for so long, mail goes on that would be bounced


class Held(NamedTuple):
    """One cause for which no bounce is sent; `document` is the parameter that says so.

    `since` is aware. None is a start that nobody knows, and counts as long ago.
    """

    since: datetime | None
    by: str
    why: str
    document: str

    def is_long(self, now: datetime) -> bool:
        """Tell whether mail goes on that would be bounced, as sending is held for 12 hours."""
        return self.since is None or now - self.since >= GOES_ON_AFTER

    def __str__(self) -> str:
        """Return the state in words for an operator."""
        since = f"since {shown_time(self.since)}" if self.since else "since an unknown time"
        return f"sending is held {since} by {self.by}{f' ({self.why})' if self.why else ''}"


def first_held(causes: Iterable[Held]) -> Held | None:
    """Return the cause that began first; one whose start is not known began before all others."""
    long_ago = datetime.min.replace(tzinfo=UTC)
    return min(causes, key=lambda held: held.since or long_ago, default=None)


def shown_time(moment: datetime) -> str:
    """Return a time for people, in UTC and to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
