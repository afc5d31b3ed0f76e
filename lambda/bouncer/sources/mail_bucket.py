"""The mail bucket as the intake uses it: it reads the mail SES has stored, and keeps a stopped one.

SES names an object by the mail's message id, below the prefix of the receipt rule.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from bouncer import sdk_errors
from bouncer.judge import Judgement
from bouncer.mail.stored_copy import StoredCopyError, too_large
from bouncer.sources.stopped_mail import is_safe_id, metadata, stopped_key, stopped_mail


class MailClient(Protocol):
    """A client that reads and copies objects: boto3's, or the intake's small one."""

    @property
    def get_object(self) -> Callable[..., Mapping[str, Any]]:
        """Return a range of an object."""

    @property
    def copy_object(self) -> Callable[..., Mapping[str, Any]]:
        """Copy an object."""


class MailBucket:
    """The mails in one bucket, which SES stores below `prefix`.

    With `keeps`, stopped mail is kept; without, SES does not wait for the answer and stops nothing.
    A mail is read as a whole within `sparing()`, which ends in time for what is done with it.
    """

    def __init__(
        self,
        client: MailClient,
        bucket: str,
        prefix: str,
        *,
        keeps: bool,
        sparing: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._client = client
        self._sparing = sparing
        self._bucket = bucket
        self._prefix = prefix
        self.keeps = keeps

    def copy_of(self, message_id: str) -> "S3Copy":
        """Return the stored copy of a mail; nothing is read yet."""
        key = f"{self._prefix}{message_id}"
        return S3Copy(self._client, self._bucket, key, message_id, self._sparing)

    def keep(self, judgement: Judgement, now: datetime) -> str:
        """Copy a mail to where stopped mail is kept, and return the key; raises `StoredCopyError`.

        S3 copies it by itself. The same mail kept again is one object.
        """
        mail = stopped_mail(judgement, now)
        copy, key = self.copy_of(mail.message_id), stopped_key(mail)
        with _asking(copy, "copied"):
            self._client.copy_object(
                Bucket=self._bucket,
                Key=key,
                CopySource=f"{self._bucket}/{copy.key}",
                MetadataDirective="REPLACE",
                TaggingDirective="REPLACE",  # a scanner's tags need rights that the intake lacks
                Metadata=metadata(mail),
            )
        return key


class S3Copy(NamedTuple):
    """The stored copy of one mail in S3."""

    client: MailClient
    bucket: str
    key: str
    message_id: str
    sparing: Callable[[], AbstractContextManager[None]]

    def head(self, size: int) -> bytes:
        """Return the first bytes, at most `size`."""
        with _asking(self, "read"):
            return self._get(size)["Body"].read()  # type: ignore[no-any-return]  # boto3's are bytes

    def whole(self, most: int) -> bytes:
        """Return all bytes, unless these are more than `most`."""
        with _asking(self, "read"), self.sparing():
            found = self._get(most)
            raw: bytes = found["Body"].read()
        size = str(found.get("ContentRange", "")).rpartition("/")[2]
        if size.isdecimal() and int(size) > len(raw):
            raise too_large(str(self), int(size), most)
        return raw

    def _get(self, size: int) -> Mapping[str, Any]:
        return self.client.get_object(Bucket=self.bucket, Key=self.key, Range=f"bytes=0-{size - 1}")

    def __str__(self) -> str:
        """Return the place of the object."""
        return f"s3://{self.bucket}/{self.key}"


@contextmanager
def _asking(copy: S3Copy, done: str) -> Iterator[None]:
    """Refuse an id that is not one of SES, and raise each failure of S3 as `StoredCopyError`."""
    if not is_safe_id(copy.message_id):
        found = f"found the message id {copy.message_id!r:.100}"
        raise StoredCopyError(f"stored mail: {found}, expected one of letters, digits and -_.")
    try:
        yield
    except sdk_errors.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "refused"))
        raise StoredCopyError(f"{copy}: can't be {done} ({code})") from error
    except sdk_errors.BotoCoreError as error:
        raise StoredCopyError(f"{copy}: can't be {done} ({type(error).__name__})") from error
