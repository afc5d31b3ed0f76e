"""The bucket as the publisher uses it: it reads and writes revisions, and moves the pointer.

The pointer is moved only from the very one that was read (S3 User Guide, "Conditional requests").
So of two publishers that run at once, the one that read older parameters can't win.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from bouncer.errors import BouncerError
from bouncer.sources.pointer import POINTER_KEY, Pointer, PointerError, pointer_text, read_pointer
from bouncer.sources.revision import (
    Revision,
    RevisionError,
    list_key,
    read_revision,
    revision_key,
    revision_text,
)

# What S3 answers to a write under a condition that does not hold, or that met another write.
_CONFLICTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})

_MISSING = frozenset({"NoSuchKey", "404"})  # HEAD has no body that could name the error

Found = TypeVar("Found")


class ObjectsClient(Protocol):
    """A client of S3, as boto3 has it."""

    @property
    def get_object(self) -> Callable[..., Mapping[str, Any]]:
        """Return an object."""

    @property
    def head_object(self) -> Callable[..., Mapping[str, Any]]:
        """Return the facts about an object."""

    @property
    def put_object(self) -> Callable[..., Mapping[str, Any]]:
        """Write an object."""


class StoreError(BouncerError):
    """The bucket can't be read or written; the text names the object."""


class ConflictError(StoreError):
    """Somebody else moved the pointer since it was read."""


class Stored(NamedTuple):
    """The pointer as it was read, None if it is missing or unreadable; `etag` is "" if missing."""

    pointer: Pointer | None
    etag: str
    problem: str = ""


NO_POINTER = Stored(None, "")


class RevisionStore:
    """Revisions and the pointer in one bucket."""

    def __init__(self, client: ObjectsClient, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self) -> Stored:
        """Return the pointer and its ETag; raises `StoreError`."""
        found = self._get(POINTER_KEY)
        if found is None:
            return NO_POINTER
        text, etag = found
        try:
            return Stored(read_pointer(text), etag)
        except PointerError as error:
            return Stored(None, etag, str(error))

    def revision(self, revision_id: str) -> Revision:
        """Return a revision; raises `RevisionError` if it is missing or changed, `StoreError`."""
        found = self._get(revision_key(revision_id))
        if found is None:
            raise RevisionError(f"revision {revision_id:.12}: found no object, expected one")
        return read_revision(revision_id, found[0])

    def keep(self, revision: Revision) -> None:
        """Write a revision; the same one again changes nothing. Raises `StoreError`."""
        self._put(revision_key(revision.id), revision_text(revision).encode())

    def has_list(self, digest: str) -> bool:
        """Tell whether a list's look-up form is there; raises `StoreError`."""
        return self._asked(self._client.head_object, list_key(digest)) is not None

    def keep_list(self, digest: str, form: bytes) -> None:
        """Write a list's look-up form; the same one again changes nothing. Raises `StoreError`."""
        self._put(list_key(digest), form, kind="application/octet-stream")

    def move(self, pointer: Pointer, etag: str) -> None:
        """Write the pointer in place of the one with this ETag, "" for none.

        Raises `ConflictError` if another one is there by now, and `StoreError`.
        """
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        self._put(POINTER_KEY, pointer_text(pointer).encode(), condition)

    def _get(self, key: str) -> tuple[bytes, str] | None:
        """Return an object's bytes and its ETag; None for one that is missing."""

        def read(**place: str) -> tuple[bytes, str]:
            answer = self._client.get_object(**place)
            return answer["Body"].read(), answer["ETag"]

        return self._asked(read, key)

    def _asked(self, ask: Callable[..., Found], key: str) -> Found | None:
        """Return what `ask` finds of an object; None for one that is missing."""
        try:
            return ask(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if _code(error) in _MISSING:
                return None
            raise StoreError(f"{self._place(key)}: can't be read ({_code(error)})") from error
        except BotoCoreError as error:
            kind = type(error).__name__
            raise StoreError(f"{self._place(key)}: can't be read ({kind})") from error

    def _put(
        self,
        key: str,
        body: bytes,
        condition: dict[str, str] | None = None,
        *,
        kind: str = "application/json",
    ) -> None:
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType=kind,
                **condition or {},
            )
        except ClientError as error:
            if condition and _code(error) in _CONFLICTS:
                raise ConflictError(f"{self._place(key)}: was moved meanwhile") from error
            raise StoreError(f"{self._place(key)}: can't be written ({_code(error)})") from error
        except BotoCoreError as error:
            name = type(error).__name__
            raise StoreError(f"{self._place(key)}: can't be written ({name})") from error

    def _place(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "refused"))
