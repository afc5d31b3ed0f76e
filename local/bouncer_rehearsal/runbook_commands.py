"""Finds the commands of the pages for operators, and runs them as they stand there.

A page shows a command as code that begins with `aws`, `bouncer` or `cdk`, or as a block of shell.
The pages speak of the deployment `main`; a rehearsal's has another name. A word in capitals stands
for a value that the operator has read before.
"""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bouncer.errors import BouncerError
from bouncer.function_limits import PRODUCT
from bouncer_infra.deployment_settings import DEFAULT_NAME

_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^ {4,}((?:aws|bouncer|cdk) .+)$", re.MULTILINE)
_TIMEOUT_S = 120
# The command line leads SQS to its old address, whatever the environment says: every call names the
# emulator.
_HERE = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }; '


class RunbookError(BouncerError):
    """A command of a page is missing, or did not do what the page says."""


def _said(done: "subprocess.CompletedProcess[str]") -> str:
    """Return what a command wrote, for the end of an error: a table of problems may be in it."""
    return f"{done.stdout}{done.stderr}".strip()


def commands(page: str) -> list[str]:
    """Return the commands of a page in order, each once; a block is one command."""
    blocks = [match[1] for match in _BLOCK.finditer(page)]
    lines = _COMMAND.findall(_BLOCK.sub("", page))
    return list(dict.fromkeys([*blocks, *lines]))


class RunbookCommands:
    """The commands of `pages`, run in `folder` with `environment` for the deployment `name`."""

    def __init__(
        self,
        pages: Sequence[Path],
        *,
        folder: Path,
        environment: Mapping[str, str],
        name: str,
        words: Mapping[str, str],
    ) -> None:
        texts = [page.read_text(encoding="utf-8") for page in pages]
        self._commands = [command for text in texts for command in commands(text)]
        self._folder = folder
        self._environment = environment
        self._name = name
        self._words = dict(words)
        self._used: set[str] = set()

    def run(self, *parts: str, fails: str = "", **words: str) -> str:
        """Run the first command that has all `parts`; return what it writes.

        It must succeed or, if `fails` is given, end with an error that says so.
        """
        command = self._find(parts)
        self._used.add(command)
        done = subprocess.run(  # noqa: S603  # the pages' own words
            ["/bin/bash", "-c", _HERE + self._for_here(command, words)],
            cwd=self._folder,
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
        as_expected = fails in done.stderr if fails else done.returncode == 0
        if not as_expected or bool(fails) != (done.returncode != 0):
            raise RunbookError(
                f"{command}: found exit status {done.returncode} and {_said(done)}, "
                f"expected {fails or 'exit status 0'}"
            )
        return done.stdout

    def unused(self) -> list[str]:
        """Return the commands that were not run."""
        return [command for command in dict.fromkeys(self._commands) if command not in self._used]

    def __len__(self) -> int:
        return len(self._used)

    def _find(self, parts: tuple[str, ...]) -> str:
        for command in self._commands:
            if all(part in command for part in parts):
                return command
        raise RunbookError(f"{' ... '.join(parts)}: found no such command in the pages")

    def _for_here(self, command: str, words: Mapping[str, str]) -> str:
        here = command.replace(f"{PRODUCT}-{DEFAULT_NAME}", f"{PRODUCT}-{self._name}")
        here = here.replace(f"/{PRODUCT}/{DEFAULT_NAME}", f"/{PRODUCT}/{self._name}")
        known = {**self._words, **words}
        return re.sub(r"\b[A-Z]+(?:_[A-Z]+)*\b", lambda word: known.get(word[0], word[0]), here)
