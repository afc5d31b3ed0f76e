"""One look at a deployment's dead letters, and the choice that an operator makes among them."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.operations.dead_letter import DeadLetter
from bouncer_cli.operations.dead_letter_queue import DeadLetterQueue, Result
from bouncer_cli.operations.operated_account import OperationError, sentence
from bouncer_cli.operations.operated_deployment import OperatedDeployment

KEY = "a reference, or the beginning of a queue message's id, as bouncer jobs list shows them"


class DeadLetterLook:
    """The letters that could be seen at `now`, with their ends, and remarks on what could not.

    `margin` is the `expiry_margin` of the settings in force.
    """

    def __init__(self, deployment: OperatedDeployment, now: datetime) -> None:
        self.now = now
        self.margin = timedelta(seconds=deployment.loaded().settings.expiry_margin_s)
        self.queue = DeadLetterQueue(deployment)
        self.remarks: list[str] = []
        shown = self.queue.letters()
        self.remarks += self._hidden(len(shown))
        self.letters = sorted(self._with_ends([*shown, *self._kept()]), key=_age)

    def _with_ends(self, letters: list[DeadLetter]) -> list[DeadLetter]:
        try:
            return self.queue.with_ends(letters)
        except (NotFoundError, UnavailableError) as error:
            self.remarks.append(f"the ends of these jobs are not shown: {sentence(error)}")
            return letters

    def _kept(self) -> list[DeadLetter]:
        try:
            letters = self.queue.kept()
        except (NotFoundError, UnavailableError) as error:
            self.remarks.append(f"dead letters in the ledger are not shown: {sentence(error)}")
            return []
        if letters:
            self.remarks.append(
                f"{len(letters)} of these are kept in the ledger, because the dead-letter queue "
                "refused them: the worker puts them there with its next jobs, once it takes them"
            )
        return letters

    def _hidden(self, seen: int) -> Iterator[str]:
        hidden = self.queue.count() - seen
        if hidden > 0:
            yield (
                f"{seen} shown, about {hidden} not: SQS shows at most ten of one "
                "message group, and the dead letters of version 0.1.0 share one. Retry or drop "
                "those shown, then run this command again"
            )

    def called(self, keys: Iterable[str]) -> list[DeadLetter]:
        """Return the letters that an operator names; raises `OperationError` for another name.

        A reference may name several: the same job can be a dead letter more than once.
        """
        found: dict[str, DeadLetter] = {}
        for key in keys:
            called = [each for each in self.letters if key and each.is_called(key)]
            if not called:
                raise OperationError(f"{key}: found no such dead letter, expected {KEY}")
            if len({each.name for each in called}) > 1:
                raise OperationError(f"{key}: found {len(called)} dead letters, expected one")
            found |= {each.id: each for each in called}
        return list(found.values())

    def of_identity(self, identity: str) -> list[DeadLetter]:
        """Return the letters that are sent from an address or a domain."""
        return [each for each in self.letters if each.sends_as(identity)]

    def expired(self) -> list[DeadLetter]:
        """Return the letters whose 24 hours are over."""
        return [each for each in self.letters if each.is_expired(self.now, self.margin)]

    def refusal(self, letter: DeadLetter) -> str:
        """Return the reason not to put a letter back, or "" if it can be."""
        if letter.job is None:
            return f"{letter.problem}: deploy the version that wrote it, then retry it there"
        if letter.is_expired(self.now, self.margin):
            return "its 24 hours are over, so that SES would refuse it: drop it instead"
        return ""


def _age(letter: DeadLetter) -> float:
    """Return the time of its mail, by which letters are sorted; what is not a job is first."""
    return letter.job.received_at.timestamp() if letter.job else 0.0


def results_in_words(
    letters: Iterable[DeadLetter],
    results: Iterable[Result],
    verb: str,
) -> Iterator[tuple[bool, str]]:
    """Yield whether a letter was acted upon and the sentence that says so, as results come.

    Letters without a result were not seen again: somebody else may have received them.
    """
    missed = {each.id: each for each in letters}
    for letter, error in results:
        del missed[letter.id]
        failure = f"not {verb}: {sentence(error)}" if error else verb
        yield error is None, f"{letter.name}: {failure}"
    for letter in missed.values():
        yield False, f"{letter.name}: not {verb}: it could not be received again; run this again"
