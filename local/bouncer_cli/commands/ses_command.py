"""`bouncer ses`: the fake SES alone, for any SDK, until a signal."""

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType

from bouncer.errors import BouncerError, UnreadableEventError
from bouncer.mail.message import read_record
from bouncer_cli.commands.usage import Commands
from bouncer_cli.mail_files import read_items
from bouncer_cli.raw_mail import Envelope
from bouncer_cli.replay import header_lines
from bouncer_sim.fake_ses.faults import Faults, parse_fault
from bouncer_sim.fake_ses.server import FakeSes
from bouncer_sim.fake_ses.ses_account import ReceivedMail

HIGHEST_PORT = 65535


class ServeError(BouncerError):
    """The fake SES can't be started; the text says why."""


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "ses",
        help="run a fake SES that takes SendBounce calls",
        description="Run a fake SES on loopback until a signal; any SDK reaches it by "
        "AWS_ENDPOINT_URL_SES.",
        epilog="example: bouncer ses --verified example.com --out bounces mails/",
    )
    command.add_argument("--port", type=int, default=0, metavar="N", help="default: any free one")
    command.add_argument("--verified", action="append", default=[], metavar="ADDR_OR_DOMAIN")
    command.add_argument("--out", type=Path, metavar="DIR", help="where each bounce is written")
    command.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND@CALL",
        help="such as throttle@2; repeat",
    )
    command.add_argument("mail", nargs="+", metavar="MAIL", help="what SES has received")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run it; returns the exit status."""
    return serve(
        options.mail,
        port=options.port,
        verified=options.verified,
        out=options.out,
        faults=options.fault,
    )


def serve(
    paths: list[str], *, port: int, verified: Sequence[str], out: Path | None, faults: Sequence[str]
) -> int:
    """Serve until SIGINT or SIGTERM; prints `endpoint` and `message_ids` as JSON when ready."""
    if not 0 <= port <= HIGHEST_PORT:
        raise ServeError(f"--port: found {port}, expected 0 to {HIGHEST_PORT}")
    plan = tuple(parse_fault(text) for text in faults)
    for path in paths:
        if path != "-" and not Path(path).exists():
            raise ServeError(f"{path}: found nothing there, expected mail")
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # as signal calls it
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        ses = FakeSes(verified=verified, out=out, faults=Faults(plan=plan), port=port)
    except OSError as error:
        raise ServeError(f"--out: {out} can't be made ({error.strerror})") from error
    message_ids = []
    for mail in received(paths):
        ses.receive(mail)
        message_ids.append(mail.message_id)
    try:
        ses.start()
    except OSError as error:
        raise ServeError(f"--port {port}: can't be listened on ({error.strerror})") from error
    with ses:
        print(json.dumps({"endpoint": ses.endpoint, "message_ids": message_ids}), flush=True)  # noqa: T201
        stopped.wait()
    return 0


def received(paths: Iterable[str]) -> Iterator[ReceivedMail]:
    """What the fake SES has received: every mail in `paths`, as of now; told of what is none."""
    for item in read_items(list(paths), Envelope()):
        try:
            message = read_record(item.record) if item.error is None else None
        except UnreadableEventError as error:
            message, problem = None, str(error)
        else:
            problem = item.error or ""
        if message is None:
            print(f"{item.source}: {problem}", file=sys.stderr)  # noqa: T201  # not part of the output
            continue
        yield ReceivedMail(
            message_id=message.message_id,
            sender=message.sender,
            recipients=message.recipients,
            received_at=time.time(),
            headers=item.headers or header_lines(message),
        )
