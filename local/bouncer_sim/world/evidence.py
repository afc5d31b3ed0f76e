"""A run's history put in order for the laws: arrivals at SES, jobs, and the lines about them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from bouncer.jobs.job import Job
from bouncer.sending import lease
from bouncer.sending.digest import Salt
from bouncer.sending.ending import Failure, Outcome
from bouncer.sending.job_item import JobItem, State, job_item, job_key
from bouncer_sim.world.attempt import DONE, Attempt
from bouncer_sim.world.fifo_queue import QueuedMessage
from bouncer_sim.world.incident import ClockJump
from bouncer_sim.world.journal_tape import JournalLine
from bouncer_sim.world.simulated_world import History, job_in

SEND_BOUNCE = "ses.send_bounce"
OUTCOMES = ("sent", "withheld", "failed")
UNREADABLE = "unreadable_job"

# A mail and one of its recipients, in lower case: what must not be bounced twice.
Bounced = tuple[str, str]

Found = Iterator[tuple[float, str]]  # breaches of a law: the time, and how it was broken


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedJob:
    """A job and the message that it stands in."""

    message: QueuedMessage
    job: Job

    @property
    def recipients(self) -> frozenset[str]:
        """The job's recipients in lower case."""
        return frozenset(recipient.lower() for recipient in self.job.recipients)


class LedgerEnding(NamedTuple):
    """A job as the ledger had it at a time from which on it was ended."""

    at: float
    item: JobItem

    @property
    def said(self) -> tuple[str, str, str]:
        """The end: outcome, reason and bounce id."""
        return self.item.outcome, self.item.reason, self.item.bounce_id


class Evidence:
    """A history with what the laws ask of it, each worked out once."""

    def __init__(self, history: History) -> None:
        self.history = history

    @cached_property
    def calls(self) -> list[Attempt]:
        """All SendBounce calls, in the order of starting."""
        return [each for each in self.history.attempts if each.call == SEND_BOUNCE]

    @cached_property
    def arrivals(self) -> list[tuple[float, Attempt]]:
        """All calls that reached SES, with the time, in the order of arrival."""
        arrived = [(call.arrived_at, call) for call in self.calls if call.arrived_at is not None]
        return sorted(arrived, key=lambda arrival: arrival[0])

    @cached_property
    def accepted(self) -> dict[Bounced, list[Attempt]]:
        """The calls that SES accepted, by mail and recipient."""
        found: dict[Bounced, list[Attempt]] = {}
        for _, call in self.arrivals:
            if call.result == DONE:
                for bounced in bounced_by(call):
                    found.setdefault(bounced, []).append(call)
        return found

    @cached_property
    def jobs(self) -> dict[str, QueuedJob]:
        """The jobs that the queue took, by the id of their queue message."""
        readable = ((message, job_in(message)) for message in self.history.queued)
        return {
            message.message_id: QueuedJob(message=message, job=job)
            for message, job in readable
            if job
        }

    @cached_property
    def outcomes(self) -> dict[str, list[JournalLine]]:
        """The outcome lines of each job, by the id of its queue message."""
        found: dict[str, list[JournalLine]] = {}
        for line in self.history.lines:
            if line.event in OUTCOMES:
                found.setdefault(line.members["record"], []).append(line)
        return found

    @cached_property
    def reports(self) -> dict[str, list[JournalLine]]:
        """The lines about the end of each queue message, also of one that is not a job."""
        found = {record: list(lines) for record, lines in self.outcomes.items()}
        for line in self.history.lines:
            if line.event == UNREADABLE:
                found.setdefault(line.members["record"], []).append(line)
        return found

    @cached_property
    def endings(self) -> dict[str, list[LedgerEnding]]:
        """All ledger versions of each job from its first end on, by the id of its message."""
        found: dict[str, list[LedgerEnding]] = {}
        for at, record, read in self.states:
            if read.state is State.ENDED or record in found:
                found.setdefault(record, []).append(LedgerEnding(at, read))
        return found

    @cached_property
    def states(self) -> list[tuple[float, str, JobItem]]:
        """All ledger versions of all jobs: the time, the id of the message, and the item."""
        prefix = job_key("")
        return [
            (at, key.removeprefix(prefix), job_item(key, item or {}))
            for at, key, item in self.history.versions
            if key.startswith(prefix)
        ]

    @cached_property
    def salt(self) -> Salt:
        """The salt of the ledger's table."""
        return lease.salt(self.history.ledger.get(lease.LEASE, {}))

    @cached_property
    def begun(self) -> list[tuple[float, Job]]:
        """The jobs that the ledger had as begun, each time that it was written, with the time."""
        begun = (each for each in self.states if each[2].state is State.BEGUN)
        return [(at, self.jobs[record].job) for at, record, _ in begun]

    @cached_property
    def outcomes_of_mail(self) -> dict[str, list[JournalLine]]:
        """The outcome lines of all jobs of each mail."""
        found: dict[str, list[JournalLine]] = {}
        for record, queued in self.jobs.items():
            found.setdefault(queued.job.message_id, []).extend(self.outcomes.get(record, ()))
        return found

    @cached_property
    def sent_at(self) -> dict[str, float]:
        """The time at which the ledger had each bounce as sent, by the id of the bounce."""
        firsts = (endings[0] for endings in self.endings.values())
        return {each.item.bounce_id: each.at for each in firsts if each.item.bounce_id}

    @cached_property
    def sender_of(self) -> dict[str, str]:
        """The sender of each mail that a job is for."""
        jobs = (queued.job for queued in self.jobs.values())
        return {job.message_id: job.sender for job in jobs}

    @cached_property
    def received_at(self) -> dict[str, float]:
        """The time at which SES received each mail that a job is for."""
        jobs = (queued.job for queued in self.jobs.values())
        return {job.message_id: job.received_at.timestamp() for job in jobs}

    @cached_property
    def most_skew_s(self) -> float:
        """The largest difference between two clocks of this run."""
        scenario = self.history.scenario
        skews = scenario.skews or (0.0,)
        jumps = (each.seconds for each in scenario.incidents if isinstance(each, ClockJump))
        return max(0.0, *skews) - min(0.0, *skews) + sum(map(abs, jumps))


