"""`bouncer ses`: runs the fake SES alone, for any SDK, until a signal."""

import argparse
import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from bouncer.errors import UnreadableEventError
from bouncer.mail.message import Message
from bouncer.mail.text import escaped
from bouncer_cli.commands.terminal import put, say
from bouncer_cli.commands.usage import Commands, UsageError
from bouncer_cli.mail_files import read_items
from bouncer_cli.mail_item import Item
from bouncer_cli.raw_mail import Envelope
from bouncer_cli.replay import header_lines
from bouncer_sim.fake_ses.faults import FaultKind, Faults, parse_fault
from bouncer_sim.fake_ses.mail_delivery import Sink
from bouncer_sim.fake_ses.sending_events import Event
from bouncer_sim.fake_ses.server import FakeSes
from bouncer_sim.fake_ses.ses_account import ReceivedMail

_HIGHEST_PORT = 65535


def add(commands: Commands) -> None:
    """Declare the command and its options."""
    command = commands.add_parser(
        "ses",
        help="run a fake SES that takes bounces and mails",
        description="Run a fake SES on loopback until Ctrl-C. It takes SendBounce, SendEmail and "
        "SendRawEmail, and SendEmail and GetAccount of SES's second API. It prints its endpoint as "
        "JSON: set AWS_ENDPOINT_URL_SES and AWS_ENDPOINT_URL_SESV2 to it, and any AWS SDK calls "
        "the fake.",
        epilog="example: bouncer ses --verified example.com --out bounces mails/",
    )
    command.add_argument(
        "--port",
        type=int,
        default=0,
        metavar="N",
        help="the port to listen on (default: any free port)",
    )
    command.add_argument(
        "--verified",
        action="append",
        default=[],
        metavar="ADDR_OR_DOMAIN",
        help="a sender that SES has verified; may be repeated",
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="the folder to write each bounce and mail to"
    )
    command.add_argument(
        "--configuration-set",
        action="append",
        default=[],
        metavar="NAME",
        help="a configuration set that mails may name; may be repeated",
    )
    command.add_argument(
        "--events",
        type=Path,
        metavar="FILE",
        help="the file to add the events of mails with a configuration set to, as JSON lines; mail "
        "to bounce@simulator.amazonses.com bounces",
    )
    command.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND@CALL",
        help="make a call fail, such as throttle@2 for the second; may be repeated (KIND is one "
        f"of {', '.join(FaultKind)})",
    )
    command.add_argument(
        "mail",
        nargs="*",
        metavar="MAIL",
        help="the mails that SES has received and can bounce: files, folders or -",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    _refuse_missing_mails(options)
    faults = Faults(plan=tuple(map(parse_fault, options.fault)))
    stopped = _stopped_by_a_signal()
    ses = _fake_ses(options, faults)
    message_ids = []
    for mail in _received(options.mail):
        ses.receive(mail)
        message_ids.append(mail.message_id)
    _start(ses, options.port)
    with ses:
        put(json.dumps({"endpoint": ses.endpoint, "message_ids": message_ids}))
        stopped.wait()
    return 0


def _refuse_missing_mails(options: argparse.Namespace) -> None:
    if not 0 <= options.port <= _HIGHEST_PORT:
        raise UsageError(f"--port: found {options.port}, expected 0 to {_HIGHEST_PORT}")
    for path in options.mail:
        if path != "-" and not Path(path).exists():
            raise UsageError(f"{path}: found no file or folder, expected mail")


def _stopped_by_a_signal() -> threading.Event:
    """Return an event that SIGINT or SIGTERM sets."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # as signal calls it
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return stopped


def _fake_ses(options: argparse.Namespace, faults: Faults) -> FakeSes:
    try:
        return FakeSes(
            verified=options.verified,
            out=options.out,
            faults=faults,
            port=options.port,
            configuration_sets=options.configuration_set,
            events=_sink(options.events),
        )
    except OSError as error:
        reason = f"can't be made ({error.strerror}), expected a folder"
        raise UsageError(f"--out {options.out}: {reason}") from error


def _sink(path: Path | None) -> Sink | None:
    """Return what adds events to a file, each as a line at once."""
    if path is None:
        return None
    try:
        path.touch()
    except OSError as error:
        reason = f"can't be written ({error.strerror}), expected a file"
        raise UsageError(f"--events {path}: {reason}") from error

    def add_line(event: Event) -> None:
        with path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(event) + "\n")

    return add_line


def _start(ses: FakeSes, port: int) -> None:
    try:
        ses.start()
    except OSError as error:
        reason = f"can't be used ({error.strerror}), expected a free port"
        raise UsageError(f"--port {port}: {reason}") from error


def _received(paths: list[str]) -> Iterator[ReceivedMail]:
    """Yield every mail in `paths` as received now; report on stderr what can't be read."""
    for item in read_items(paths, Envelope()):
        try:
            message = _message(item)
        except UnreadableEventError as error:
            say(escaped(f"{item.source}: {error}"))
            continue
        yield ReceivedMail(
            message_id=message.message_id,
            sender=message.sender,
            recipients=message.recipients,
            received_at=time.time(),
            headers=item.headers or header_lines(message),
        )


def _message(item: Item) -> Message:
    if item.error is not None:
        raise UnreadableEventError(item.error)
    return item.read()
