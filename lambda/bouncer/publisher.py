"""The Lambda function that puts documents in force: parameters become a revision and the pointer.

It runs when a parameter below the prefix changed, every minute for the settings alone, every 15
minutes for everything, when `bouncer` asks for it, and once before the stack's receipt rule exists.
Whenever it fails, what was in force before stays so.
"""

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, Protocol

import boto3
from botocore.config import Config

from bouncer.aws.custom_resource import NOT_CREATED, RESERVE_S, answer, result_of
from bouncer.aws.powertools_writer import powertools_writer
from bouncer.environment import DEFAULTS_KEY, PublisherEnvironment
from bouncer.operator_settings import Settings
from bouncer.publisher_journal import PublisherJournal
from bouncer.publishing.list_forms import StoredForms
from bouncer.publishing.occasion import PUBLISH, RESOURCE_TYPE, Scope
from bouncer.publishing.one_moment import ChangedError, read_at_one_moment
from bouncer.publishing.publication import (
    InForce,
    PublishingError,
    publication,
    revision_warnings,
    settings_publication,
)
from bouncer.publishing.pushing import pushing_state
from bouncer.publishing.revision_store import (
    NO_POINTER,
    ConflictError,
    RevisionStore,
    Stored,
    StoreError,
)
from bouncer.sending import table
from bouncer.sending.brakes_ledger import BrakesLedger
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.table import Table
from bouncer.settings_reader import deployment_settings
from bouncer.sources.parameters import ParameterSource, SettingsSource
from bouncer.sources.pointer import Pointer
from bouncer.sources.revision import NO_RULES, RevisionError
from bouncer.sources.settings_json import settings_digest
from bouncer.sources.source import Documents, SourceError
from bouncer.sources.uploads import Uploads

# SSM throttles bursts: many parameters are many calls.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 6})
_TRIES = 8  # of an invocation that meets others
_LONGEST_PAUSE_S = 1.0

# IAM: a new policy takes seconds to be known everywhere; ours may be as new as the stack.
_NEW_POLICY_REFUSALS = 60


class Reader(Protocol):
    """A reader of documents as they are now."""

    def read(self) -> Documents:
        """Return them; raises `SourceError`."""


class BrakesReader(Protocol):
    """A reader of the rules that are braked."""

    def braked(self) -> frozenset[str]:
        """Return their names; raises `LedgerError`."""


class Sources(NamedTuple):
    """The readers of all documents, and of the settings with `held` and `pushing` alone."""

    everything: Reader
    settings: Reader


class Publisher:
    """Publishes documents; `now` is the time of day, and `pause` waits before the next try."""

    def __init__(
        self,
        *,
        store: RevisionStore,
        sources: Sources,
        ledger: BrakesReader,
        defaults: Settings,
        journal: PublisherJournal,
        now: Callable[[], datetime],
        pause: Callable[[], None],
    ) -> None:
        self._store = store
        self._forms = StoredForms(store)
        self._sources = sources
        self._ledger = ledger
        self._defaults = defaults
        self._digest = settings_digest(defaults)
        self._was_newest = False
        self._journal = journal
        self._now = now
        self._pause = pause

    def publish(self, scope: Scope, *, request_id: str = "", refusals: int = 0) -> Pointer:
        """Put the documents in force and return the pointer.

        So many `refusals` of SSM and S3 are passed over in silence. Raises `PublishingError`,
        `SourceError` and `StoreError`, which are journalled.
        """
        self._journal.begin(request_id)
        try:
            pointer = self._patiently_published(scope, refusals)
        except Exception as error:
            self._journal.publishing_failed(error)
            raise
        self._journal.refused(pointer)
        self._journal.braked(pointer)
        return pointer

    def _patiently_published(self, scope: Scope, refusals: int) -> Pointer:
        for _ in range(refusals):
            try:
                return self._published(scope)
            except (SourceError, StoreError):
                self._pause()
        return self._published(scope)

    def _published(self, scope: Scope) -> Pointer:
        """Start over from the pointer as often as somebody moves it or changes a parameter."""
        for left in reversed(range(_TRIES)):
            try:
                return self._try(scope)
            except (ConflictError, ChangedError):
                if not left:
                    raise
            self._pause()
        raise AssertionError  # never reached: the last try returns or raises

    def _try(self, scope: Scope) -> Pointer:
        stored = self._store.read()  # before the first parameter: what is read later is as new
        if stored.pointer is not None:
            self._journal.show(stored.pointer.settings)
            self._expect_newest(stored.pointer.defaults)
        pointer = self._settings(scope, stored.pointer) or self._everything(stored)
        pointer = pointer._replace(braked=self._braked(pointer.braked))
        self._journal.show(pointer.settings)
        if pointer == stored.pointer:
            return pointer
        pointer = pointer._replace(serial=pointer.serial + 1)
        self._move(pointer, stored.etag)
        before = stored.pointer.braked if stored.pointer else ()
        if released := set(before).difference(pointer.braked):
            self._journal.released(released)
        return pointer

    def _expect_newest(self, defaults: str) -> None:
        """Raise `PublishingError` if our defaults were in force, and others have replaced them.

        Then the stack was updated, and this environment still has the settings from before.
        """
        is_ours = defaults == self._digest
        if self._was_newest and not is_ours:
            raise PublishingError(
                "the stack was updated since this environment of the publisher began, and its "
                "settings are out of date; an environment that has the new ones publishes"
            )
        self._was_newest = is_ours

    def _move(self, pointer: Pointer, etag: str) -> None:
        """Move the pointer and report it, also if the answer was lost.

        The client then tries again, and S3 refuses, as the pointer was moved: by the first try.
        """
        try:
            self._store.move(pointer, etag)
        except StoreError:
            if self._store.read().pointer != pointer:
                raise
        self._was_newest = True
        self._journal.published(pointer)

    def _braked(self, before: tuple[str, ...]) -> tuple[str, ...]:
        """Return the rules that the ledger names as braked; those of before if it can't be read.

        A ledger that is away must not keep settings from being published.
        """
        try:
            return tuple(sorted(self._ledger.braked()))
        except LedgerError as error:
            self._journal.brakes_unread(error)
            return before

    def _settings(self, scope: Scope, before: Pointer | None) -> Pointer | None:
        """Return the pointer with the settings of now if nothing else is to be published.

        That is so during a push, too: then rules are not read, as its changes call for them again
        and again, and SSM limits the reads of an account.
        """
        if before is None:
            return None
        documents, now = self._sources.settings.read(), self._now()
        pushing, _ = pushing_state(documents.pushing, now)
        if scope is Scope.EVERYTHING and not pushing:
            return None
        return settings_publication(documents, before, defaults=self._defaults, now=now)

    def _everything(self, stored: Stored) -> Pointer:
        """Write the revision of all documents, if it is not there, and return its pointer."""
        now = self._now()
        documents = read_at_one_moment(self._sources.everything, self._sources.settings, now)
        if pushing_state(documents.pushing, now)[0] and stored != NO_POINTER:
            return self._during_push(documents, stored, now)
        before, problem = self._before(stored)
        if before is not None:
            self._forms.learn(before.pointer.sources, before.revision.lists)
        found = publication(documents, before, defaults=self._defaults, now=now, forms=self._forms)
        self._journal.show(found.pointer.settings)
        if problem or before is None or found.revision != before.revision:
            self._store.keep(found.revision)
        if problem:
            self._journal.mended(problem)
        warnings = revision_warnings(found.revision, found.pointer.settings, now)
        self._journal.doubtful(warnings)
        return found.pointer

    def _during_push(self, documents: Documents, stored: Stored, now: datetime) -> Pointer:
        """Return the pointer for a push that began meanwhile: rules stay, readable or not."""
        if stored.pointer is None:
            raise PublishingError(f"{stored.problem}; it is written anew when the push has ended")
        return settings_publication(documents, stored.pointer, defaults=self._defaults, now=now)

    def _before(self, stored: Stored) -> tuple[InForce | None, str]:
        """Return what is in force now, and a sentence about what of it can't be read."""
        if stored.pointer is None:
            return None, stored.problem
        try:
            return InForce(stored.pointer, self._store.revision(stored.pointer.revision)), ""
        except RevisionError as error:
            return InForce(stored.pointer, NO_RULES), str(error)


