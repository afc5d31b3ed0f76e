"""The laws of the publisher: nothing refused is in force, and nothing older comes back."""

from collections.abc import Iterator
from itertools import pairwise

from bouncer.sources.pointer import POINTER_KEY, read_pointer
from bouncer_sim.world.attempt import DONE, Attempt
from bouncer_sim.world.evidence import Evidence, Found
from bouncer_sim.world.scenario import NAMED_BY, OFF_LIST, ON_LIST, START, DocumentChanges

_READS = ("ssm.get_parameters", "ssm.get_parameters_by_path")


def no_mail_is_judged_by_a_refused_document(evidence: Evidence) -> Found:
    """No mail is stopped for a name that only a refused document has."""
    for rule, document in NAMED_BY.items():
        for at, recipient in _stopped_by(evidence, rule):
            if not any(recipient in people for people in _valid(evidence, document, at)):
                yield at, f"{recipient} is taken to be in {document}, which no valid one says"


def unknown_never_stops_a_mail(evidence: Evidence) -> Found:
    """No mail is stopped by a rule that asks a list which was never there."""
    for at, recipient in _stopped_by(evidence, OFF_LIST):
        if all(recipient in people for people in _valid(evidence, NAMED_BY[ON_LIST], at)):
            yield at, f"{recipient} is taken to be off a list, which no valid document says"


def _stopped_by(evidence: Evidence, rule: str) -> Iterator[tuple[float, str]]:
    """Yield the recipients of mails that a rule decided about, each with the time."""
    for line in evidence.history.lines:
        for decision in line.members["decisions"] if line.event == "mail" else ():
            if decision["rule"] == rule:
                yield line.at, decision["recipient"].lower()


def _valid(evidence: Evidence, document: str, until: float) -> list[frozenset[str]]:
    """Return the people of each valid form of a document that was written until a time."""
    return [
        step.people
        for step in evidence.history.scenario.steps
        if isinstance(step, DocumentChanges) and step.name == document
        if step.people is not None and START + step.at <= until
    ]


def the_pointer_never_moves_back(evidence: Evidence) -> Found:
    """Each pointer is of parameters that were read after the pointer before it was written."""
    times = _read_at(evidence)
    for before, write in pairwise(evidence.history.pointers):
        read_at = times.get(write.text, write.at)  # the trouble-free publisher takes no time
        if read_at < before.at:
            yield write.at, "the pointer is of older parameters than the one before"
        if read_pointer(write.text).serial <= read_pointer(before.text).serial:
            yield write.at, "the pointer does not have a new serial"


def _read_at(evidence: Evidence) -> dict[bytes, float]:
    """Return the time at which the parameters of each pointer were read, by its text."""
    times: dict[bytes, float] = {}
    read: dict[str, float] = {}
    for attempt in evidence.history.attempts:
        if attempt.call in _READS:
            read[attempt.caller] = attempt.started_at
        elif _wrote_pointer(attempt):
            times[attempt.arguments["Body"]] = read[attempt.caller]
    return times


def _wrote_pointer(attempt: Attempt) -> bool:
    return (
        attempt.call == "s3.put_object"
        and attempt.arguments["Key"] == POINTER_KEY
        and attempt.result == DONE
    )
