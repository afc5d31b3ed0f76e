"""The bucket as the functions read it: the pointer, the revision that it names, and its lists."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Protocol

from bouncer import sdk_errors
from bouncer.sources.pointer import POINTER_KEY, Pointer, PointerError, read_pointer
from bouncer.sources.revision import (
    Revision,
    RevisionError,
    list_key,
    read_revision,
    revision_key,
)
from bouncer.sources.source import SourceError

_MISSING = frozenset({"NoSuchKey", "404"})
# Without the right to list a bucket, S3 answers 403 for an object that is missing (S3 API
# reference, GetObject, "Permissions").
_DENIED = frozenset({"AccessDenied", "403"})
_ALLOW = (
    "allow s3:GetObject on it (and kms:Decrypt, with kms_key), or run bouncer doctor if it is "
    "missing"
)
_NOT_MODIFIED = "304"


class ObjectReader(Protocol):
    """A client that reads objects: boto3's, or the intake's small one."""

    @property
    def get_object(self) -> Callable[..., Mapping[str, Any]]:
        """Return an object with its ETag."""


class BucketSource:
    """The pointer, the revisions and their lists in one bucket; all methods raise `SourceError`."""

    def __init__(self, client: ObjectReader, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def pointer(self, known: str) -> tuple[Pointer, str] | None:
        """Return the pointer and its ETag; None if that is `known`."""
        found = self._get(POINTER_KEY, {"IfNoneMatch": known} if known else {})
        if found is None:
            return None
        try:
            return read_pointer(found[0]), found[1]
        except PointerError as error:
            raise SourceError(f"s3://{self._bucket}/{error}") from error

    def revision(self, revision_id: str) -> Revision:
        """Return a revision, checked against its id."""
        found = self._get(revision_key(revision_id), {})
        try:
            return read_revision(revision_id, found[0] if found else b"")
        except RevisionError as error:
            raise SourceError(str(error)) from error

    def list_form(self, digest: str) -> bytes:
        """Return the look-up form of a list, checked against its digest."""
        found = self._get(list_key(digest), {})
        form = found[0] if found else b""
        if sha256(form).hexdigest() != digest:
            found_it = "found a changed object, expected the one of this digest"
            raise SourceError(f"s3://{self._bucket}/{list_key(digest)}: {found_it}")
        return form

    def _get(self, key: str, condition: Mapping[str, str]) -> tuple[bytes, str] | None:
        """Return an object and its ETag, None if it is not modified."""
        place = f"s3://{self._bucket}/{key}"
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, **condition)
            return answer["Body"].read(), str(answer["ETag"])
        except sdk_errors.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "refused"))
            if code == _NOT_MODIFIED and condition:
                return None
            if code in _MISSING:
                found = f"found no object ({code}), expected one, which the publisher writes"
                raise SourceError(f"{place}: {found}") from error
            if code in _DENIED:
                found = f"found no object that may be read ({code})"
                raise SourceError(f"{place}: {found}: {_ALLOW}") from error
            raise SourceError(f"{place}: can't be read ({code})") from error
        except sdk_errors.BotoCoreError as error:
            raise SourceError(f"{place}: can't be read ({type(error).__name__})") from error
