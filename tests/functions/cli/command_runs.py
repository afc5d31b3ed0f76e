"""Builders for the tests of cli."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bouncer_cli import command_line as cli
from bouncer_cli.commands.demo_command import SAMPLES

ROOT = Path(cli.__file__).resolve().parents[2]


Run = Callable[..., tuple[int, str, str]]


def sample(name: str) -> Path:
    return next(SAMPLES.glob(f"{name}*.eml"))


def objects(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@contextmanager
def serving(words: list[str], folder: Path) -> Iterator[dict[str, Any]]:
    """Run `bouncer ses` in a folder; yield what it prints once it is ready."""
    process = subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-m", "bouncer_cli.command_line", *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        process.stdout.close()
