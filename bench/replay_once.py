"""Replays mails in a process of its own and prints what they cost, for `against.py`.

Arguments: the function behind the command, as `module:function`, then the command's arguments.
"""

import importlib
import io
import json
import os
import resource
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path


def main() -> None:
    """Print the CPU seconds of the command, and the peak of the process's memory in KB."""
    module, _, function = sys.argv.pop(1).partition(":")
    command = getattr(importlib.import_module(module), function)
    with redirect_stdout(io.TextIOWrapper(Path(os.devnull).open("wb"))):
        started = time.process_time()
        command()
        seconds = time.process_time() - started
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))


if __name__ == "__main__":
    main()
