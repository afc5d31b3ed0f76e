"""AWS's JSON protocol on loopback, for clients that do not ask through the SDK."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import boto3
from botocore import xform_name
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.embedded_aws import REGION

KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105  # AWS's own example
SERVICES = {"AmazonSSM": "ssm", "AmazonSQS": "sqs"}

Reply = tuple[int, bytes] | None  # None hangs up without an answer


def signature(
    headers: dict[str, str],
    body: bytes,
    *,
    service: str,
    region: str,
    method: str = "POST",
    path: str = "/",
) -> str:
    """Return the `authorization` that botocore would write for these headers."""
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    auth = kind(Credentials(KEY, SECRET), service, region)
    request = AWSRequest(method, f"http://{headers['host']}{path}", headers=headers, data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    canonical = auth.canonical_request(request)
    signed = auth.signature(auth.string_to_sign(request, canonical), request)
    names = auth.signed_headers(auth.headers_to_sign(request))
    return (
        f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, "
        f"SignedHeaders={names}, Signature={signed}"
    )


def behind(service: str) -> Any:
    """Return boto3's client for a service of `embedded_aws`, not at the environment's endpoint."""
    endpoint = f"https://{service}.{REGION}.amazonaws.com"
    return boto3.client(service, endpoint_url=endpoint)  # type: ignore[call-overload]  # by name


def through_boto3(target: str, body: bytes) -> Reply:
    """Return the service's answer, asked through boto3 and so from moto."""
    prefix, _, operation = target.partition(".")
    client = behind(SERVICES[prefix])
    try:
        answer = getattr(client, xform_name(operation))(**json.loads(body))
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        fault = {"__type": f"com.amazonaws#{error.response['Error']['Code']}", "message": "no"}
        return status, json.dumps(fault).encode()
    answer.pop("ResponseMetadata")
    return 200, json.dumps(answer, default=_seconds).encode()


def objects_through_boto3(target: str, asked: bytes) -> Reply:
    """Return S3's answer to a GET or a copy, asked through boto3.

    `asked` has the further headers of the request as JSON.
    """
    method, _, path = target.partition(" /")
    bucket, _, key = path.partition("/")
    headers = json.loads(asked)
    try:
        if method == "PUT":
            return 200, _copy(bucket, key, headers)
        names = {"IfNoneMatch": "if-none-match", "Range": "range"}
        more = {name: headers[header] for name, header in names.items() if header in headers}
        answer = behind("s3").get_object(Bucket=bucket, Key=key, **more)
        return (206 if "Range" in more else 200), answer["Body"].read()
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        code = error.response["Error"]["Code"]
        return status, b"" if status == 304 else f"<Error><Code>{code}</Code></Error>".encode()


def _copy(bucket: str, key: str, headers: dict[str, str]) -> bytes:
    mark = "x-amz-meta-"
    behind("s3").copy_object(
        Bucket=bucket,
        Key=key,
        CopySource=headers["x-amz-copy-source"],
        MetadataDirective=headers["x-amz-metadata-directive"],
        TaggingDirective=headers.get("x-amz-tagging-directive", "COPY"),
        Metadata={k.removeprefix(mark): v for k, v in headers.items() if k.startswith(mark)},
    )
    return b"<CopyObjectResult><ETag>&quot;0&quot;</ETag></CopyObjectResult>"


def _etag(body: bytes) -> str:
    """Return the ETag of an object that was put whole."""
    return f'"{md5(body, usedforsecurity=False).hexdigest()}"'


def _seconds(moment: datetime) -> float:
    """Return a time as the JSON protocol writes it."""
    return moment.timestamp()


class Front(BaseHTTPRequestHandler):
    """Checks every signature, then answers as `reply` says."""

    protocol_version = "HTTP/1.1"
    reply: ClassVar[Callable[[str, bytes], Reply]]
    connections: ClassVar[int]

    def setup(self) -> None:
        super().setup()
        type(self).connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._answer(body, self.headers["x-amz-target"])

    def do_GET(self) -> None:
        self._answer(b"", f"{self.command} {self.path}", self._asked())

    do_PUT = do_GET  # noqa: N815  # the name that http.server looks for

    def _asked(self) -> bytes:
        return json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()

    def _answer(self, body: bytes, target: str, asked: bytes = b"") -> None:
        sent = {name.lower(): value for name, value in self.headers.items()}
        scope, names, _ = sent["authorization"].split(", ")
        headers = {name: sent[name] for name in names.partition("=")[2].split(";")}
        _, _, region, service, _ = scope.split("/")
        expected = signature(
            headers, body, service=service, region=region, method=self.command, path=self.path
        )
        reply = type(self).reply(target, asked or body)
        if sent["authorization"] != expected:
            reply = 403, b'{"__type": "IncompleteSignatureException"}'
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply[0])
        if self.command == "GET" and reply[0] == 200:
            self.send_header("ETag", _etag(reply[1]))
        if reply[0] == 206:
            self.send_header("Content-Range", f"bytes 0-{len(reply[1]) - 1}/*")
        self.send_header("Content-Length", str(len(reply[1])))
        with suppress(BrokenPipeError):  # a client that no longer waits
            self.end_headers()
            self.wfile.write(reply[1])

    def log_message(self, *_: object) -> None:
        """Write no access log."""


@contextmanager
def front(reply: Callable[[str, bytes], Reply]) -> Iterator[tuple[str, type[Front]]]:
    """Serve an endpoint that answers by `reply`; the class counts its connections."""
    handler = type("Counting", (Front,), {"reply": staticmethod(reply), "connections": 0})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()
