"""A publisher between parameters and a bucket, and what both hold."""

import io
import json
from datetime import UTC, datetime
from typing import Any

from bouncer.operator_settings import Settings
from bouncer.publisher import Publisher, Sources
from bouncer.publisher_journal import PublisherJournal
from bouncer.publishing.occasion import Scope
from bouncer.publishing.revision_store import RevisionStore
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sources.parameters import ParameterSource, SettingsSource
from bouncer.sources.pointer import POINTER_KEY, Pointer, read_pointer
from bouncer.sources.revision import Revision, read_revision, revision_key
from bouncer.sources.uploads import Uploads
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.s3_service import S3Service
from bouncer_sim.world.ssm_service import SsmService

PREFIX = "/p"
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


class FakeBrakes:
    """The rules that are braked, of a ledger that may be `down`."""

    def __init__(self) -> None:
        self.rules: set[str] = set()
        self.down: LedgerError | None = None

    def braked(self) -> frozenset[str]:
        if self.down is not None:
            raise self.down
        return frozenset(self.rules)


class PublishedWorld:
    """SSM and S3, and publishers that use them."""

    def __init__(self) -> None:
        self.now = NOW
        self.parameters = SsmService(self._seconds)
        self.bucket = S3Service()
        self.journal = io.StringIO()
        self.pauses = 0
        self.ledger = FakeBrakes()

    def _seconds(self) -> float:
        return self.now.timestamp()

    def put(self, name: str, text: str) -> None:
        """Write a parameter below the prefix."""
        self.parameters.put(f"{PREFIX}/{name}", text)

    def delete(self, name: str) -> None:
        """Delete a parameter below the prefix."""
        self.parameters.delete(f"{PREFIX}/{name}")

    def publisher(
        self, *, parameters: Any = None, bucket: Any = None, defaults: Settings | None = None
    ) -> Publisher:
        """A publisher in an environment of its own, with its clients of SSM and S3."""
        ssm = parameters or DirectClient(self.parameters)
        s3 = bucket or DirectClient(self.bucket)
        everything = ParameterSource(ssm, PREFIX, Uploads(s3, "rules").fetch)
        return Publisher(
            store=RevisionStore(s3, "rules"),
            sources=Sources(everything, SettingsSource(ssm, PREFIX)),
            ledger=self.ledger,
            defaults=defaults or Settings(),
            journal=PublisherJournal("publisher", "p", stream=self.journal),
            now=lambda: self.now,
            pause=self._pause,
        )

    def _pause(self) -> None:
        self.pauses += 1

    def publish(self, scope: Scope = Scope.EVERYTHING) -> Pointer:
        """Publish in a new environment, and return the pointer in the bucket."""
        published = self.publisher().publish(scope)
        assert published == self.pointer()
        return published

    def pointer(self) -> Pointer:
        """The pointer in the bucket."""
        return read_pointer(self.bucket.objects[POINTER_KEY])

    def revision(self) -> Revision:
        """The revision in force."""
        revision_id = self.pointer().revision
        return read_revision(revision_id, self.bucket.objects[revision_key(revision_id)])

    def lines(self, message: str | None = None) -> list[dict[str, Any]]:
        """The lines of the journal, or those of one event."""
        found = [json.loads(line) for line in self.journal.getvalue().splitlines()]
        return [line for line in found if message in (None, line["message"])]
