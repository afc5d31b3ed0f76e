"""The journal of the publisher: what it put in force, and what it refused.

A refused document is reported by each run, so that its alarm lasts until the document is corrected.
"""

from collections.abc import Collection

from bouncer.journal import Journal, error_text
from bouncer.metric_names import Metric
from bouncer.operator_settings import Settings
from bouncer.sources.pointer import Pointer


class PublisherJournal(Journal):
    """Writes the journal of the publisher."""

    def show(self, settings: Settings) -> None:
        """Write addresses in all lines that follow in the form that the settings ask for."""
        self._addresses = settings.addresses

    def published(self, pointer: Pointer) -> None:
        """Report that another revision, or other settings, are in force from now on."""
        fields = {
            "revision": pointer.revision,
            "serial": pointer.serial,
            "mode": pointer.settings.mode,
            "causes": [str(cause) for cause in pointer.causes],
            "braked": pointer.braked,
        }
        self._write("published", fields, {Metric.PUBLISHED: 1})

    def refused(self, pointer: Pointer) -> None:
        """Report the documents that are not in force as they are written, if there are any."""
        if not pointer.problems:
            return
        problems = [said for found in pointer.problems.values() for said in found]
        count = {Metric.INVALID_DOCUMENTS: len(pointer.problems)}
        self._write("documents_invalid", {"problems": problems}, count, level="error")

    def braked(self, pointer: Pointer) -> None:
        """Report the rules that are braked, if there are any, until they are released."""
        if pointer.braked:
            count = {Metric.BRAKED_RULES: len(pointer.braked)}
            self._write("rules_braked", {"braked": pointer.braked}, count, level="error")

    def released(self, rules: Collection[str]) -> None:
        """Report rules that are braked no more, by an operator or because the ledger was lost."""
        count = {Metric.RELEASED_RULES: len(rules)}
        self._write("rules_released", {"released": sorted(rules)}, count, level="warning")

    def brakes_unread(self, error: Exception) -> None:
        """Report that the ledger did not say which rules are braked: those of before stay so."""
        fields = {"error": error_text(error)}
        self._write("brakes_unread", fields, {Metric.PUBLISHER_ERRORS: 1}, level="error")

    def doubtful(self, warnings: tuple[str, ...]) -> None:
        """Report valid documents that are hardly meant so."""
        if warnings:
            count = {Metric.DOCUMENT_WARNINGS: len(warnings)}
            self._write("documents_doubtful", {"warnings": warnings}, count, level="warning")

    def mended(self, problem: str) -> None:
        """Report an object of the bucket that was missing or unreadable, and is written anew."""
        self._write(
            "object_mended", {"error": problem}, {Metric.PUBLISHER_ERRORS: 1}, level="error"
        )

    def publishing_failed(self, error: Exception) -> None:
        """Report that nothing was published; what was in force before stays so."""
        fields = {"error": error_text(error)}
        self._write("publishing_failed", fields, {Metric.PUBLISHER_ERRORS: 1}, level="error")
