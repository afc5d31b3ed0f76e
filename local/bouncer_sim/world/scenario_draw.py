"""Draws a scenario from a seed: a small deployment, and a bad time for it.

Everything is drawn from one `Random(seed)`. Which kinds of things may happen is drawn first, so
that most seeds have few kinds and some have all of them.
"""

import json
from collections.abc import Callable, Iterator
from random import Random

from bouncer_sim.world.incident import (
    CallIncident,
    Incident,
    InvocationIncident,
    Mishap,
    Outage,
    Trouble,
)
from bouncer_sim.world.scenario import (
    DAY_S,
    HOUR_S,
    JobWaits,
    MailArrives,
    OddBody,
    ParameterChanges,
    Scenario,
    Step,
)
from bouncer_sim.world.wire import Latency

_PEOPLE = ("ann", "bob", "cara", "dan", "edith", "frank")
_MANY = tuple(f"person-{number}@example.com" for number in range(50))
_LONG = "x" * 2_050 + "@example.com"

_WORKER_CALLS = (
    "dynamodb.get_item",
    "dynamodb.put_item",
    "dynamodb.update_item",
    "dynamodb.delete_item",
    "dynamodb.batch_get_item",
    "dynamodb.transact_write_items",
    "queue.change_message_visibility_batch",
    "queue.delete_message_batch",
    "queue.receive_message",
    "dead_letters.send_message",
    "ssm.get_parameter",
    "ssm.get_parameters",
    "ses.send_bounce",
    "ses.send_bounce",
    "ses.send_bounce",
)
_INTAKE_CALLS = ("queue.send_message", "ssm.get_parameters_by_path")
_MAPPINGS_CALLS = ("queue.receive_message", "queue.delete_message_batch")
_FUNCTIONS_CALLS = tuple(call for call in _WORKER_CALLS if call not in _MAPPINGS_CALLS)
_ONLY_SOME = {
    Trouble.CRASH_BEFORE: _FUNCTIONS_CALLS,
    Trouble.CRASH_AFTER: _FUNCTIONS_CALLS,
    Trouble.CONFLICT: ("dynamodb.update_item", "dynamodb.transact_write_items"),
    Trouble.PARTIAL: (
        "dynamodb.batch_get_item",
        "queue.change_message_visibility_batch",
        "queue.delete_message_batch",
    ),
}
_OUTAGES = (
    Trouble.THROTTLED,
    Trouble.FORBIDDEN,
    Trouble.UNAVAILABLE,
    Trouble.BROKEN_BEFORE,
    Trouble.UNREACHABLE,
    Trouble.LOST_REQUEST,
)
_ODD_BODIES = (
    "not JSON",
    "[]",
    "{}",
    json.dumps({"v": 99, "message_id": "from-the-future"}),
    json.dumps({"v": 1, "message_id": "half-a-job"}),
    "[" * 5_000,
    '"\\ud800"',
)


def draw(seed: int) -> Scenario:
    """Return the scenario of a seed: the same each time."""
    random = Random(seed)  # noqa: S311  # chance that can be repeated
    margin_s = random.choice((600, 600, 600, 0, 60))
    steps = sorted(_steps(random, margin_s), key=lambda step: step.at)
    least_s = random.choice((0.005, 0.01, 0.02))
    return Scenario(
        name=f"seed {seed}",
        steps=tuple(steps),
        incidents=tuple(_incidents(random)),
        skews=tuple(random.uniform(-2, 2) for _ in range(4)) if _one_in(random, 3) else (),
        ses_latency=Latency(least_s=least_s, most_s=least_s * random.choice((1, 2, 4))),
        random_seed=seed,
        expiry_margin_s=margin_s,
    )


def _one_in(random: Random, number: int) -> bool:
    return random.randrange(number) == 0


def _steps(random: Random, margin_s: int) -> Iterator[Step]:
    spread_s = random.choice((0.0, 0.0, 5.0, 5.0, 60.0, 600.0))
    count = random.choice((1, 2, 3, 4, 6, 8, 12, 14)) if not _one_in(random, 40) else 60
    for number in range(count):
        yield _mail_or_job(random, f"m{number}", random.uniform(0, spread_s))
    for number in range(random.choice((0, 0, 0, 0, 1, 2))):
        body = random.choice(_ODD_BODIES)
        yield OddBody(at=random.uniform(0, spread_s), name=f"odd{number}", body=body)
    if _one_in(random, 8):
        yield from _pause(random, margin_s)


