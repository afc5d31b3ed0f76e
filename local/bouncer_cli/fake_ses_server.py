"""`bouncer ses`: the fake SES alone, for any SDK, until a signal."""

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
from bouncer_cli.mail_files import read_items
from bouncer_cli.raw_mail import Envelope
from bouncer_cli.replay import header_lines
from bouncer_sim.fake_ses.faults import Faults, parse_fault
from bouncer_sim.fake_ses.server import FakeSes
from bouncer_sim.fake_ses.ses_account import ReceivedMail

HIGHEST_PORT = 65535


class ServeError(BouncerError):
    """The fake SES can't be started; the text says why."""


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
