"""The report: what came and what became of it, what waits, and what needs a person.

It is a value made of counts and of what holds now: rules, reasons and numbers, and the words of
operators. It has no address of a mail.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from bouncer.function_limits import PRODUCT
from bouncer.reporting.failures import FAILURES
from bouncer.reporting.journal_counts import Counts, JobCount
from bouncer.reporting.period import Period
from bouncer.reporting.standing import InForce, Standing
from bouncer.rules.rule import Mode
from bouncer.sending.ending import Outcome

_RUNBOOK = "docs/operations.md#"
_DEAD = {
    "dead-letters": ("1 job is a dead letter", "{} jobs are dead letters", "bouncer jobs list"),
    "dead-replies": (
        "1 reply is a dead letter",
        "{} replies are dead letters",
        "bouncer jobs list",
    ),
    "lost-feedback": (
        "1 event of a bounce was given up",
        "{} events of bounces were given up",
        f"see {_RUNBOOK}lost-feedback",
    ),
    "failed-events": (
        "1 mail went on unjudged, as its event failed",
        "{} mails went on unjudged, as their events failed",
        f"see {_RUNBOOK}failed-events",
    ),
}
_COLUMNS = {str(Outcome.SENT): "bounced", "replied": "replied"}  # other jobs were withheld


class Need(NamedTuple):
    """A state that lasts until a person ends it, and the next step: a command or a section."""

    what: str
    step: str


class Failed(NamedTuple):
    """A kind of failure in the period, how often it happened, and the next step."""

    what: str
    times: int
    step: str


class RuleLine(NamedTuple):
    """The counts of one rule: recipients, bounces, replies, what was withheld, and recorded only.

    `withheld` counts recipients at the intake, and bounces and replies behind it. None stands for
    what is not known.
    """

    rule: str
    matched: int | None
    bounced: int | None
    replied: int | None
    withheld: int | None
    recorded: int | None


_COUNTED = {  # the counts without which a number of a rule is not known
    "matched": ("decisions",),
    "bounced": ("jobs",),
    "replied": ("replies",),
    "withheld": ("decisions", "jobs", "replies"),
    "recorded": ("shadows",),
}


class WithheldLine(NamedTuple):
    """Bounces and replies that were withheld by one rule and for one reason."""

    reason: str
    rule: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The report on a deployment; `deployment` is the name that its resources have in AWS."""

    deployment: str
    period: Period
    counts: Counts
    standing: Standing

    @property
    def mails(self) -> int | None:
        """The mails that came."""
        found = self.counts.mails
        return None if found is None else sum(each.mails for each in found)

    @property
    def bounces(self) -> int | None:
        """The bounces that SES took."""
        return self.times(Outcome.SENT)

    @property
    def gaps(self) -> tuple[str, ...]:
        """The gaps: a sentence for each thing that could not be found out."""
        return self.counts.gaps + self.standing.gaps

    def times(self, event: str, **having: str) -> int | None:
        """Return how often an event was reported in the period, with these `reason` or `kind`."""
        found = self.counts.lines
        if found is None:
            return None
        return sum(
            each.times
            for each in found
            if each.event == event
            and all(getattr(each, name) == value for name, value in having.items())
        )

    def recipients(self, action: str, *, shadow: bool = False) -> int:
        """Return the recipients for whom rules decided so, as far as is known; "": none did.

        Those of mails that came in mode `shadow` are counted apart.
        """
        found = self.counts.decisions or ()
        return sum(
            each.recipients
            for each in found
            if each.action == action and (each.mode == Mode.SHADOW) == shadow
        )

    def step(self, step: str) -> str:
        """Return a next step; a command names the deployment, as a cdk.json may have several."""
        name = self.deployment.removeprefix(f"{PRODUCT}-")
        return f"{step} --deployment {name}" if step.startswith("bouncer ") else step

    @property
    def needs(self) -> tuple[Need, ...]:
        """The states that need a person, the most urgent first."""
        return tuple(Need(what, self.step(step)) for what, step in self._needs())

    @property
    def needs_known(self) -> bool:
        """Tell whether all was looked at that may need a person."""
        standing = self.standing
        return not standing.gaps and None not in (standing.alarms, standing.in_force)

    def _needs(self) -> Iterator[Need]:
        standing = self.standing
        for key, (one, many, step) in _DEAD.items():
            if count := standing.dead.get(key):
                yield Need(one if count == 1 else many.format(f"{count:,}"), step)
        said = set(standing.dead)
        for key, need in _needs_of(standing.in_force) if standing.in_force else ():
            said.add(key)
            yield need
        for key in standing.alarms or ():
            if key not in said:
                yield Need(f"alarm {self.deployment}-{key} is in ALARM", f"see {_RUNBOOK}{key}")

    @property
    def failures(self) -> tuple[Failed, ...]:
        """The kinds of failure in the period, as `FAILURES` lists them."""
        found = self.counts.lines or ()
        failed = (
            Failed(
                row.says, sum(each.times for each in found if row.fits(each)), self.step(row.step)
            )
            for row in FAILURES
        )
        return tuple(each for each in failed if each.times)

    @property
    def _jobs(self) -> tuple[JobCount, ...]:
        """The bounces and replies behind the intake."""
        return (self.counts.jobs or ()) + (self.counts.replies or ())

    @property
    def by_rule(self) -> tuple[RuleLine, ...]:
        """The counts of each rule that matched, those with the most matches first."""
        lines: dict[str, RuleLine] = {}

        def add(rule: str, **more: int) -> None:
            line = lines.get(rule, RuleLine(rule, 0, 0, 0, 0, 0))
            lines[rule] = line._replace(**{k: getattr(line, k) + n for k, n in more.items()})

        for each in self.counts.decisions or ():
            if each.rule:
                withheld = each.recipients if each.reason else 0
                add(each.rule, matched=each.recipients, withheld=withheld)
        for job in self._jobs:
            add(job.rule, **{_COLUMNS.get(job.event, "withheld"): job.jobs})
        for shadow in self.counts.shadows or ():
            add(shadow.rule, recorded=shadow.recipients)
        unknown: dict[str, Any] = dict.fromkeys(self.unknown_columns)
        most_first = sorted(lines.values(), key=lambda line: (-(line.matched or 0), line.rule))
        return tuple(line._replace(**unknown) for line in most_first)

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        """The numbers of rules that are not known."""
        return tuple(
            name
            for name, needed in _COUNTED.items()
            if any(getattr(self.counts, each) is None for each in needed)
        )

    @property
    def withheld(self) -> tuple[WithheldLine, ...]:
        """The bounces that were withheld, by rule and reason, the most frequent first."""
        found = [
            WithheldLine(each.reason, each.rule, each.recipients)
            for each in self.counts.decisions or ()
            if each.reason
        ]
        found += [
            WithheldLine(job.reason, job.rule, job.jobs)
            for job in self._jobs
            if job.event not in _COLUMNS
        ]
        return tuple(sorted(found, key=lambda line: (-line.times, line.reason, line.rule)))

    @property
    def unmatched_rules(self) -> tuple[str, ...] | None:
        """The rules in force that matched nothing; None if that is not known.

        It is not known either if no mail came, or if an answer had too many rules to hold them all.
        """
        counts, in_force = self.counts, self.standing.in_force
        known = None not in (counts.decisions, counts.shadows) and not counts.cut
        if not known or not self.mails or in_force is None or in_force.rules is None:
            return None
        matched = {line.rule for line in self.by_rule}
        return tuple(name for name in in_force.rules if name not in matched)


def _needs_of(in_force: InForce) -> Iterator[tuple[str, Need]]:
    """Yield what needs a person, with the key of the alarm that may say the same."""
    for cause in in_force.causes:
        yield "held", Need(str(cause), "bouncer resume")
    if not (in_force.sending or in_force.causes):
        yield "held", Need("sending is paused by the settings", "bouncer resume")
    for rule in in_force.braked:
        what = f"rule {rule} is braked and only records"
        yield "braked-rules", Need(what, f"bouncer rules release {rule}")
    for problem in in_force.problems:
        what = f"a document is refused: {problem}"
        yield "invalid-rules", Need(what, f"see {_RUNBOOK}invalid-rules")
