"""The ledger: the recipients of mails that have been answered, so that none is answered twice.

A DynamoDB table with the text key `id` and the time-to-live attribute `expires`. A recipient is
claimed before SendBounce and released only when SES surely did not accept; a claim whose outcome is
not known stays, so nothing is sent again.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from bouncer.errors import BouncerError
from bouncer.function_limits import LEDGER_EXPIRES, LEDGER_KEY_NAME
from bouncer.jobs.job import Job

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT = timedelta(days=7)  # longer than any job can live
_UNCLAIMED = f"attribute_not_exists({LEDGER_KEY_NAME}) OR claimant = :claimant"


class LedgerError(BouncerError):
    """The ledger could not be read or written; nothing may be sent without it."""


class Ledger:
    """Claims on recipients, in one table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def answered(self, job: Job) -> set[str]:
        """Return the job's recipients that are claimed already."""
        return {recipient for recipient in job.recipients if self._is_claimed(job, recipient)}

    def _is_claimed(self, job: Job, recipient: str) -> bool:
        with _asking():
            item = self._client.get_item(
                TableName=self._table,
                Key={LEDGER_KEY_NAME: {"S": _key(job, recipient)}},
                ConsistentRead=True,
                ProjectionExpression=LEDGER_KEY_NAME,
            )
        return "Item" in item

    def claim(self, job: Job, *, now: datetime, claimant: str) -> set[str]:
        """Claim all of the job's recipients; return those that another attempt has claimed.

        `claimant` names this attempt, so that a request which the SDK repeats finds its own claim.
        """
        taken: set[str] = set()
        held: list[str] = []
        try:
            for recipient in job.recipients:
                if self._claim_one(job, recipient, now, claimant):
                    held.append(recipient)
                else:
                    taken.add(recipient)
        except LedgerError:
            with suppress(LedgerError):
                self._release(job, held)
            raise
        return taken

    def _claim_one(self, job: Job, recipient: str, now: datetime, claimant: str) -> bool:
        try:
            with _asking():
                self._client.put_item(
                    TableName=self._table,
                    Item={
                        LEDGER_KEY_NAME: {"S": _key(job, recipient)},
                        "claimant": {"S": claimant},
                        "reference": {"S": job.reference},
                        "claimed_at": {"S": now.isoformat()},
                        LEDGER_EXPIRES: {"N": str(int((now + KEPT).timestamp()))},
                    },
                    ConditionExpression=_UNCLAIMED,
                    ExpressionAttributeValues={":claimant": {"S": claimant}},
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def release(self, job: Job) -> None:
        """Give up the claims on the job's recipients: SES surely did not accept."""
        self._release(job, job.recipients)

    def _release(self, job: Job, recipients: "list[str] | tuple[str, ...]") -> None:
        for recipient in recipients:
            with _asking():
                key = {LEDGER_KEY_NAME: {"S": _key(job, recipient)}}
                self._client.delete_item(TableName=self._table, Key=key)

    def sent(self, job: Job, bounce_id: str) -> None:
        """Note the message id of the bounce SES sent."""
        for recipient in job.recipients:
            with _asking():
                self._client.update_item(
                    TableName=self._table,
                    Key={LEDGER_KEY_NAME: {"S": _key(job, recipient)}},
                    UpdateExpression="SET bounce_id = :bounce",
                    ExpressionAttributeValues={":bounce": {"S": bounce_id}},
                )


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "ConditionalCheckFailedException":
            raise
        raise LedgerError(f"the ledger refused: {code}") from error
    except BotoCoreError as error:
        raise LedgerError(f"the ledger can't be reached ({type(error).__name__})") from error


def _key(job: Job, recipient: str) -> str:
    return f"{job.message_id} {recipient.lower()}"
