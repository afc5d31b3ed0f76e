"""Documents in force without a publisher of their own: what it would publish, read as functions do.

Tests, bench and commands use it, so that there is one way to put documents in force.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from bouncer.operator_settings import Settings
from bouncer.publishing.list_forms import FormsInMemory
from bouncer.publishing.publication import InForce, PublishingError, publication
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.loaded import Loaded
from bouncer.sources.pointer import Pointer
from bouncer.sources.revision import Revision
from bouncer.sources.revision_loader import RevisionLoader
from bouncer.sources.source import Documents, Source, SourceError

_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)  # only a push has one, and here nobody pushes


class DocumentBucket:
    """A bucket whose pointer is published anew each time that it is asked for.

    `defaults` hold where the settings say nothing. The pointer raises `SourceError` as `source`
    does, and if the first settings are invalid.
    """

    def __init__(self, source: Source, defaults: Settings) -> None:
        self._source = source
        self._defaults = defaults
        self._forms = FormsInMemory()
        self._in_force: InForce | None = None
        self._changes = 0

    def pointer(self, known: str) -> tuple[Pointer, str] | None:
        """Return the pointer and its ETag; None if that is `known`."""
        found = in_force(self._source.read(), self._in_force, self._defaults, self._forms)
        if found != self._in_force:
            self._changes += 1
        self._in_force = found
        etag = str(self._changes)
        return None if etag == known else (found.pointer, etag)

    def revision(self, _: str) -> Revision:
        """Return the revision that the pointer named last."""
        if self._in_force is None:
            raise SourceError("no revision: nobody has asked for the pointer")
        return self._in_force.revision

    def list_form(self, digest: str) -> bytes:
        """Return the look-up form of a list."""
        return self._forms.forms[digest]


def document_loader(
    source: Source, defaults: Settings, *, now: Callable[[], float]
) -> RevisionLoader:
    """Return the intake's loader, of what the publisher would make of these documents.

    The senders of the worker are those of `defaults`: they come from the deployment.
    """
    return RevisionLoader(
        DocumentBucket(source, defaults),
        now=now,
        senders=defaults.senders,
        reply_senders=defaults.reply_senders,
    )


def load_documents(source: Source, defaults: Settings) -> Loaded:
    """Return what documents put in force, with the publisher's problems; raises `SourceError`."""
    forms = FormsInMemory()
    pointer, revision = in_force(source.read(), None, defaults, forms)
    problems = tuple(said for found in pointer.problems.values() for said in found)
    ruleset = Ruleset(revision.rules, forms.named_lists(revision.lists))
    return Loaded(ruleset, pointer.settings, problems, causes=pointer.causes, limits=pointer.limits)


def in_force(
    documents: Documents, before: InForce | None, defaults: Settings, forms: FormsInMemory
) -> InForce:
    """Return what documents put in force, as if nobody pushed; raises `SourceError`."""
    documents = documents._replace(pushing=None)
    try:
        return publication(documents, before, defaults=defaults, now=_ANY_TIME, forms=forms)
    except PublishingError as error:
        raise SourceError(str(error)) from error
