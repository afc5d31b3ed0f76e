"""Senders whose mail SES refused a moment ago, for a cause that stops all of their mail alike.

Asking SES for each of their jobs would cost a second each, in which jobs of other senders wait.
"""

KEPT_S = 60.0


class RefusedIdentities:
    """The refusal of each sender, kept for a minute; times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._refusals: dict[str, tuple[float, Exception]] = {}

    def note(self, identity: str, error: Exception, *, at: float) -> None:
        """Keep SES's refusal of a sender, by the `identity` that it sends as."""
        self._refusals[identity] = (at, error)

    def refusal(self, identity: str, *, at: float) -> Exception | None:
        """Return the refusal of a sender, if it was less than a minute ago."""
        known = self._refusals.get(identity)
        if known is None:
            return None
        if at - known[0] >= KEPT_S:
            del self._refusals[identity]
            return None
        return known[1]


def identity(mailbox: str, arn: str | None) -> str:
    """Return the name by which a sender is known: its mailbox, and whose identity verifies it."""
    return f"{mailbox.lower()} {arn or ''}"
