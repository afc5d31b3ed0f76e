"""Starts a bundled function under Lambda's runtime client, for one event, and measures it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime_api import BUCKET, PREFIX, Surroundings, surroundings

from bouncer.environment import (
    BUCKET_KEY,
    DEAD_LETTER_KEY,
    DOMAIN_KEY,
    LEDGER_KEY,
    PREFIX_KEY,
    QUEUE_KEY,
)

MEMORY_MB = 256  # as deployed
MB = 1_000_000
STUCK_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A function to start: its bundle, handler and event, the answer and calls expected of it."""

    folder: Path
    handler: str
    event: str
    answer: dict[str, Any]
    asks: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One process: the times from its start to its first request for an event and to its answer."""

    ready_ms: float
    answered_ms: float
    peak_mb: float


def run(python: Path, subject: Subject, rules: dict[str, str], objects: dict[str, bytes]) -> Run:
    """Measure one process from start to answer; end the benchmark on a wrong answer or call."""
    found, around, output = start(python, subject, rules, objects)
    if around.answer != subject.answer or around.asked != subject.asks:
        sys.exit(
            f"{subject.handler}: found {around.answer} after {dict(around.asked)}, "
            f"expected {subject.answer} after {subject.asks}\n{output}"
        )
    return found


def start(
    python: Path,
    subject: Subject,
    rules: dict[str, str],
    objects: dict[str, bytes],
    allow: Callable[[str, float], bool] = lambda *_: True,
) -> tuple[Run, Surroundings, str]:
    """Measure one process; return also what it asked and answered, and its output.

    A call is throttled if `allow` says no to its operation, so many seconds after the start.
    """
    started = time.perf_counter()

    def allow_now(operation: str) -> bool:
        return allow(operation, time.perf_counter() - started)

    with surroundings(subject.event, rules, objects, allow_now) as around:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603  # our own words
            [str(python), "-m", "awslambdaric", subject.handler],
            cwd=subject.folder,
            env=environment(around.address, subject),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        around.done.wait(STUCK_S)
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        process.kill()
        output = process.communicate()[0]
    measured = Run(
        ready_ms=(around.ready_at - started) * 1e3,
        answered_ms=(around.answered_at - started) * 1e3,
        # Not ru_maxrss: it begins with the size of the process that forked.
        peak_mb=int(status.partition("VmHWM:")[2].split()[0]) * 1024 / MB,
    )
    return measured, around, output


def environment(address: str, subject: Subject) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
        "LAMBDA_TASK_ROOT": str(subject.folder),
        "_HANDLER": subject.handler,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ENDPOINT_URL": f"http://{address}",
        "PYTHONDONTWRITEBYTECODE": "1",  # the bytecode that ships is measured
        PREFIX_KEY: PREFIX,
        BUCKET_KEY: BUCKET,
        QUEUE_KEY: f"http://{address}/123456789012/bounces.fifo",
        DEAD_LETTER_KEY: f"http://{address}/123456789012/dead.fifo",
        LEDGER_KEY: "ledger",
        DOMAIN_KEY: "amazonaws.com",
    }
