"""The script `bouncer`: starts the command line, or says which extra of the wheel is missing.

Without the extra `local` the wheel brings only what runs in AWS.
"""

import sys
from importlib.util import find_spec

_OF_THE_EXTRA = ("boto3", "dns", "moto", "rich")
_WRONG_USAGE = 2


def main() -> int:
    """Run the command; returns its exit status."""
    missing = [name for name in _OF_THE_EXTRA if find_spec(name) is None]
    if missing:
        print(  # noqa: T201  # to people
            f"bouncer: found no {', '.join(missing)}, expected the packages of the extra `local`: "
            "pip install 'ses-auto-bouncer[local]'",
            file=sys.stderr,
        )
        return _WRONG_USAGE
    from bouncer_cli.command_line import main as run  # noqa: PLC0415  # it needs that extra

    return run()
