"""The stopped mails of a deployment, as its mail bucket has them: listed, described and read.

Their keys say when a mail came and which references it has; their metadata says the rest.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError

from bouncer.sources.stopped_mail import STOPPED, StoppedMail, key_of_time, read_key, with_metadata
from bouncer_cli.doctor.account import NotFoundError
from bouncer_cli.operations.operated_account import OperatedAccount, OperationError
from bouncer_cli.operations.operated_deployment import OperatedDeployment

T = TypeVar("T")
R = TypeVar("R")

_SHORTEST_ID = 8  # characters of a message id that name a mail
KEY = (
    f"the reference of a bounce, or the beginning ({_SHORTEST_ID} characters or more) of a message "
    "id"
)
_AT_ONCE = 10  # calls of S3, as many as a client has connections


class StoredObject(NamedTuple):
    """One object of the mail bucket; of a stopped mail, `mail` is what is known of it."""

    key: str
    size: int
    mail: StoppedMail | None

    @property
    def stopped(self) -> StoppedMail:
        """The mail, of an object that is one."""
        if self.mail is None:
            raise ValueError(self.key)
        return self.mail


class StoppedMails:
    """The stopped mails in the mail bucket of a deployment; methods raise what `do` raises."""

    def __init__(self, deployment: OperatedDeployment) -> None:
        if not deployment.mail_bucket:
            raise OperationError(
                f"stack {deployment.stack.name}: found no mail bucket, expected one that keeps "
                "stopped mail: take store: false out of cdk.json, and run cdk deploy"
            )
        self.account = deployment.account
        self.bucket = deployment.mail_bucket

    def between(self, since: datetime, until: datetime) -> list[StoredObject]:
        """Return the stopped mails that were received in this time, the oldest first."""
        listed = stored_objects(self.account, self.bucket, STOPPED, after=key_of_time(since))
        return [each for each in listed if each.mail and each.mail.received_at < until]

    def described(self, objects: Iterable[StoredObject]) -> Iterator[StoredObject]:
        """Yield mails with what their metadata says, in their order; those that are gone not."""
        for found in at_once(self._described, objects):
            if found is not None:
                yield found

    def _described(self, found: StoredObject) -> StoredObject | None:
        answer = get_object(self.account, self.bucket, found.key, size=1)
        if answer is None:
            return None
        return found._replace(mail=with_metadata(found.stopped, answer.get("Metadata", {})))

    def read(self, found: StoredObject) -> bytes:
        """Return a mail as SES received it; raises `NotFoundError` for one that has expired."""
        answer = self.account.do("s3", "get_object", Bucket=self.bucket, Key=found.key)
        return body_of(self.account, answer)


def called(objects: Iterable[StoredObject], keys: Iterable[str]) -> list[StoredObject]:
    """Return the mails that an operator names, each once; raises `OperationError` for others."""
    every = list(objects)
    found: dict[str, StoredObject] = {}
    for key in keys:
        named = [each for each in every if _is_called(each.stopped, key)]
        if not named:
            raise OperationError(f"{key}: found no such stopped mail, expected {KEY}")
        if len({each.stopped.message_id for each in named}) > 1:
            raise OperationError(
                f"{key}: found {len(named)} stopped mails, expected one: write more of its message "
                "id, which bouncer mail list --format json shows"
            )
        found |= {each.key: each for each in named}
    return list(found.values())


def _is_called(mail: StoppedMail, key: str) -> bool:
    named = len(key) >= _SHORTEST_ID and mail.message_id.startswith(key)
    return key in mail.references or key == mail.message_id or named


def each_once(objects: Iterable[StoredObject]) -> list[StoredObject]:
    """Return mails without those that were kept a second time, as two rules can stop one."""
    return list({each.stopped.message_id: each for each in objects}.values())


def stored_objects(
    account: OperatedAccount, bucket: str, prefix: str, *, after: str = ""
) -> Iterator[StoredObject]:
    """Yield the objects below a prefix, in the order of their keys."""
    more: dict[str, str] = {"StartAfter": after} if after else {}
    while True:
        answer = account.do("s3", "list_objects_v2", Bucket=bucket, Prefix=prefix, **more)
        for each in answer.get("Contents", []):
            yield StoredObject(each["Key"], each["Size"], read_key(each["Key"]))
        if not answer.get("NextContinuationToken"):
            return
        more = {"ContinuationToken": answer["NextContinuationToken"]}


def get_object(
    account: OperatedAccount, bucket: str, key: str, *, size: int
) -> dict[str, Any] | None:
    """Return the answer about the first bytes of an object; None if it is gone."""
    try:
        return account.do("s3", "get_object", Bucket=bucket, Key=key, Range=f"bytes=0-{size - 1}")
    except NotFoundError:
        return None


def body_of(account: OperatedAccount, answer: dict[str, Any]) -> bytes:
    """Return the body in an answer of S3, whole; raises what `do` raises."""
    try:
        return bytes(answer["Body"].read())
    except BotoCoreError as error:
        raise account.meaning("s3", "get_object", error) from error


def at_once(act: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield the results of a function in the order of the items, several calls at a time."""
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        yield from pool.map(act, items)
    finally:  # also when a person stops the command: calls that have not begun are not made
        pool.shutdown(wait=False, cancel_futures=True)
