"""A client of S3 with the mails of one bucket, for what reads and copies them through boto3."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from botocore.exceptions import ClientError

BUCKET = "mail-bucket"
PREFIX = "mail/"


def refused(operation: str, code: str, status: int = 403) -> ClientError:
    metadata: Any = {"HTTPStatusCode": status}
    fault: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": metadata}
    return ClientError(fault, operation)


class MailObjects:
    """Objects by key; `errors` has what an operation raises, and `asked` each call."""

    def __init__(self, mails: Mapping[str, bytes]) -> None:
        self.objects = {f"{PREFIX}{name}": raw for name, raw in mails.items()}
        self.metadata: dict[str, Mapping[str, str]] = {}
        self.errors: dict[str, Exception] = {}
        self.asked: list[str] = []

    def get_object(self, *, Bucket: str, Key: str, Range: str) -> dict[str, Any]:  # noqa: N803
        self._ask("get_object", Bucket, Key)
        last = int(Range.removeprefix("bytes=0-"))
        raw = self.objects[Key]
        part = raw[: last + 1]
        size = f"bytes 0-{len(part) - 1}/{len(raw)}"
        return {"Body": BytesIO(part), "ETag": '"0"', "ContentRange": size}

    def copy_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        CopySource: str,  # noqa: N803
        MetadataDirective: str,  # noqa: N803
        TaggingDirective: str,  # noqa: N803
        Metadata: Mapping[str, str],  # noqa: N803
    ) -> dict[str, Any]:
        source = CopySource.removeprefix(f"{BUCKET}/")
        self._ask("copy_object", Bucket, source)
        assert MetadataDirective == TaggingDirective == "REPLACE"
        self.objects[Key] = self.objects[source]
        self.metadata[Key] = Metadata
        return {}

    def _ask(self, operation: str, bucket: str, key: str) -> None:
        assert bucket == BUCKET
        self.asked.append(operation)
        if error := self.errors.get(operation):
            raise error
        if key not in self.objects:  # without ListBucket S3 says no more
            raise refused(operation, "AccessDenied")
