"""The claim of one push to write documents: the parameter `pushing`, taken, renewed and given back.

While it exists, no half of what is pushed is in force. SSM has no conditional write, so every write
is compared with the version that it makes, and the claim is looked at before every few documents.
"""

from collections.abc import Iterator
from datetime import timedelta

from bouncer.errors import BouncerError, DocumentError
from bouncer.publishing.pushing import (
    LONGEST,
    Pushing,
    pushing_document,
    pushing_state,
    read_pushing,
)
from bouncer.sources.source import Document
from bouncer_cli.operations.parameter_calls import ParameterCalls, Stored
from bouncer_sim.clock import Clock, now

_RENEWED_AFTER = timedelta(minutes=10)


class ClaimError(BouncerError):
    """Somebody else pushes; the text says who, and what to do."""


class PushingClaim:
    """The claim of the push `name` by `by`, "" if nobody knows who calls."""

    def __init__(
        self, calls: ParameterCalls, parameter: str, *, name: str, by: str, clock: Clock
    ) -> None:
        self._calls = calls
        self.parameter = parameter
        self._name = name
        self._by = by
        self._clock = clock
        self._version = 0
        self._text = ""
        self._renew_at = now(clock)

    @property
    def taken(self) -> bool:
        """True as soon as the parameter is known to be written."""
        return bool(self._version)

    def expect_free(self, found: Document | None) -> Iterator[str]:
        """Yield a sentence about a push that this one takes over; raises `ClaimError`.

        One is taken over if it has expired, is ours, or is of the same documents.
        """
        if found is None:
            return
        since = f"{found.modified:%Y-%m-%d %H:%M} UTC" if found.modified else "some time ago"
        lasts, _ = pushing_state(found, now(self._clock))
        pushing = _read(found)
        by = (pushing and pushing.by) or "somebody"
        if lasts and not self._is_ours(pushing):
            raise ClaimError(
                f"{found.label}: found a push by {by}, at work at {since}, expected none: wait "
                "until it ends, at the latest 30 minutes after that; if it was given up, run "
                f"aws ssm delete-parameter --name {found.label}"
            )
        yield f"goes on:   with the push by {by} that was at work at {since} and has not ended"

    def take(self, found: Document | None) -> None:
        """Write the parameter in place of the one that was found; raises `ClaimError`."""
        if found is None:
            self._version = self._calls.create(self.parameter, self._new_text())
        else:
            self._overwrite(int(found.version))
        if not self._version:
            raise self._lost()
        self._renew_at = now(self._clock) + _RENEWED_AFTER

    def keep(self, found: Stored | None) -> None:
        """Look whether the parameter, as it was read just now, is ours still; renew it in time.

        Raises `ClaimError` if it is not.
        """
        if found is None:  # or SSM does not show it yet
            self._clock.sleep(1)
            found = self._calls.read([self.parameter]).get(self.parameter)
        if found is None or found.version > self._version:
            raise self._lost()
        if now(self._clock) >= self._renew_at:
            self._overwrite(self._version)
            self._renew_at = now(self._clock) + _RENEWED_AFTER

    def give_back(self) -> None:
        """Delete the parameter if it is ours still; raises `ClaimError` if it is not."""
        self.keep(self._calls.read([self.parameter]).get(self.parameter))
        self._calls.delete([self.parameter])

    def abandon(self) -> None:
        """Delete the parameter if it has our text, even if nobody heard that it was written."""
        found = self._calls.read([self.parameter]).get(self.parameter)
        if found is not None and found.text == self._text:
            self._calls.delete([self.parameter])

    def _overwrite(self, version: int) -> None:
        """Write the next version; raises `ClaimError` if somebody else wrote one before it."""
        self._version = self._calls.overwrite(self.parameter, self._new_text())
        if self._calls.others(self.parameter, (version, self._version), self._text):
            raise self._lost()

    def _new_text(self) -> str:
        pushing = Pushing(self._name, self._by, now(self._clock) + LONGEST)
        self._text = pushing_document(pushing)
        return self._text

    def _is_ours(self, found: Pushing | None) -> bool:
        return found is not None and (found.id == self._name or found.by == self._by != "")

    def _lost(self) -> ClaimError:
        return ClaimError(
            f"{self.parameter}: found that it was changed or deleted meanwhile, expected nobody "
            "else to push: find out who does, then push again"
        )


def _read(document: Document) -> Pushing | None:
    try:
        return read_pushing(document)
    except DocumentError:
        return None
