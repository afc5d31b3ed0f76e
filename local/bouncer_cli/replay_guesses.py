"""Counts what replay had to guess about raw mails, and the bounces that lacked verdicts alone."""

from collections import Counter

from bouncer.judge import Judgement
from bouncer.mail.message import ABSENT, ASSUMABLE, SENDER

_UNPROVEN = {"unauthenticated", "unverifiable"}

HINT = (
    "{bounces} withheld because neither SPF nor DMARC has a verdict. SES writes verdicts into mail "
    "that it stores; for other mail, name them with --verdict spf=pass, or name the server whose "
    "Authentication-Results are to be believed with --trust mx.google.com"
)


class Guesses:
    """The number of mails with an assumed or unknown envelope, or with no verdicts."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._without_verdicts = 0

    def add(self, judgement: Judgement) -> None:
        """Count the guesses of one mail."""
        message = judgement.message
        for part in message.assumed:
            unknown = part == SENDER and message.sender_unknown
            self._counts[f"{'unknown' if unknown else 'assumed'} {part}"] += 1
        silent = message.verdicts["spf"] == message.verdicts["dmarc"] == ABSENT
        self._without_verdicts += silent and not _UNPROVEN.isdisjoint(judgement.withheld.values())

    def __str__(self) -> str:
        """Return the counts for the end of a summary; empty if nothing was guessed."""
        order = (*(f"assumed {part}" for part in ASSUMABLE), "unknown sender")
        counts = [f"{words} in {self._counts[words]}" for words in order if self._counts[words]]
        return f"; {', '.join(counts)}" if counts else ""

    @property
    def hint(self) -> str | None:
        """The way to name verdicts, if bounces were withheld for want of them alone."""
        if not self._without_verdicts:
            return None
        count = self._without_verdicts
        return HINT.format(bounces="1 bounce was" if count == 1 else f"{count} bounces were")
