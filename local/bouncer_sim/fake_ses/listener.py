"""HTTP on loopback for the fake SES: reads whole requests, writes whole answers.

It understands nothing of SES. Hostile requests get an error or a closed connection; no request can
make it log, raise or wait without end.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from bouncer_sim.fake_ses.answer import Answer, refused
from bouncer_sim.fake_ses.refusal import ErrorCode, SesError


class Request(NamedTuple):
    """One request, read whole; `authorization` may be missing."""

    method: str
    path: str
    authorization: str | None
    body: bytes


# From a request to the answer; for None, the connection is closed without one.
Respond = Callable[[Request], Answer | None]

_LOOPBACK = "127.0.0.1"
_MAX_BODY = 64 << 20  # a mail of 40 MB in Base64, the most that SES takes
_IDLE_S = 60.0
_JOIN_S = 5.0
_NO_REQUEST_ID = "00000000-0000-0000-0000-000000000000"


class Listener:
    """Serves `respond` on 127.0.0.1 from `start` to `stop`; `port` 0 takes any free one."""

    def __init__(self, respond: Respond, *, port: int) -> None:
        self._server = _Server((_LOOPBACK, port), _Exchange)
        self._server.respond = respond
        self._thread = threading.Thread(
            target=self._server.accept_until_hung_up, name="fake-ses", daemon=True
        )

    @property
    def endpoint(self) -> str:
        """The URL to hand to an SDK."""
        return f"http://{_LOOPBACK}:{self._server.server_port}"

    def start(self) -> None:
        """Accept connections from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Accept no more, close every connection, idle or busy, and free the port."""
        self._server.hang_up()
        self._wake()
        self._thread.join(_JOIN_S)
        self._server.server_close()

    def _wake(self) -> None:
        """Connect once, so that the thread that waits for a connection sees the end."""
        with suppress(OSError):
            socket.create_connection((_LOOPBACK, self._server.server_port), _JOIN_S).close()


class _Server(ThreadingHTTPServer):
    """One thread for each connection; knows them all, so that stopping ends them."""

    daemon_threads = True
    respond: Respond

    def __init__(self, address: tuple[str, int], exchange: type["_Exchange"]) -> None:
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._guard = threading.Lock()
        self._stopped = False
        super().__init__(address, exchange)

    def accept_until_hung_up(self) -> None:
        """Accept connections; unlike `serve_forever`, without polling: idle costs nothing."""
        while not self._stopped:
            self.handle_request()

    def process_request_thread(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)  # noqa: S101 - the base class is typed loosely
        with self._guard:
            if self._stopped:
                self.shutdown_request(request)
                return
            self._connections[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._guard:
                del self._connections[request]

    def hang_up(self) -> None:
        """Take no more connections, close all there are and wait, for a bounded time."""
        with self._guard:
            self._stopped = True
            connections = dict(self._connections)
        for connection in connections:
            _shut(connection)
        for thread in connections.values():
            thread.join(_JOIN_S)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: clients may close their connection at any time."""


class _Exchange(BaseHTTPRequestHandler):
    """One connection, kept alive; answers leave in one segment, at once."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "fake-ses"
    sys_version = ""
    timeout = _IDLE_S
    wbufsize = -1  # headers and body in one write: two would cost 40 ms a call
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        request = Request("GET", self.path, self.headers.get("Authorization"), b"")
        self._answer(request)

    def do_POST(self) -> None:
        try:
            length = self._length()
        except SesError as error:
            self.close_connection = True  # the unread body would be taken for a request
            self._write(refused(error, _NO_REQUEST_ID))
            return
        body = self.rfile.read(length)
        if len(body) < length:  # its client closed the connection early
            self.close_connection = True
            return
        self._answer(Request("POST", self.path, self.headers.get("Authorization"), body))

    def _answer(self, request: Request) -> None:
        answer = self.server.respond(request)
        if answer is None:
            self.close_connection = True
        else:
            self._write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Write no access log."""

    def _length(self) -> int:
        given = self.headers.get_all("Content-Length", [])
        if len(given) != 1 or not (given[0].isascii() and given[0].isdecimal()):
            raise SesError(ErrorCode.LENGTH_REQUIRED, "Expected one Content-Length, a number.")
        if len(given[0]) > len(str(_MAX_BODY)) or int(given[0]) > _MAX_BODY:
            raise SesError(ErrorCode.TOO_LARGE, f"Expected a body of at most {_MAX_BODY} bytes.")
        return int(given[0])

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("x-amzn-RequestId", answer.request_id)
        if answer.error:
            self.send_header("x-amzn-ErrorType", answer.error)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # its client was faster
        connection.shutdown(socket.SHUT_RDWR)
