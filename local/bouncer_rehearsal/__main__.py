"""`make deploy-local`: the journey as a command; exit status 0 if every step was as expected."""

import argparse
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError

from bouncer.errors import BouncerError
from bouncer_rehearsal.journey import Journey
from bouncer_rehearsal.story import Story

ROOT = Path(__file__).resolve().parents[2]
MOST_S = 180.0


def main() -> int:
    """Run the journey and return its exit status; an error is one sentence."""
    parser = argparse.ArgumentParser(prog="make deploy-local", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "deploy-local", metavar="DIR")
    out = parser.parse_args().out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    story = Story(sys.stdout)
    try:
        Journey(root=ROOT, out=out, story=story).run()
    except (BouncerError, BotoCoreError, ClientError) as error:
        print(f"{error}\nLogs and templates are in {out}.", file=sys.stderr)  # noqa: T201  # to people
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)  # noqa: T201
        return 130
    story.end()
    print(f"Bounces, logs and templates are in {out}.")  # noqa: T201
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # as signal calls it
    """Unwind a termination like an interrupt, so that every child is ended."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
