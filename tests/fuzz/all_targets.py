"""The targets by name, each in a module of its own; a module is imported when it is asked for.

A process that is to see which code an input reaches prepares the imports, so this imports none.
"""

from importlib import import_module

from tests.fuzz.fuzz_target import FuzzTarget

NAMES = (
    *("event", "header", "address", "file", "document"),
    *("job", "feedback", "dsn", "journal", "command"),
)
PACKAGES = ("bouncer", "bouncer_cli", "bouncer_infra", "bouncer_sim", "olefile")  # looked into


def target(name: str) -> FuzzTarget:
    """Return the target of a name in `NAMES`."""
    found: FuzzTarget = import_module(f"tests.fuzz.{name}_target").TARGET
    return found