def _pause() -> None:
    time.sleep(random.uniform(0, _LONGEST_PAUSE_S))  # noqa: S311  # no secret


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _publisher() -> Publisher:
    """Build the function with its dependencies, once, at its first event."""
    environment = PublisherEnvironment.from_env(os.environ)
    ssm, s3 = boto3.client("ssm", config=_CONFIG), boto3.client("s3", config=_CONFIG)
    uploads = Uploads(s3, environment.bucket)
    return Publisher(
        store=RevisionStore(s3, environment.bucket),
        sources=Sources(
            everything=ParameterSource(ssm, environment.prefix, uploads.fetch),
            settings=SettingsSource(ssm, environment.prefix),
        ),
        defaults=replace(
            deployment_settings(environment.settings, environment.region, document=DEFAULTS_KEY),
            reply_senders=environment.reply_senders,
        ),
        ledger=BrakesLedger(
            Table(boto3.client("dynamodb", config=table.CONFIG), environment.ledger_table)
        ),
        journal=PublisherJournal(
            "publisher", environment.deployment, write=powertools_writer("publisher")
        ),
        now=_now,
        pause=_pause,
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any] | None:
    """Publish what an event asks for: the Lambda entry point.

    `{"publish": "settings"}` asks for the settings and what is braked; any other event, such as a
    batch of changed parameters, for everything. A request of CloudFormation is answered; all others
    get the revision in force, its serial, the problems and the braked rules, or fail.
    """
    if "RequestType" in event:
        _answer(event, context)
        return None
    asked = event.get(PUBLISH)
    scope = Scope.SETTINGS if asked == Scope.SETTINGS else Scope.EVERYTHING
    pointer = _publisher().publish(scope, request_id=context.aws_request_id)
    return {
        "revision": pointer.revision,
        "serial": pointer.serial,
        "problems": {name: list(found) for name, found in pointer.problems.items()},
        "braked": list(pointer.braked),
    }


def _answer(request: Mapping[str, Any], context: Any) -> None:
    """Publish the first revision of a stack and tell CloudFormation; nothing is ever deleted."""

    def left_s() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    def publish() -> str:
        if request["RequestType"] != "Delete":
            _publisher().publish(
                Scope.EVERYTHING,
                request_id=context.aws_request_id,
                refusals=_NEW_POLICY_REFUSALS,
            )
        return str(request.get("PhysicalResourceId") or RESOURCE_TYPE)

    result = result_of(
        publish,
        failed_id=lambda: str(request.get("PhysicalResourceId") or NOT_CREATED),
        within_s=left_s() - RESERVE_S,
    )
    answer(request, result, left_s=left_s, sleep=time.sleep)
