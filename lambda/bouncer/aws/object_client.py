"""Reads and copies objects of S3, for the intake: `client` says why it has clients of its own.

S3 speaks XML, of which only the code of an error and the end of a copy are read.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO

from bouncer.aws.client import Answer, Client, Request, Response, Surroundings, refusal

_OK, _PARTIAL, _NOT_MODIFIED, _SERVER_ERROR = 200, 206, 304, 500
_NO_BODY = sha256(b"").hexdigest()
_COPIED = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>\s*)?<CopyObjectResult[\s>].*</CopyObjectResult>\s*", re.DOTALL
)
_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,100})</Code>")


class S3(Client):
    """Objects of one bucket; arguments and answers are boto3's, as far as they are named here.

    In AWS the bucket is part of the host; an endpoint that the environment names has it in the
    path. Buckets whose names have dots are not served: no certificate is for them.
    """

    def __init__(self, surroundings: Surroundings, bucket: str) -> None:
        super().__init__(surroundings, service="s3", host=f"{bucket}.s3")
        self._above = f"/{bucket}" if self.named else ""

    def get_object(
        self,
        *,
        Key: str,  # noqa: N803  # as boto3 has them
        IfNoneMatch: str = "",  # noqa: N803
        Range: str = "",  # noqa: N803
        **_: object,
    ) -> Answer:
        """Return an object's body and ETag, unless it has the ETag that the caller knows.

        The key has letters, digits and -_./ only. Of a range, `ContentRange` has the whole size.
        """
        headers = {"x-amz-content-sha256": _NO_BODY}
        if IfNoneMatch:
            headers["if-none-match"] = IfNoneMatch
        if Range:
            headers["range"] = Range
        return self.ask(Request("GetObject", "GET", f"{self._above}/{Key}", headers), _read)

    def copy_object(
        self,
        *,
        Key: str,  # noqa: N803  # as boto3 has them
        CopySource: str,  # noqa: N803
        Metadata: Mapping[str, str],  # noqa: N803
        **_: object,
    ) -> Answer:
        """Copy an object of any bucket, `bucket/key`, to a key of this one, with other metadata.

        The copy has no tags. Keys have letters, digits and -_./ only, the metadata printable ASCII
        without blanks.
        """
        headers = {
            "x-amz-content-sha256": _NO_BODY,
            "x-amz-copy-source": CopySource,
            "x-amz-metadata-directive": "REPLACE",
            "x-amz-tagging-directive": "REPLACE",
            **{f"x-amz-meta-{name}": value for name, value in Metadata.items()},
        }
        return self.ask(Request("CopyObject", "PUT", f"{self._above}/{Key}", headers), _copied)


def _read(response: Response, operation: str) -> Answer:
    if response.status not in (_OK, _PARTIAL):
        raise _refused(response, operation)
    answer = {"Body": BytesIO(response.body), "ETag": str(response.headers.get("ETag", ""))}
    if found := response.headers.get("Content-Range"):
        answer["ContentRange"] = found
    return answer


def _copied(response: Response, operation: str) -> Answer:
    """Return the answer to a copy, which may be an error behind the status 200.

    S3 sends the status before it has copied (S3 API reference, CopyObject). As in the SDK, such an
    error, or an answer that was cut, is one of the service.
    """
    if response.status != _OK:
        raise _refused(response, operation)
    if not _COPIED.fullmatch(response.body):
        raise _refused(response._replace(status=_SERVER_ERROR), operation)
    return {}


def _refused(response: Response, operation: str) -> Exception:
    found = _CODE.search(response.body)
    code = found[1].decode() if found else str(response.status)
    message = "Not Modified" if response.status == _NOT_MODIFIED else "S3 refused"
    return refusal(operation, response.status, code, message)
