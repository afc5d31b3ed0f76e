"""CloudFormation on loopback, which knows one stack: moto lacks packages for it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

_SPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


@contextmanager
def cloudformation(
    stack: str, outputs: Mapping[str, str], resources: Mapping[str, str]
) -> Iterator[str]:
    """Serve the stack; `resources` are types by physical id. Yield the endpoint."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            asked = {name: values[0] for name, values in parse_qs(text).items()}
            ours = asked["StackName"] == stack and "eu-west-1" in self.headers["authorization"]
            status, answer = (200, _answer(asked["Action"])) if ours else (400, _missing(asked))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_: object) -> None:
            """Write no access log."""

    def _answer(action: str) -> str:
        made = "<CreationTime>2026-11-01T00:00:00Z</CreationTime>"
        if action == "DescribeStacks":
            told = "".join(
                f"<member><OutputKey>{key}</OutputKey><OutputValue>{escape(value)}</OutputValue>"
                "</member>"
                for key, value in outputs.items()
            )
            named = f"<StackName>{stack}</StackName><StackStatus>CREATE_COMPLETE</StackStatus>"
            told = f"<member>{named}{made}<Outputs>{told}</Outputs></member>"
            return _result(action, f"<Stacks>{told}</Stacks>")
        told = "".join(
            f"<member><ResourceType>{kind}</ResourceType>"
            f"<LogicalResourceId>{escape(name.rpartition('/')[2])}</LogicalResourceId>"
            f"<PhysicalResourceId>{escape(name)}</PhysicalResourceId>"
            "<ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>"
            for name, kind in resources.items()
        )
        return _result(action, f"<StackResourceSummaries>{told}</StackResourceSummaries>")

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _result(action: str, inner: str) -> str:
    result = f"<{action}Result>{inner}</{action}Result>"
    return f'<{action}Response xmlns="{_SPACE}">{result}</{action}Response>'


def _missing(asked: Mapping[str, str]) -> str:
    text = f"Stack with id {asked['StackName']} does not exist"
    error = f"<Error><Code>ValidationError</Code><Message>{text}</Message></Error>"
    return f'<ErrorResponse xmlns="{_SPACE}">{error}</ErrorResponse>'
