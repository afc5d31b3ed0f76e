"""The script `bouncer`: starts the command line, or says which extra of the wheel is missing.

Without the extra `local` the wheel brings only what runs in AWS.
"""

import sys
from importlib.util import find_spec

_OF_THE_EXTRA = {"boto3": "boto3", "dns": "dnspython", "rich": "rich"}
DISTRIBUTION = "ses-auto-bouncer"
WRONG_USAGE = 2  # an exit status, as the next
INTERRUPTED = 130


def main() -> int:
    """Run the command; returns its exit status."""
    missing = [package for name, package in _OF_THE_EXTRA.items() if find_spec(name) is None]
    if missing:
        print(  # noqa: T201  # to people
            f"bouncer: packages are missing ({', '.join(missing)}): "
            f"run pip install '{DISTRIBUTION}[local]'",
            file=sys.stderr,
        )
        return WRONG_USAGE
    from bouncer_cli.command_line import main as run  # noqa: PLC0415  # it needs that extra

    return run()
