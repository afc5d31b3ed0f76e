"""Writes the changes of a plan into SSM under the claim `pushing`, never over another's change.

Whatever stops it, the claim stays once a document was written: no half of the plan is in force, and
pushing again completes it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice

from bouncer.errors import BouncerError
from bouncer.sources.source import Document
from bouncer_cli.operations.parameter_calls import NAMES_A_CALL, ParameterCalls, Stored
from bouncer_cli.operations.push_plan import Change
from bouncer_cli.operations.pushing_claim import PushingClaim

_BATCH = NAMES_A_CALL - 1  # the claim is read with them


class ChangedMeanwhileError(BouncerError):
    """Documents were changed in SSM since they were compared; the text names them."""


class Push:
    """One push: `written` counts the changes made, `remarks` says what it wrote over.

    `begun` is true as soon as a part of the changes may be written. `progress` is called after
    each.
    """

    def __init__(
        self,
        calls: ParameterCalls,
        claim: PushingClaim,
        *,
        prefix: str,
        progress: Callable[[], object],
    ) -> None:
        self._calls = calls
        self._claim = claim
        self._prefix = prefix
        self._progress = progress
        self.begun = False
        self._left = False  # the claim, though nothing followed it
        self.written = 0
        self.remarks: list[str] = []

    def run(self, changes: tuple[Change, ...], found: Document | None) -> None:
        """Take the claim in place of the one that was found, make all changes, and give it back.

        Raises `ChangedMeanwhileError`, `ClaimError` and `UnavailableError`. If it stops before the
        first change it gives the claim back as well.
        """
        self.begun = found is not None
        try:
            self._claim.take(found)
            self._write(changes)
            self._claim.give_back()
        except BaseException:
            if not self.begun:
                self._left = self._claim.taken
                with suppress(BouncerError):
                    self._claim.abandon()
                    self._left = False
            raise

    def _write(self, changes: tuple[Change, ...]) -> None:
        left = iter(changes)
        while batch := tuple(islice(left, _BATCH)):
            found = self._calls.read([self._claim.parameter, *map(self._parameter, batch)])
            self._claim.keep(found.get(self._claim.parameter))
            to_do = self._to_do(batch, found)
            self.begun |= bool(to_do)
            for change in to_do:
                if change.text is not None:
                    self._put(change, change.text)
                    self._count(1)
            if removed := [self._parameter(each) for each in to_do if each.text is None]:
                self._calls.delete(removed)
                self._count(len(removed))

    def _to_do(self, batch: tuple[Change, ...], found: Mapping[str, Stored]) -> list[Change]:
        """Return the changes that are not made yet; raises `ChangedMeanwhileError`."""
        to_do = []
        others = []
        for change in batch:
            stored = found.get(self._parameter(change))
            if (stored.text if stored else None) == change.text:
                self._count(1)
            elif (stored.version if stored else 0) == change.version:
                to_do.append(change)
            else:
                others.append(change)
        if others:
            raise ChangedMeanwhileError("\n".join(map(self._changed, others)))
        return to_do

    def _put(self, change: Change, text: str) -> None:
        parameter = self._parameter(change)
        if change.old is None:
            if not self._calls.create(parameter, text):
                raise ChangedMeanwhileError(self._changed(change))
            return
        version = self._calls.overwrite(parameter, text)
        for other in self._calls.others(parameter, (change.version, version), text):
            self.remarks.append(
                f"{parameter}: version {other.number} by {other.by or 'somebody'} was written at "
                "the same moment, and this push wrote over it; its text is in aws ssm "
                f"get-parameter-history --name {parameter}"
            )

    def _changed(self, change: Change) -> str:
        parameter = self._parameter(change)
        by = self._calls.last_writer(parameter) or "somebody"
        expected = f"version {change.version}" if change.version else "no such parameter"
        return f"{parameter}: found a change by {by} since it was compared, expected {expected}"

    def _count(self, number: int) -> None:
        self.written += number
        for _ in range(number):
            self._progress()

    def _parameter(self, change: Change) -> str:
        return f"{self._prefix}/{change.name}"

    def stopped(self, total: int) -> Iterator[str]:
        """Yield what a push that did not end has done, and how to complete it."""
        if self._left:
            yield (
                f"no rule or list was changed, but {self._claim.parameter} is still there: push "
                f"again, or run aws ssm delete-parameter --name {self._claim.parameter}"
            )
            return
        if not self.begun:
            yield "nothing was changed"
            return
        yield f"{self.written:,} of {total:,} changes are written, and none of them is in force"
        yield "push again to complete them; until then the rules stay as they are, for 30 minutes"
