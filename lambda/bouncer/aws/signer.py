"""AWS Signature Version 4, for the small client's requests."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256


class Signer:
    """Signs requests with the credentials in the environment."""

    def __init__(self, environ: Mapping[str, str], *, service: str, region: str) -> None:
        self._environ = environ
        self._service = service
        self._region = region

    def signed(
        self,
        headers: Mapping[str, str],
        body: bytes,
        *,
        now: datetime,
        method: str = "POST",
        path: str = "/",
    ) -> dict[str, str]:
        """Return the headers (lower case, `host` among them) with date, token and signature.

        The path has no query, and no character that has to be quoted.
        """
        time = now.strftime("%Y%m%dT%H%M%SZ")
        token = self._environ.get("AWS_SESSION_TOKEN")
        headers = {**headers, "x-amz-date": time}
        if token:
            headers["x-amz-security-token"] = token
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        request = f"{method}\n{path}\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
        scope = f"{time[:8]}/{self._region}/{self._service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        key = f"AWS4{self._environ['AWS_SECRET_ACCESS_KEY']}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        credential = f"{self._environ['AWS_ACCESS_KEY_ID']}/{scope}"
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credential}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return headers
