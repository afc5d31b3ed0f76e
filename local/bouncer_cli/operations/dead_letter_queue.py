"""The dead-letter queues: looked at without disturbing them, put back one by one, or deleted.

A look makes messages invisible for a short time and then visible again. Nothing is ever received
from the queues of jobs and replies. SQS shows at most ten messages of one group; the dead letters
of version 0.1.0 all have the same group.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from bouncer.errors import BouncerError
from bouncer.function_limits import LEDGER_KEY_NAME
from bouncer.reporting.message_count import message_count
from bouncer.sending.job_item import job_key
from bouncer.sending.queue import GROUP
from bouncer.sending.write import text_of
from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.operations.dead_letter import DeadLetter, LedgerEnd, dead_letter
from bouncer_cli.operations.kept_letters import KeptLetters
from bouncer_cli.operations.operated_deployment import OperatedDeployment
from bouncer_cli.operations.reply_ends import ReplyEnds

MOST_LETTERS = 2000  # of one look: those after them are counted only
_WAIT_S = 1  # so that SQS asks all of its servers
_HIDDEN_S = 120  # for as long a look may take; then messages come back by themselves
_AT_ONCE = 10  # messages of one call (SQS API reference, ReceiveMessage)
_MOST_KEYS = 100  # of one BatchGetItem

# A letter that was acted upon, and the error if it could not be.
Result = tuple[DeadLetter, BouncerError | None]


@dataclass(frozen=True, slots=True)
class _Place:
    """A dead-letter queue, and the queue that its letters are put back to."""

    dead_url: str
    url: str
    is_of_replies: bool


class DeadLetterQueue:
    """The dead letters of one deployment; methods raise what `OperatedAccount.do` raises."""

    def __init__(self, deployment: OperatedDeployment) -> None:
        self._account = deployment.account
        self._places = [_Place(deployment.dead_letter_url, deployment.queue_url, False)]
        if deployment.reply_dead_letter_url:
            urls = (deployment.reply_dead_letter_url, deployment.reply_queue_url)
            self._places.append(_Place(*urls, True))
        self._ledger = deployment.ledger
        self._kept = KeptLetters(deployment)
        self._reply_ends = ReplyEnds(deployment)

    def count(self) -> int:
        """Return the number of dead letters, as SQS counts them: approximately."""
        answers = [
            self._account.do(
                "sqs", "get_queue_attributes", QueueUrl=each.dead_url, AttributeNames=["All"]
            )
            for each in self._places
        ]
        return sum(message_count(answer.get("Attributes", {})) for answer in answers)

    def letters(self) -> list[DeadLetter]:
        """Return the dead letters that the queue shows now."""
        found: list[DeadLetter] = []
        try:
            for place in self._places:
                found.extend(self._received(place))
        finally:
            self._show_again(found)
        return found

    def kept(self) -> list[DeadLetter]:
        """Return the dead letters that the ledger keeps, as the queue has refused them so far."""
        return self._kept.letters()

    def with_ends(self, letters: list[DeadLetter]) -> list[DeadLetter]:
        """Return the letters with their ends in the ledger, where it has one."""
        jobs = [each for each in letters if not each.is_reply]
        keys = list(dict.fromkeys(job_key(origin) for each in jobs for origin in each.origins))
        ends: dict[str, LedgerEnd] = {}
        for start in range(0, len(keys), _MOST_KEYS):
            ends |= self._ends(keys[start : start + _MOST_KEYS])
        ended = [
            replace(
                each, end=next((ends[k] for k in map(job_key, each.origins) if k in ends), None)
            )
            for each in jobs
        ]
        return [*ended, *self._reply_ends.of(each for each in letters if each.is_reply)]

    def put_back(self, wanted: Iterable[DeadLetter]) -> Iterator[Result]:
        """Put dead letters back to their queue, then delete them; yield each as soon as it is done.

        The body keeps its 24 hours. One that was put back and could not be deleted is put back
        again the next time. The queue of jobs takes it once within five minutes, and after that the
        ledger withholds it as a duplicate. A reply whose first copy was sent is `replied_before`.
        """
        return self._each(wanted, self._put_back)

    def delete(self, wanted: Iterable[DeadLetter]) -> Iterator[Result]:
        """Delete dead letters; yield each as soon as it is done."""
        return self._each(wanted, self._delete)

    def _each(
        self, wanted: Iterable[DeadLetter], act: Callable[[DeadLetter], None]
    ) -> Iterator[Result]:
        letters = list(wanted)
        yield from (_acted(letter, act) for letter in letters if letter.kept)
        for place in self._places:
            mine = (each for each in letters if each.is_reply == place.is_of_replies)
            yield from self._each_of(place, {each.id for each in mine if not each.kept}, act)

    def _each_of(
        self, place: _Place, ids: set[str], act: Callable[[DeadLetter], None]
    ) -> Iterator[Result]:
        left = []
        try:
            for letter in self._received(place) if ids else ():
                if letter.id not in ids:
                    left.append(letter)
                    continue
                _, error = _acted(letter, act)
                if error:
                    left.append(letter)
                yield letter, error
        finally:
            self._show_again(left)

    def _put_back(self, letter: DeadLetter) -> None:
        order = {"MessageGroupId": GROUP, "MessageDeduplicationId": f"retry-{letter.id}"}
        self._account.do(
            "sqs",
            "send_message",
            QueueUrl=self._place(letter).url,
            MessageBody=letter.body,
            **({} if letter.is_reply else order),
        )
        self._delete(letter)

    def _place(self, letter: DeadLetter) -> _Place:
        return next(each for each in self._places if each.is_of_replies == letter.is_reply)

    def _delete(self, letter: DeadLetter) -> None:
        if letter.kept:
            self._kept.forget(letter)
            return
        url = self._place(letter).dead_url
        self._account.do("sqs", "delete_message", QueueUrl=url, ReceiptHandle=letter.handle)

    def _received(self, place: _Place) -> Iterator[DeadLetter]:
        """Yield each message once; those of one call are acted upon before the next call."""
        seen: set[str] = set()
        while len(seen) < MOST_LETTERS:
            answer = self._account.do(
                "sqs",
                "receive_message",
                QueueUrl=place.dead_url,
                MaxNumberOfMessages=_AT_ONCE,
                VisibilityTimeout=_HIDDEN_S,
                WaitTimeSeconds=_WAIT_S,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            new = [each for each in answer.get("Messages", []) if each["MessageId"] not in seen]
            if not new:
                return
            seen |= {each["MessageId"] for each in new}
            yield from (dead_letter(each, is_reply=place.is_of_replies) for each in new)

    def _show_again(self, letters: list[DeadLetter]) -> None:
        """Make messages visible at once; what fails comes back by itself in two minutes."""
        for place in self._places:
            mine = [each for each in letters if each.is_reply == place.is_of_replies]
            self._show_again_in(place.dead_url, mine)

    def _show_again_in(self, url: str, letters: list[DeadLetter]) -> None:
        for start in range(0, len(letters), _AT_ONCE):
            entries = [
                {"Id": str(index), "ReceiptHandle": each.handle, "VisibilityTimeout": 0}
                for index, each in enumerate(letters[start : start + _AT_ONCE])
            ]
            self._account.do(
                "sqs",
                "change_message_visibility_batch",
                QueueUrl=url,
                Entries=entries,
            )

    def _ends(self, keys: list[str]) -> dict[str, LedgerEnd]:
        asked = {"Keys": [{LEDGER_KEY_NAME: {"S": key}} for key in keys]}
        answer = self._account.do("dynamodb", "batch_get_item", RequestItems={self._ledger: asked})
        items = answer.get("Responses", {}).get(self._ledger, [])
        return {item[LEDGER_KEY_NAME]["S"]: _end(item) for item in items}


def _acted(letter: DeadLetter, act: Callable[[DeadLetter], None]) -> Result:
    try:
        act(letter)
    except (NotFoundError, UnavailableError) as error:
        return letter, error
    return letter, None


def _end(item: dict[str, Any]) -> LedgerEnd:
    state, outcome, reason = (text_of(item, name) for name in ("state", "outcome", "reason"))
    return LedgerEnd(state=state, outcome=outcome, reason=reason)
