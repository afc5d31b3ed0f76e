"""The rules and settings that a command judges by."""

from bouncer.operator_settings import Settings
from bouncer.sources.loader import Loaded, Loader
from bouncer.sources.source import Source
from bouncer_cli.commands.terminal import say
from bouncer_cli.commands.usage import UsageError
from bouncer_sim.clock import SystemClock, now


def load(source: Source) -> Loaded:
    """Return the rules and settings in force; raises `UsageError` for any invalid document.

    The functions keep an earlier version in its place; here somebody can correct it at once. Doubts
    about valid rules are printed on stderr.
    """
    loaded = Loader(source, Settings(), now=SystemClock().time).load()
    if loaded.problems:
        raise UsageError("\n".join(loaded.problems))
    if not loaded.ruleset.rules:
        raise UsageError("--rules: found no rule in force, expected at least one")
    for warning in loaded.warnings(now(SystemClock())):
        say(f"warning: {warning}")
    return loaded