def bounced_by(call: Attempt) -> list[Bounced]:
    """Return the mail of a SendBounce call with each of its recipients."""
    mail = call.arguments["OriginalMessageId"]
    infos = call.arguments["BouncedRecipientInfoList"]
    return [(mail, info["Recipient"].lower()) for info in infos]


def outcome(line: JournalLine) -> str:
    """Return a line's outcome in a few words: the event, and the reason if it has one."""
    reason = line.members.get("reason")
    return f"{line.event}: {reason}" if reason else line.event


def names(line: JournalLine, recipient: str) -> bool:
    """Tell whether a line is about a recipient; one that was cut, or has none, may be about any."""
    if "recipients" not in line.members or line.members.get("recipients_left_out"):
        return True
    return recipient in {each.lower() for each in line.members["recipients"]}


def taken_out(lines: Iterable[JournalLine]) -> set[str]:
    """Return the recipients that lines name as taken out of their job by a cap or a brake."""
    members = ("capped", "braked_recipients")
    return {
        each.lower() for line in lines for name in members for each in line.members.get(name, ())
    }


def is_unknown(line: JournalLine) -> bool:
    """Tell whether a line says that nobody knows whether SES accepted the bounce."""
    return line.members.get("reason") == Failure.UNKNOWN


def said_by(line: JournalLine) -> tuple[str, str, str]:
    """Return the end that a line tells: outcome, reason and bounce id."""
    event = Outcome.FAILED if line.event == UNREADABLE else line.event
    return str(event), line.members.get("reason", ""), line.members.get("bounce_id", "")


def outcomes_of(lines: Iterable[JournalLine]) -> str:
    """Return the outcomes of lines as a text, each once."""
    return ", ".join(dict.fromkeys(map(outcome, lines))) or "no outcome"
