"""Prints the figures behind the promises about sending, and the promised ones in parentheses.

Everything is measured in the simulated world, with the deployed classes. The worker's CPU time
includes that of the world around it, so it is an upper bound.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from bouncer_sim.world.evidence import Evidence
from bouncer_sim.world.flood_figures import capped_in_an_hour, many_in_an_hour, one_domain
from bouncer_sim.world.fuzz_counts import fuzzed
from bouncer_sim.world.intake_load import intake_load
from bouncer_sim.world.mutant import Verdict, search
from bouncer_sim.world.mutants import MUTANTS
from bouncer_sim.world.scenario import JobWaits, Scenario, Step
from bouncer_sim.world.seed_tally import Tally, seed_count, tallied
from bouncer_sim.world.simulated_world import History, SimulatedWorld
from bouncer_sim.world.wire import Latency

_JITTER = Latency(least_s=0.01, most_s=0.03)  # round trips of 20 to 60 ms
_MANY = 200
_MOST_RECIPIENTS = 50
_IDLE_S = 100.0
_FLOOD_DAYS = 1.0  # `make load` has three
_INTAKE_S = 5.0


def sends(counts: Tally) -> Iterator[str]:
    """Yield what many seeds did, and how often a law was broken that a promise stands for."""
    laws = {
        "double sends": "no_recipient_of_a_mail_is_bounced_twice",
        "early arrivals": "no_two_calls_arrive_within_a_second",
        "jobs lost without a report": "every_job_ends",
        "untrue outcomes": "every_outcome_is_true",
        "wrong stops": "no_mail_is_stopped_and_silent",
    }
    yield f"seeds: {counts.seeds}"
    yield f"troubles met: {counts.troubles.total()}"
    yield from (f"  {number:>8}  {trouble}" for trouble, number in counts.troubles.most_common())
    yield f"bounces sent: {counts.sent}"
    for words, law in laws.items():
        yield f"{words}: {counts.breaches[law]} (0)"
    yield f"requests that arrived after their time-out: {counts.late}"
    kept = {law for law in counts.breaches if law not in laws.values()}
    yield f"other laws broken: {', '.join(sorted(kept)) or 'none'}"


def mutants(seeds: int) -> Iterator[str]:
    """Yield for each planted mistake the seed and the law by which it was found."""
    workers = min(os.cpu_count() or 1, len(MUTANTS))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        verdicts = list(pool.map(partial(_verdict, seeds=seeds), range(len(MUTANTS))))
    found = [verdict for verdict in verdicts if verdict.seed is not None]
    yield f"planted mistakes found: {len(found)} of {len(MUTANTS)} (all)"
    for verdict in verdicts:
        by = "not found" if verdict.seed is None else f"seed {verdict.seed}, {verdict.law}"
        yield f"  {verdict.mutant}: {by}"


def _verdict(number: int, seeds: int) -> Verdict:
    return search(MUTANTS[number], range(seeds))


def pace() -> Iterator[str]:
    """Yield the part of each second that is used, and the part of the calls that is throttled."""
    began = time.process_time()
    history = _run(*(_job(f"m{number}") for number in range(_MANY)), ses_latency=_JITTER)
    cpu_s = time.process_time() - began
    arrivals = Evidence(history).arrivals
    accepted = sum(call.result == "done" for _, call in arrivals)
    lasted_s = arrivals[-1][0] - arrivals[0][0]
    used = (accepted - 1) / lasted_s
    yield f"share of the second used, round trips of 20 to 60 ms: {used:.1%} (at least 97 %)"
    yield f"throttled calls: {1 - accepted / len(arrivals):.1%} (under 0.5 %)"
    yield f"worker CPU per job, the world included: {cpu_s / _MANY * 1000:.2f} ms"


def ledger_calls() -> Iterator[str]:
    """Yield the calls of the ledger that a job and an invocation cost."""
    for recipients in (1, _MOST_RECIPIENTS):
        one, ten = (
            _asked(_run(*(_job(f"m{number}", recipients) for number in range(count))))
            for count in (1, 10)
        )
        job = (ten - one) / 9
        yield (
            f"ledger calls with {recipients} recipients: {job:.1f} a job,"
            f" {one - job:.1f} an invocation (3 and 2)"
        )


def delays() -> Iterator[str]:
    """Yield the delay behind a job that kills the worker, and that of an idle system."""
    deadly = JobWaits(at=0, message_id="deadly", recipients=("a@example.com",), deadly=True)
    behind = _wait_s(_run(deadly, _job("m1", at=0.1)), "m1")
    yield f"delay behind a job that kills the worker: {behind / 60:.1f} minutes (at most 8)"
    idle = _wait_s(_run(_job("m1"), _job("m2", at=_IDLE_S)), "m2")
    yield f"idle system, from queue to SES: {idle:.2f} s (under 0.5)"


def floods(days: float) -> list[str]:
    """Return the figures of floods; they take a minute and a half for each day."""
    return [*capped_in_an_hour(), *many_in_an_hour(), *one_domain(days)]


def _job(message_id: str, recipients: int = 1, at: float = 0.0) -> JobWaits:
    """Return a job of a sender of its own, so that no cap is met."""
    names = tuple(f"person-{number}@example.com" for number in range(recipients))
    sender = f"{message_id}@partner.example"
    return JobWaits(at=at, message_id=message_id, recipients=names, sender=sender)


def _run(*steps: Step, ses_latency: Latency = _JITTER) -> History:
    scenario = Scenario(name="figures", steps=steps, ses_latency=ses_latency)
    return SimulatedWorld(scenario).run()


def _asked(history: History) -> int:
    return sum(attempt.call.startswith("dynamodb.") for attempt in history.attempts)


def _wait_s(history: History, message_id: str) -> float:
    """Return the seconds from the queue to the first call for a mail; infinite without one."""
    evidence = Evidence(history)
    sent_at = min(
        queued.message.sent_at
        for queued in evidence.jobs.values()
        if queued.job.message_id == message_id
    )
    called = (
        at for at, call in evidence.arrivals if call.arguments["OriginalMessageId"] == message_id
    )
    return min(called, default=float("inf")) - sent_at


def main() -> int:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seeds", type=seed_count, default=2000, help="seeds to run, and per mutant"
    )
    seeds = parser.parse_args().seeds
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as aside:
        flooded = aside.submit(floods, _FLOOD_DAYS)
        counts = Tally()
        for some in tallied(0, seeds):
            counts.add(some)
        for figures in (sends(counts), pace(), ledger_calls(), delays(), fuzzed(), mutants(seeds)):
            _write(figures)
        _write(flooded.result())
    _write(intake_load(_INTAKE_S).lines())
    return 0


def _write(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