def _mail_or_job(random: Random, message_id: str, at: float) -> Step:
    recipients = _recipients(random)
    if _one_in(random, 2):
        repeats = random.choice((0, 0, 0, 0, 1, 2))
        return MailArrives(at=at, message_id=message_id, recipients=recipients, repeats=repeats)
    return JobWaits(
        at=at,
        message_id=message_id,
        recipients=recipients,
        age_s=random.choice((0.0, 0.0, 0.0, DAY_S - random.uniform(0, 900), 25 * HOUR_S)),
        deadly=_one_in(random, 40),
        sender_verified=not _one_in(random, 15),
    )


def _recipients(random: Random) -> tuple[str, ...]:
    if _one_in(random, 60):
        return _MANY
    if _one_in(random, 60):
        return (_LONG,)
    count = random.choice((1, 1, 1, 2, 3))
    return tuple(f"{name}@example.com" for name in random.sample(_PEOPLE, count))


def _pause(random: Random, margin_s: int) -> Iterator[Step]:
    """Pause sending, and nearly always resume it; the other settings stay."""
    at = random.uniform(0, 100)
    yield _sending(at, "paused", margin_s)
    if not _one_in(random, 10):
        yield _sending(at + random.choice((90.0, 600.0, 5_000.0)), "on", margin_s)


def _sending(at: float, word: str, margin_s: int) -> ParameterChanges:
    text = f"sending: {word}\nexpiry_margin: {margin_s}"
    return ParameterChanges(at=at, name="settings", text=text)


def _incidents(random: Random) -> Iterator[Incident]:
    kinds: tuple[Callable[[Random], Incident], ...] = (_call, _invocation, _outage)
    for kind, most in zip(kinds, (12, 3, 2), strict=True):
        if not _one_in(random, 3):
            for _ in range(random.randint(0, most)):
                yield kind(random)


def _call(random: Random) -> CallIncident:
    trouble = random.choice(tuple(Trouble))
    calls = _INTAKE_CALLS if _one_in(random, 5) else _WORKER_CALLS
    return CallIncident(
        call=random.choice(_ONLY_SOME.get(trouble, calls)),
        nth=1 + int(random.expovariate(0.25)),
        trouble=trouble,
        seconds=random.choice((0.5, 2.0, 5.0, 12.0, 40.0, 70.0))
        if trouble in (Trouble.LATE, Trouble.SLOW)
        else 0.0,
    )


def _invocation(random: Random) -> InvocationIncident:
    mishap = random.choice(tuple(Mishap))
    return InvocationIncident(
        function=random.choice(("worker", "worker", "intake")),
        nth=1 + int(random.expovariate(0.4)),
        mishap=mishap,
        seconds=round(_MISHAP_SECONDS[mishap](random), 3),
        same_id=_one_in(random, 2),
    )


_MISHAP_SECONDS: dict[Mishap, Callable[[Random], float]] = {
    Mishap.DELAYED: lambda random: random.choice((1.0, 60.0, 300.0, 350.0, 358.0)),
    Mishap.TWICE: lambda random: random.choice((0.0, 0.1, 0.95, 3.0, 61.0)),
    Mishap.KILLED: lambda random: random.uniform(0.0, 12.0),
    Mishap.ANSWER_LOST: lambda random: 0.0,  # noqa: ARG005  # of the others' shape
    Mishap.COLD: lambda random: 0.0,  # noqa: ARG005  # of the others' shape
}


def _outage(random: Random) -> Outage:
    start = random.choice((0.0, random.uniform(0, 20), random.uniform(0, 600)))
    length = random.choice((2.0, 30.0, 300.0, 300.0, 3_000.0, 3_000.0, 20_000.0))
    if _one_in(random, 60):
        length = 2 * DAY_S
    return Outage(
        place=random.choice(("dynamodb", "ses", "ssm", "queue", "dead_letters")),
        start=round(start, 3),
        end=round(start + length, 3),
        trouble=random.choice(_OUTAGES),
        share=random.choice((1.0, 1.0, 0.5, 0.2)),
    )
