"""The objects that lists are uploaded as, below `uploads/` in the bucket of revisions."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from bouncer.rules.entry_file import LONGEST_FILE
from bouncer.rules.list_reader import UploadError
from bouncer.sources.source import SourceError

_FAULT_OF_SERVICE = 500
_THROTTLES = frozenset({"SlowDown", "ThrottlingException", "RequestLimitExceeded"})


class UploadsClient(Protocol):
    """A client of S3, as boto3 has it."""

    @property
    def get_object(self) -> Callable[..., Mapping[str, Any]]:
        """Return an object."""


class Uploads:
    """Uploaded objects in one bucket, by their keys."""

    def __init__(self, client: UploadsClient, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def fetch(self, key: str) -> bytes:
        """Return an object, of one that is too large for a list only the beginning.

        Raises `UploadError` if it is missing or may not be read, and `SourceError` if asking again
        may help.
        """
        place = f"s3://{self._bucket}/{key}"
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            data: bytes = body.read(LONGEST_FILE + 1)
            body.close()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "refused"))
            if _may_pass(error, code):
                raise SourceError(f"{place}: can't be read ({code})") from error
            raise UploadError(f"no object there that may be read ({code})") from error
        except BotoCoreError as error:
            raise SourceError(f"{place}: can't be read ({type(error).__name__})") from error
        return data


def _may_pass(error: ClientError, code: str) -> bool:
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return status >= _FAULT_OF_SERVICE or code in _THROTTLES
