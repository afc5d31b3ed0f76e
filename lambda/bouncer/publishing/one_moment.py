"""Reads all parameters as they were at one moment, though it takes many calls.

SSM lists ten parameters in a call, and they may change between two calls. So they are read twice:
those that are the same both times were all there in between, when `pushing` was read. If there was
no push then, they are not half of one.
"""

from datetime import datetime

from bouncer.publishing.pushing import pushing_state
from bouncer.sources.source import Documents, Source, SourceError


class ChangedError(SourceError):
    """Parameters changed while they were read."""


def read_at_one_moment(everything: Source, settings: Source, now: datetime) -> Documents:
    """Return all documents as they were at one moment; raises `ChangedError` and `SourceError`.

    `settings` reads `pushing`, too. If a push began meanwhile, all are read once, as no rule is to
    be taken from them. `now` is aware.
    """
    found = everything.read()
    pushing = settings.read().pushing
    lasts, _ = pushing_state(pushing, now)
    if not lasts and everything.read() != found:
        raise ChangedError("parameters changed while they were read; the next run reads them again")
    return found._replace(pushing=pushing)
