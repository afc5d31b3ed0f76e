"""Reports a run to people: each step with its time, and below it the facts that it showed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from bouncer.errors import BouncerError


class ShowedError(BouncerError):
    """A step found something unexpected; the text says what it found and what it expected."""


class Story:
    """Writes steps to a stream as they end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._begun = time.monotonic()
        self._told: list[str] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Run one step; facts told within it are written below its line."""
        begun = time.monotonic()
        mark = "FAILED"
        try:
            yield
            mark = ""
        finally:
            self._write(f"{time.monotonic() - begun:6.1f} s  {title}{mark and '  ' + mark}")
            for line in self._told:
                self._write(f"          {line}")
            self._told.clear()

    def tell(self, line: str) -> None:
        """Note a fact that the step showed."""
        self._told.append(line)

    def end(self) -> float:
        """Write the whole time and return it in seconds."""
        took_s = time.monotonic() - self._begun
        self._write(f"{took_s:6.1f} s  in all")
        return took_s

    def _write(self, line: str) -> None:
        print(
            "".join(char if char.isprintable() else "?" for char in line),
            file=self._stream,
            flush=True,
        )


def expect(what: str, found: object, expected: object) -> None:
    """Raise `ShowedError` unless both are equal."""
    if found != expected:
        raise ShowedError(f"{what}: found {found!r}, expected {expected!r}")
