"""Forgets a sender: finds and deletes what the ledger has about an address.

Lines of the journal can't be deleted one by one, so it also says where they are, and until when.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bouncer.function_limits import LEDGER_KEY_NAME
from bouncer.held import shown_time
from bouncer.mail.rewritten_sender import normal_sender, verp_recipients
from bouncer.sending import counters, lease, reply_item, suppression
from bouncer.sending.bounce_event import Kind
from bouncer.sending.digest import Salt
from bouncer.sending.write import KEPT, Item, text, text_of
from bouncer_cli.operations.operated_account import OperationError
from bouncer_cli.operations.operated_deployment import OperatedDeployment
from bouncer_infra.deployment_settings import DeploymentSettings

_RECOVERY_DAYS = 35  # DynamoDB's default (RecoveryPeriodInDays)
_WHY: Mapping[str, str] = {
    Kind.PERMANENT: "a bounce to it bounced for good",
    Kind.COMPLAINT: "a bounce to it was reported as spam",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptQueue:
    """A queue of a deployment: its name in the template, what it holds, and for how long."""

    construct: str
    holds: str
    days: int


def queues(settings: DeploymentSettings) -> Iterator[KeptQueue]:
    """Yield all queues of a deployment with these settings; each holds addresses in full."""
    yield KeptQueue(construct="BounceQueue", holds="jobs", days=7)
    yield KeptQueue(construct="BounceQueueDeadLetters", holds="dead letters", days=14)
    yield KeptQueue(construct="FeedbackQueue", holds="events of bounces", days=14)
    yield KeptQueue(construct="FeedbackDeadLetters", holds="dead letters of these", days=14)
    if settings.reply_senders:
        yield KeptQueue(construct="RepliesQueue", holds="replies", days=7)
        yield KeptQueue(construct="RepliesDeadLetters", holds="dead replies", days=14)
    if settings.invocation == "event":
        yield KeptQueue(construct="FailedEventsQueue", holds="failed events", days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The items of the ledger about one sender; `address` is the form in which it is counted.

    If that depends on whom the sender wrote to (VERP), it is for a mail to `recipient`.
    """

    address: str
    recipient: str
    suppressed: Item
    logs: Sequence[Item]
    replies: Item

    def lines(self, days: int) -> Iterator[str]:
        """Yield what the ledger has; suppression lasts so many days."""
        yield f"address:    {self.address}"
        if self.recipient:
            yield f"            in mail to {self.recipient}"
        since = suppression.suppressed_since(self.suppressed)
        if since is not None:
            why = text_of(self.suppressed, "why") or Kind.PERMANENT
            yield f"suppressed: since {shown_time(since)}, as {_WHY.get(why, why)}"
            until = f"until {shown_time(since + timedelta(days=days))}"
            yield f"            {until if days else 'without effect, as suppression is off'}"
        if self.logs:
            count = sum(len(item) - 2 for item in self.logs)  # all but key and expiry
            yield f"counted:    {count} entries in {len(self.logs)} items of the caps"
        if self.replies:
            count = len(self.replies) - 2
            yield f"replies:    the last {_of_rules(count)}"
        if not self.keys:
            yield "            the ledger has nothing about it"

    @property
    def keys(self) -> list[str]:
        """The keys of all items."""
        return [text_of(item, LEDGER_KEY_NAME) for item in self._items if item]

    @property
    def _items(self) -> Sequence[Item]:
        return (self.suppressed, *self.logs, self.replies)


def remembered(deployment: OperatedDeployment, address: str) -> list[Remembered]:
    """Return what the ledger has about a sender, in each form that has items; one if none has.

    Raises what `OperatedAccount.do` raises.
    """
    if not deployment.ledger:
        raise OperationError(
            f"stack {deployment.stack.name}: found no table, expected the ledger: run cdk deploy"
        )
    found = _read(deployment, [lease.LEASE])
    salt = lease.salt(found.get(lease.LEASE, {}))
    plain, *verp = [
        _remembered(deployment, address, recipient, salt) for recipient in _recipients(address)
    ]
    return [each for each in (plain, *verp) if each.keys] or [plain]


def forget(deployment: OperatedDeployment, keys: Iterable[str]) -> None:
    """Delete items of the ledger; one that is gone already makes no difference."""
    for key in keys:
        deployment.account.do(
            "dynamodb",
            "delete_item",
            TableName=deployment.ledger,
            Key={LEDGER_KEY_NAME: text(key)},
        )


def _recipients(address: str) -> list[str]:
    """Return "", and a recipient for each further form that a sender has in a mail to somebody."""
    forms: dict[str, str] = {}
    for recipient in ("", *verp_recipients(address)):
        forms.setdefault(normal_sender(address, filter(None, [recipient])), recipient)
    return list(forms.values())


def _remembered(
    deployment: OperatedDeployment, address: str, recipient: str, salt: Salt
) -> Remembered:
    recipients = (recipient,) if recipient else ()
    sender = normal_sender(address, recipients)
    form = suppression.suppressed_form(address, recipients)
    suppressed = suppression.suppressed_key(salt.digest(form))
    logs = [counters.sender_key(sender, salt), *counters.log_keys(sender, salt)]
    replies = reply_item.reply_key(sender, salt)
    items = _read(deployment, [suppressed, *logs, replies])
    return Remembered(
        address=sender,
        recipient=recipient,
        suppressed=items.get(suppressed, {}),
        logs=[items[key] for key in logs if key in items],
        replies=items.get(replies, {}),
    )


def _of_rules(count: int) -> str:
    return "one of 1 rule" if count == 1 else f"ones of {count} rules"


def elsewhere(settings: DeploymentSettings) -> Iterator[str]:
    """Yield which other places may have an address, and for how long, by the settings."""
    yield f"journal:    lines in the log groups go after {settings.log_days} days"
    if settings.archive:
        yield f"archive:    journal and SES's events go after {settings.archive_days} days"
    if settings.analyses:
        yield "            answers of Athena go after 30 days"
    if settings.store:
        yield f"mail:       stored mail goes after {_days(settings.store.days)}"
        yield f"            stopped mail goes after {_days(settings.stopped_days)}"
    label = "queues:"
    for queue in queues(settings):
        yield f"{label:<12}{queue.holds} go after {queue.days} days"
        label = ""
    yield "rules:      rules and lists that name it stay in SSM and in the bucket of"
    yield "            revisions until somebody deletes them there"
    yield f"ledger:     dead jobs that their queue refused go after {KEPT.days} days"
    if settings.ledger_recovery:
        yield f"            copies of the table for recovery go after {_RECOVERY_DAYS} days"
    yield "            single lines can't be deleted there; the setting journal masks or"
    yield "            hashes addresses in new lines of the journal"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _read(deployment: OperatedDeployment, keys: list[str]) -> dict[str, Any]:
    asked = {"Keys": [{LEDGER_KEY_NAME: text(key)} for key in keys], "ConsistentRead": True}
    found: dict[str, Any] = {}
    requests: Any = {deployment.ledger: asked}
    while requests:  # a key that DynamoDB did not process is not missing
        answer = deployment.account.do("dynamodb", "batch_get_item", RequestItems=requests)
        items = answer.get("Responses", {}).get(deployment.ledger, [])
        found |= {text_of(item, LEDGER_KEY_NAME): item for item in items}
        requests = answer.get("UnprocessedKeys")
    return found
