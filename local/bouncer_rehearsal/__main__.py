"""Run a rehearsal: `make deploy-local`, `make upgrade-local`, `make wheel-local`; or `make freeze`.

The exit status is 0 if every step was as expected.
"""

import argparse
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError

from bouncer.errors import BouncerError
from bouncer_rehearsal.freeze import freeze
from bouncer_rehearsal.journey import Journey
from bouncer_rehearsal.own_apps import OwnApps
from bouncer_rehearsal.story import Story
from bouncer_rehearsal.upgrade import Upgrade

ROOT = Path(__file__).resolve().parents[2]
RELEASES = ROOT / "tests" / "upgrade"


def main() -> int:
    """Run one rehearsal and return its exit status; an error is one sentence."""
    parser = argparse.ArgumentParser(prog="bouncer_rehearsal", description=__doc__)
    parser.add_argument("what", choices=tuple(_REHEARSALS), nargs="?", default="deploy-local")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: build/ and the word")
    options = parser.parse_args()
    out = (options.out or ROOT / "build" / options.what).resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    story = Story(sys.stdout)
    try:
        _REHEARSALS[options.what](out, story)
    except (BouncerError, BotoCoreError, ClientError) as error:
        print(f"{error}\nLogs and templates are in {out}.", file=sys.stderr)  # noqa: T201  # to people
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)  # noqa: T201
        return 130
    story.end()
    print(f"Bounces, logs and templates are in {out}.")  # noqa: T201
    return 0


def _deploy(out: Path, story: Story) -> None:
    Journey(root=ROOT, out=out, story=story).run()


def _upgrade(out: Path, story: Story) -> None:
    """From each frozen release, the latest first."""
    for release in sorted(RELEASES.glob("*/"), reverse=True):
        folder = out / release.name
        folder.mkdir()
        Upgrade(release=release, root=ROOT, out=folder, story=story).run()


def _own_apps(out: Path, story: Story) -> None:
    OwnApps(root=ROOT, out=out, story=story).run()


def _freeze(out: Path, story: Story) -> None:
    with story.step("freeze the present version"):
        story.tell(str(freeze(ROOT, out).relative_to(ROOT)))


_REHEARSALS: dict[str, Callable[[Path, Story], None]] = {
    "deploy-local": _deploy,
    "upgrade-local": _upgrade,
    "wheel-local": _own_apps,
    "freeze": _freeze,
}


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # as signal calls it
    """Unwind a termination like an interrupt, so that every child is ended."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
