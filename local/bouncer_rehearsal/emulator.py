"""Runs the emulated AWS in a Python of its own, while a `with` lasts, and makes clients for it.

Nothing here can reach AWS: every client and every child gets the emulator's address and keys that
are not valid anywhere.
"""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from bouncer.errors import BouncerError

REGION = "us-east-1"
ACCOUNT = "000000000000"

_HOST = "127.0.0.1"
_START_S = 30
_STOP_S = 5
_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 1})
# Variables that would lead an SDK to somebody's real account, or past a loopback address.
_DROPPED = ("AWS_", "CDK_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class EmulatorError(BouncerError):
    """The emulator does not run; the text gives the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """A running emulator; with `environment` any SDK and the CDK command line use it."""

    endpoint: str
    environment: Mapping[str, str]

    def client(self, service: str) -> Any:
        """Return a boto3 client for one service of the emulated account."""
        make: Callable[..., Any] = boto3.client
        return make(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="none",  # noqa: S106  # not checked
            config=_CONFIG,
        )

    def mails(self) -> list[dict[str, Any]]:
        """Return the mails that the emulated SES took, bounces aside."""
        address = f"{self.endpoint}/_ministack/ses/messages"
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310  # loopback
            found: dict[str, list[dict[str, Any]]] = json.load(answer)["messages"]
        return found[ACCOUNT]


@contextmanager
def emulator(root: Path, *, node: Path, ses_endpoint: str, log: Path) -> Iterator[Emulator]:
    """Run an emulator for the checkout at `root`; raises `EmulatorError` if it does not start.

    Functions written for Node run with `node`; SendBounce goes to `ses_endpoint`.
    """
    python = root / ".venv-emulator" / "bin" / "python"
    if not python.exists():
        raise EmulatorError(
            f"{python}: found nothing, expected the emulator, which `make deploy-local` installs"
        )
    port = _free_port()
    endpoint = f"http://{_HOST}:{port}"
    child = environment(endpoint, node=node) | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": _HOST,
        "MINISTACK_HOST": _HOST,
        "TMPDIR": str(log.parent),  # its process id file, and the functions' unpacked code
        "BOUNCER_SES": ses_endpoint,
    }
    with log.open("wb") as said:
        process = subprocess.Popen(  # noqa: S603  # fixed words
            [str(python), str(Path(__file__).parent / "emulator_process" / "launch.py")],
            cwd=log.parent,
            env=child,
            stdin=subprocess.PIPE,  # the emulator ends when this does
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(process, endpoint, log)
            yield Emulator(endpoint=endpoint, environment=environment(endpoint, node=node))
        finally:
            stop(process)


def environment(endpoint: str, *, node: Path) -> dict[str, str]:
    """Return this process's environment, changed to lead to the emulator and to no account."""
    kept = {
        name: value for name, value in os.environ.items() if not name.upper().startswith(_DROPPED)
    }
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # aws_cdk would be compiled again at every import
    return kept | {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "JSII_NODE": str(node),
        "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a child that leads a session of its own, with all processes of that session."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_S)
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", endpoint: str, log: Path) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise EmulatorError(f"The emulator ended at its start; read {log}.")
        with (
            suppress(OSError),
            urllib.request.urlopen(f"{endpoint}/_ministack/ready", timeout=1) as answer,  # noqa: S310
        ):
            if answer.status == 200:  # noqa: PLR2004  # HTTP's OK
                return
        time.sleep(0.1)
    raise EmulatorError(f"The emulator was not ready after {_START_S} seconds; read {log}.")
