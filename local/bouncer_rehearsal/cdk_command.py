"""Runs the CDK command line, as pinned in package-lock.json, in a folder with its own cdk.json."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bouncer.errors import BouncerError
from bouncer_rehearsal.emulator import stop

_TIMEOUT_S = 300
_LAST_LINES = 15
_SILENT: dict[str, object] = {"versionReporting": False, "notices": False}


class CdkError(BouncerError):
    """A CDK command failed; the text ends with the last lines it wrote."""


class Cdk:
    """Runs commands for the app of the checkout at `root` with `settings`.

    `folder` gets a cdk.json with the checkout's feature flags, the synthesised templates, and the
    output of the commands in cdk.log. With `settings` None it has a cdk.json of its own, which
    stays as it is.
    """

    def __init__(
        self,
        root: Path,
        folder: Path,
        *,
        node: Path,
        environment: Mapping[str, str],
        settings: Mapping[str, Any] | None,
    ) -> None:
        self._command = [str(node), str(root / "node_modules" / "aws-cdk" / "bin" / "cdk")]
        if not Path(self._command[1]).exists():
            raise CdkError(
                f"{self._command[1]}: found nothing, expected the CDK command line, "
                "which `make cdk` installs"
            )
        self._root = root
        self._folder = folder
        self._environment = environment
        self.log = folder / "cdk.log"
        self._without_app = folder / "no-app"
        self._without_app.mkdir(exist_ok=True)
        _write(self._without_app / "cdk.json", _SILENT)
        if settings is not None:
            self.configure(settings)

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Write the cdk.json of the app with these settings."""
        context = json.loads((self._root / "cdk.json").read_text(encoding="utf-8"))["context"]
        app = {
            "app": shlex.join([sys.executable, str(self._root / "app.py")]),
            "context": {**context, "bouncer": dict(settings)},
            "requireApproval": "never",
        }
        _write(self._folder / "cdk.json", _SILENT | app)

    def bootstrap(self, environment: str) -> None:
        """Bootstrap an environment, `aws://ACCOUNT/REGION`; no app is synthesised for it."""
        self._run(self._without_app, "bootstrap", environment)

    def run(self, *words: str) -> str:
        """Run one command for the app and return what it wrote; raises `CdkError`."""
        return self._run(self._folder, *words)

    def _run(self, folder: Path, *words: str) -> str:
        start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as said:
            process = subprocess.Popen(  # noqa: S603  # our own CLI
                [*self._command, *words, "--no-color", "--ci"],
                cwd=folder,
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                status = f"exit status {process.wait(_TIMEOUT_S)}"
            except subprocess.TimeoutExpired:
                status = f"no end after {_TIMEOUT_S} seconds"
            finally:
                stop(process)
        with self.log.open("rb") as said:
            said.seek(start, os.SEEK_SET)
            text = said.read().decode("utf-8", "replace")
        if status != "exit status 0":
            last = "\n  ".join(text.strip().splitlines()[-_LAST_LINES:])
            raise CdkError(f"cdk {' '.join(words)}: found {status}, expected 0:\n  {last}")
        return text


def _write(path: Path, document: Mapping[str, object]) -> None:
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
