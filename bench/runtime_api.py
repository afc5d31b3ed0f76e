"""Lambda's Runtime API and the AWS services that one function process calls, on loopback.

A server serves one process and one event: the open request of a process that has ended would
receive the next event. Every answer is sent in one write; in two, TCP's delayed acknowledgement
would add 40 ms to each.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

PREFIX = "/ses-auto-bouncer/bench"
BUCKET = "bench-bucket"
Allow = Callable[[str], bool]

_AN_ETAG = {"ETag": '"0"'}
_PAGE = 10  # parameters in a page, as SSM has them
_BOUNCED = (
    b"<SendBounceResponse xmlns='http://ses.amazonaws.com/doc/2010-12-01/'><SendBounceResult>"
    b"<MessageId>1</MessageId></SendBounceResult></SendBounceResponse>"
)


class Surroundings(ThreadingHTTPServer):
    """The services for one process; they record its calls, its answer and the times of both."""

    daemon_threads = True

    def __init__(
        self,
        event: str,
        rules: Mapping[str, str],
        objects: Mapping[str, bytes],
        allow: Allow,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.allow = allow
        self.event = event.encode()
        self.objects = objects
        self.parameters = [
            {"Name": f"{PREFIX}/rules/{name}", "Type": "String", "Value": text, "Version": 1}
            for name, text in rules.items()
        ]
        self.asked: Counter[str] = Counter()
        self.ready_at = 0.0
        self.answered_at = 0.0
        self.answer: Any = None
        self.done = Event()
        self.over = Event()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


@contextmanager
def surroundings(
    event: str,
    rules: Mapping[str, str],
    objects: Mapping[str, bytes],
    allow: Allow = lambda _: True,
) -> Iterator[Surroundings]:
    """Serve one process for the length of a `with`: `event`, `rules` in SSM, `objects` in S3.

    A call that `allow` says no to, by its operation, is throttled.
    """
    with Surroundings(event, rules, objects, allow) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.over.set()
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: Surroundings
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # buffered, so one write
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer the process that asks for its next event, or for an object of S3.

        The second request for an event is held open.
        """
        if self.path.startswith(f"/{BUCKET}/"):
            self.server.asked["GetObject"] += 1
            if not self.server.allow("GetObject"):
                self._answer(b"<Error><Code>SlowDown</Code></Error>", status=503)
                return
            self._answer(self.server.objects[self.path.removeprefix(f"/{BUCKET}/")], _AN_ETAG)
            return
        if self.server.ready_at:
            self.server.done.set()
            self.server.over.wait()
            return
        self.server.ready_at = time.perf_counter()
        self._answer(
            self.server.event,
            {
                "Content-Type": "application/json",  # without it the client waits forever
                "Lambda-Runtime-Aws-Request-Id": "00000000-0000-4000-8000-000000000000",
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 60) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:f",
            },
        )

    def do_POST(self) -> None:
        """Take the answer to the event, or answer a call to AWS."""
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if "/runtime/" in self.path:
            self.server.answered_at = time.perf_counter()
            self.server.answer = json.loads(body)
            if "/init/" in self.path:
                self.server.done.set()
            self._answer(b"{}", status=202)
            return
        operation = self.headers.get("X-Amz-Target", "Query.SendBounce").partition(".")[2]
        self.server.asked[operation] += 1
        if not self.server.allow(operation):
            self._answer(b'{"__type": "ThrottlingException"}', status=400)
            return
        answer = _BOUNCED
        if operation != "SendBounce":
            answer = json.dumps(self._aws(operation, json.loads(body))).encode()
        self._answer(answer)

    def _aws(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        match operation:
            case "GetParametersByPath":
                first = int(asked.get("NextToken", 0))
                after = first + _PAGE
                page = {"Parameters": self.server.parameters[first:after]}
                more = after < len(self.server.parameters)
                return page | ({"NextToken": str(after)} if more else {})
            case "SendMessage":
                return {"MessageId": "1", "SequenceNumber": "1"}
            case "BatchGetItem":
                return {"Responses": {}, "UnprocessedKeys": {}}
            case _:
                return {}

    def _answer(self, body: bytes, headers: Mapping[str, str] = {}, status: int = 200) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Write no access log."""
