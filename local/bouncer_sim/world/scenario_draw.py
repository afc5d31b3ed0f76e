"""Draws a scenario from a seed: a small deployment, and a bad time for it.

Everything is drawn from one `Random(seed)`. Which kinds of things may happen is drawn first, so
that most seeds have few kinds and some have all of them.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from bouncer.held_document import held_document
from bouncer.sources.source import HELD, RULES, SETTINGS
from bouncer_sim.world.fate_draw import with_fates
from bouncer_sim.world.incident import (
    CallIncident,
    ClockJump,
    Incident,
    InvocationIncident,
    Mishap,
    Outage,
    Trouble,
)
from bouncer_sim.world.list_draw import with_documents
from bouncer_sim.world.reply_draw import with_replies
from bouncer_sim.world.scenario import (
    DAY_S,
    HOUR_S,
    START,
    JobWaits,
    MailArrives,
    OddBody,
    ParameterChanges,
    Scenario,
    Step,
    settings_document,
)
from bouncer_sim.world.store_draw import with_store
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
    "s3.get_object",
    "s3.get_object",
    "ses.send_bounce",
    "ses.send_bounce",
    "ses.send_bounce",
)
_INTAKE_CALLS = ("queue.send_message", "s3.get_object")
_MAPPINGS_CALLS = ("queue.receive_message", "queue.delete_message_batch")
_FUNCTIONS_CALLS = tuple(call for call in _WORKER_CALLS if call not in _MAPPINGS_CALLS)
_ONLY_SOME = {
    Trouble.CRASH_BEFORE: _FUNCTIONS_CALLS,
    Trouble.CRASH_AFTER: _FUNCTIONS_CALLS,
    Trouble.CONFLICT: ("dynamodb.update_item", "dynamodb.transact_write_items"),
    Trouble.MISSING: tuple(
        call for call in _WORKER_CALLS if call.startswith(("dynamodb.", "queue.", "dead_letters."))
    ),
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
_CROWDED = 8  # every eighth seed has many jobs that a cap withholds
_LATE_CLAIM = 50  # every 50th seed has a claim whose requests all come late, so that it is given up
_BRAKED = 6  # every sixth seed has rules with a limit of two to six bounces an hour
_ODD_BODIES = (
    "not JSON",
    "[]",
    "{}",
    json.dumps({"v": 99, "message_id": "from-the-future"}),
    json.dumps({"v": 1, "message_id": "half-a-job"}),
    "[" * 5_000,
    '"\\ud800"',
)
_RULES = (
    None,
    "when: {recipient_domain: example.com}\ndrop: {}",
    "when: {recipient_domain: example.com}\nreject: {type: ExceededQuota}",
    "when: [",
)


def draw(seed: int) -> Scenario:
    """Return the scenario of a seed: the same each time."""
    random = Random(seed)  # noqa: S311  # chance that can be repeated
    margin_s = random.choice((600, 600, 600, 0, 60))
    rate = random.choice((1.0, 1.0, 1.0, 1.0, 0.5, 0.2))
    steps = [*_steps(random, margin_s, rate), *(_crowd(random) if seed % _CROWDED == 0 else ())]
    least_s = random.choice((0.005, 0.01, 0.02))
    drawn = Scenario(
        name=f"seed {seed}",
        steps=tuple(sorted(steps, key=lambda step: step.at)),
        incidents=(*_incidents(random), *(_late_claim(random) if seed % _LATE_CLAIM == 1 else ())),
        skews=tuple(random.uniform(-2, 2) for _ in range(4)) if _one_in(random, 3) else (),
        ses_latency=Latency(least_s=least_s, most_s=least_s * random.choice((1, 2, 4))),
        random_seed=seed,
        expiry_margin_s=margin_s,
        rate=rate,
        at_most=2 + seed % 5 if seed % _BRAKED == 0 else 0,
    )
    return with_replies(with_store(with_documents(with_fates(drawn, random), seed), seed), seed)


def _one_in(random: Random, number: int) -> bool:
    return random.randrange(number) == 0


def _steps(random: Random, margin_s: int, rate: float) -> Iterator[Step]:
    spread_s = random.choice((0.0, 0.0, 5.0, 5.0, 60.0, 600.0))
    count = random.choice((1, 2, 3, 4, 6, 8, 12, 14)) if not _one_in(random, 40) else 60
    for number in range(count):
        at = random.uniform(0, spread_s)
        yield from _mail_or_jobs(random, f"m{number}", at, margin_s)
    for number in range(random.choice((0, 0, 0, 0, 1, 2))):
        body = random.choice(_ODD_BODIES)
        yield OddBody(at=random.uniform(0, spread_s), name=f"odd{number}", body=body)
    if _one_in(random, 6):
        yield from _pause(random, margin_s, rate)
    if _one_in(random, 10):
        yield from _rules_change(random)


def _mail_or_jobs(random: Random, message_id: str, at: float, margin_s: int) -> Iterator[Step]:
    recipients = _recipients(random)
    if _one_in(random, 2):
        repeats = random.choice((0, 0, 0, 0, 1, 2))
        mail = MailArrives(at=at, message_id=message_id, recipients=recipients, repeats=repeats)
        yield _unanswerable(random, mail) if _one_in(random, 8) else mail
        return
    late_s = _close_to_its_end_s(random, margin_s)
    age_s = random.choice((0.0, 0.0, 0.0, 0.0, 0.0, 25 * HOUR_S, late_s))
    yield JobWaits(
        at=at,
        message_id=message_id,
        recipients=recipients,
        age_s=age_s,
        deadly=_one_in(random, 40),
        sender_verified=not _one_in(random, 15),
    )
    if _one_in(random, 8):  # the mail was judged twice, by another rule set
        later_s = random.choice((0.0, 3.0, 400.0))
        others = _recipients(random)
        yield JobWaits(
            at=at + later_s, message_id=message_id, recipients=others, age_s=age_s + later_s
        )


def _crowd(random: Random) -> Iterator[Step]:
    """Draw jobs of one sender and one recipient who are soon over a cap."""
    at, recipients = random.uniform(0, 20), (f"{random.choice(_PEOPLE)}@example.com",)
    for number in range(random.choice((10, 30))):
        yield JobWaits(at=at, message_id=f"crowd{number}", recipients=recipients)


def _unanswerable(random: Random, mail: MailArrives) -> MailArrives:
    """Make a mail one that must not be bounced."""
    machine = replace(mail, headers=(("Auto-Submitted", "auto-replied"),))
    return random.choice((machine, replace(mail, vouched=False), replace(mail, sender="")))


def _close_to_its_end_s(random: Random, margin_s: int) -> float:
    return DAY_S - margin_s - random.choice((random.uniform(0, 30), random.uniform(-300, 900)))


def _recipients(random: Random) -> tuple[str, ...]:
    if _one_in(random, 60):
        return _MANY
    if _one_in(random, 60):
        return (_LONG,)
    count = random.choice((1, 1, 1, 2, 3))
    return tuple(f"{name}@example.com" for name in random.sample(_PEOPLE, count))


def _pause(random: Random, margin_s: int, rate: float) -> Iterator[Step]:
    """Pause sending as `bouncer pause` or in the settings, and nearly always resume it."""
    at = random.uniform(0, 100)
    since = datetime.fromtimestamp(START + at, UTC)
    name, paused, on = random.choice(
        (
            (HELD, held_document(since=since, by="an operator", why="a test"), None),
            (
                SETTINGS,
                settings_document(margin_s, rate, sending="paused"),
                settings_document(margin_s, rate),
            ),
        )
    )
    yield ParameterChanges(at=at, name=name, text=paused)
    if not _one_in(random, 30):
        length_s = random.choice((90.0, 90.0, 600.0, 600.0, 5_000.0, 5_000.0, 13 * HOUR_S))
        yield ParameterChanges(at=at + length_s, name=name, text=on)


def _rules_change(random: Random) -> Iterator[Step]:
    for _ in range(random.choice((1, 1, 2))):
        at, text = random.uniform(0, 100), random.choice(_RULES)
        yield ParameterChanges(at=at, name=f"{RULES}everybody", text=text)


def _incidents(random: Random) -> Iterator[Incident]:
    kinds: tuple[Callable[[Random], Incident], ...] = (_call, _invocation, _outage, _clock_jump)
    for kind, most, seldom in zip(kinds, (12, 3, 2, 2), (1, 1, 1, 4), strict=True):
        if not _one_in(random, 3) and _one_in(random, seldom):
            for _ in range(random.randint(0, most)):
                yield kind(random)
    if _one_in(random, 4):
        yield from _burst(random)


def _burst(random: Random) -> Iterable[Incident]:
    """Draw one trouble for several attempts of one call in a row: no retry helps."""
    first = _call(random)
    for number in range(random.choice((2, 5, 5, 6))):
        yield replace(first, nth=first.nth + number)


def _late_claim(random: Random) -> Iterable[Incident]:
    """Draw a claim that takes effect after it was given up, if nothing prevents it."""
    first, seconds = random.randint(1, 4), random.choice((5.0, 12.0, 40.0))
    for number in range(5):
        yield CallIncident(
            call="dynamodb.transact_write_items",
            nth=first + number,
            trouble=Trouble.LATE,
            seconds=seconds,
        )


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


def _clock_jump(random: Random) -> ClockJump:
    return ClockJump(
        function=random.choice(("worker", "worker", "intake")),
        nth=random.choice((1, 1, 2)),
        start=round(random.choice((random.uniform(0, 20), random.uniform(0, 600))), 3),
        seconds=random.choice((-HOUR_S, -70.0, -7.0, -0.8, 0.8, 7.0, 70.0, HOUR_S)),
    )


def _outage(random: Random) -> Outage:
    start = random.choice((0.0, random.uniform(0, 20), random.uniform(0, 600)))
    length = random.choice((2.0, 30.0, 300.0, 300.0, 3_000.0, 3_000.0, 20_000.0))
    if _one_in(random, 60):
        length = 2 * DAY_S
    place = random.choice(("dynamodb", "ses", "s3", "queue", "dead_letters"))
    deleted = place not in ("ses", "s3") and _one_in(random, 5)
    return Outage(
        place=place,
        start=round(start, 3),
        end=round(start + length, 3),
        trouble=Trouble.MISSING if deleted else random.choice(_OUTAGES),
        share=random.choice((1.0, 1.0, 0.5, 0.2)),
    )
