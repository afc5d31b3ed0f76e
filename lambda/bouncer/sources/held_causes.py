"""The causes that hold sending, from the settings and the document `held`."""

from bouncer.errors import DocumentError
from bouncer.held import Held
from bouncer.held_document import read_held
from bouncer.operator_settings import Settings
from bouncer.sources.source import SETTINGS, Document

BY_SETTINGS = "the settings"


def settings_causes(
    settings: Settings, document: Document | None, defaults: Settings
) -> tuple[Held, ...]:
    """Return `sending: paused` as a cause; `document` has the settings, over the `defaults`.

    Settings of the deployment itself have no time: their start is not known.
    """
    if settings.sending:
        return ()
    named = document.label if document else SETTINGS
    since = document.modified if document and defaults.sending else None
    return (Held(since=since, by=BY_SETTINGS, why="sending: paused", document=named),)


def document_causes(document: Document | None) -> tuple[tuple[Held, ...], str]:
    """Return the document `held` as a cause; one that can't be read is a cause, and a problem."""
    if document is None:
        return (), ""
    try:
        return (read_held(document.plain_text, document=document.label),), ""
    except DocumentError as error:
        why = "the document can't be read"
        by_nobody = Held(
            since=document.modified, by="nobody known", why=why, document=document.label
        )
        return (by_nobody,), str(error)
