"""Reads objects of one bucket of S3, for the intake: `client` says why it has clients of its own.

S3 speaks XML, of which only the code of an error is read.
"""

import re
from hashlib import sha256
from io import BytesIO

from bouncer.aws.client import Answer, Client, Request, Response, Surroundings, refusal

_OK, _NOT_MODIFIED = 200, 304
_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,100})</Code>")


class S3(Client):
    """Reads objects; arguments and answers are boto3's, as far as they are named here.

    In AWS the bucket is part of the host; an endpoint that the environment names has it in the
    path. Buckets whose names have dots are not served: no certificate is for them.
    """

    def __init__(self, surroundings: Surroundings, bucket: str) -> None:
        super().__init__(surroundings, service="s3", host=f"{bucket}.s3")
        self._above = f"/{bucket}" if self.named else ""

    def get_object(self, *, Key: str, IfNoneMatch: str = "", **_: object) -> Answer:  # noqa: N803  # as boto3 has them
        """Return an object's body and ETag, unless it has the ETag that the caller knows.

        The key has letters, digits and -_./ only.
        """
        headers = {"x-amz-content-sha256": sha256(b"").hexdigest()}
        if IfNoneMatch:
            headers["if-none-match"] = IfNoneMatch
        return self.ask(Request("GetObject", "GET", f"{self._above}/{Key}", headers), _read)


def _read(response: Response, operation: str) -> Answer:
    if response.status == _OK:
        return {"Body": BytesIO(response.body), "ETag": str(response.headers.get("ETag", ""))}
    found = _CODE.search(response.body)
    code = found[1].decode() if found else str(response.status)
    message = "Not Modified" if response.status == _NOT_MODIFIED else "S3 refused"
    raise refusal(operation, response.status, code, message)
