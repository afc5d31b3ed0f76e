"""A row of docs/ses-coverage.md: a member of SES's classic interface, its users and its tests."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Code(NamedTuple):
    """A part of ours whose source, at `path`, has `word`: the member, or its name in SESv2."""

    part: str
    path: str
    word: str

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with it."""
        source = ROOT / self.path
        if not source.is_file():
            yield f"{self.path}: found no such file"
        elif not re.search(rf"\b{re.escape(self.word)}\b", source.read_text(encoding="utf-8")):
            yield f"{self.path}: found no {self.word}"

    def shown(self, member: str) -> str:
        """Return it as a cell of the table shows it: with its own word for the member, if any."""
        said = "" if self.word in member else f" `{self.word}` in"
        return f"{self.part}:{said} [{Path(self.path).name}](../{self.path})"


class Property(NamedTuple):
    """A property of a CloudFormation resource by its path: `SendingOptions.SendingEnabled`.

    With an empty path it is the resource: created, replaced or deleted with it.
    """

    resource: str
    path: str = ""

    def shown(self, _: str) -> str:
        """Return it as a cell of the table shows it."""
        return f"CloudFormation: `{self.resource}`" + (f" `{self.path}`" if self.path else "")


@dataclass(frozen=True, slots=True)
class Row:
    """A member of an operation by its path; `not_ours` says why nothing of ours uses it."""

    member: str
    uses: tuple[Code | Property, ...] = ()
    tests: tuple[str, ...] = ()
    not_ours: str = ""

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the row, but for properties, which only CDK can tell."""
        if bool(self.not_ours) == bool(self.uses):
            yield "expected either uses or a reason to have none"
        if self.uses and not self.tests:
            yield "found no test"
        for use in self.uses:
            if isinstance(use, Code):
                yield from use.faults()
        for test in self.tests:
            yield from _faults_of(test)


def _faults_of(test: str) -> Iterator[str]:
    path, _, name = test.partition("::")
    if not (ROOT / path).is_file():
        yield f"{path}: found no such file"
    elif f"\ndef {name}(" not in (ROOT / path).read_text(encoding="utf-8"):
        yield f"{path}: found no {name}"
