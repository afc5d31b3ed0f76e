"""Runs the `bouncer` command in a pseudo terminal, as a person at a screen sees it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def shown_at(columns: int, *arguments: object, folder: Path) -> list[str]:
    """Return the lines that the command shows in a terminal of this width, without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    process = subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-m", "bouncer_cli.command_line", *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**environment, "TERM": "xterm"},
    )
    os.close(theirs)
    text = _all_of(ours)
    process.wait(60)
    os.close(ours)
    return [_STYLE.sub("", line).rstrip() for line in text.replace("\r\n", "\n").splitlines()]


def _all_of(terminal: int) -> str:
    """Read until the other side is closed, which Linux reports as an error."""
    parts: list[bytes] = []
    try:
        while part := os.read(terminal, 65536):
            parts.append(part)
    except OSError:
        pass
    return b"".join(parts).decode()
