"""Draws a list, or a rule, that changes, mail that it is about, and troubles of the publisher.

All of it is drawn by a chance of its own, so that it changes nothing else in a scenario.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from random import Random

from bouncer.rules.list_reader import UPLOADS
from bouncer.sources.source import RULES
from bouncer_sim.world.incident import CallIncident, Incident, InvocationIncident, Mishap, Trouble
from bouncer_sim.world.scenario import (
    LIST,
    NAMED_BY,
    NAMING,
    OFF_LIST,
    ON_LIST,
    DocumentChanges,
    MailArrives,
    ParameterChanges,
    Scenario,
    Step,
)

_WITH_LIST, _WITH_RULE = (2, 6), (5,)  # of eight seeds
_PEOPLE = ("ann", "bob", "cara", "dan", "edith", "frank")
_SPREAD_S = 300.0
_KEY = f"{UPLOADS}listed.csv"
_LIST, _RULE = NAMED_BY[ON_LIST], NAMED_BY[NAMING]
_Change = Callable[[Random, float], DocumentChanges]
_RULES = {
    ON_LIST: f"when: {{recipient: {{in: {LIST}}}}}\ndrop: {{}}",
    OFF_LIST: f"when: {{not: {{recipient: {{in: {LIST}}}}}}}\ndrop: {{}}",
}
_CALLS = (
    *("ssm.get_parameters_by_path", "s3.get_object", "s3.head_object"),
    *("s3.put_object", "s3.put_object", "s3.put_object"),
)
_TROUBLES = (
    *(Trouble.THROTTLED, Trouble.FORBIDDEN, Trouble.UNAVAILABLE, Trouble.BROKEN_AFTER),
    *(Trouble.LOST_REQUEST, Trouble.LOST_ANSWER, Trouble.CUT_AFTER, Trouble.LATE, Trouble.SLOW),
    *(Trouble.CRASH_BEFORE, Trouble.CRASH_AFTER),
)


def with_documents(scenario: Scenario, seed: int) -> Scenario:
    """Return a scenario with a list and its rules, or a rule, and mail for them; or as it is."""
    if seed % 8 not in (*_WITH_LIST, *_WITH_RULE):
        return scenario
    random = Random(f"list {seed}")  # noqa: S311  # chance that can be repeated
    drawn = _with_list(random) if seed % 8 in _WITH_LIST else _changes(random, _RULE_CHANGES)
    steps = sorted((*scenario.steps, *drawn, *_mails(random)), key=lambda step: step.at)
    incidents = (*scenario.incidents, *_incidents(random))
    return replace(scenario, steps=tuple(steps), incidents=incidents)


def _with_list(random: Random) -> Iterator[Step]:
    for name in random.choice(((ON_LIST,), (OFF_LIST,), (ON_LIST, OFF_LIST))):
        yield ParameterChanges(at=random.uniform(0, 30), name=f"{RULES}{name}", text=_RULES[name])
    yield from _changes(random, _LIST_CHANGES)


def _changes(random: Random, kinds: Sequence[_Change]) -> Iterator[Step]:
    for _ in range(random.randint(1, 6)):
        yield random.choice(kinds)(random, random.uniform(0, _SPREAD_S))


def _mails(random: Random) -> Iterator[Step]:
    for number in range(random.randint(4, 16)):
        at, name = random.uniform(0, _SPREAD_S + 100), random.choice(_PEOPLE)
        to = (f"{name}@example.com",)
        yield MailArrives(at=at, message_id=f"listed{number}", recipients=to)


def _some(random: Random) -> frozenset[str]:
    names = random.sample(_PEOPLE, random.randint(1, 3))
    return frozenset(f"{name}@example.com" for name in names)


def _written(random: Random, at: float) -> DocumentChanges:
    people = _some(random)
    return DocumentChanges(
        at=at, name=_LIST, text=f"entries: [{', '.join(sorted(people))}]", people=people
    )


def _uploaded(random: Random, at: float) -> DocumentChanges:
    people = _some(random)
    data = "\n".join(sorted(people)).encode()
    text = _pointing(data, len(people))
    return DocumentChanges(at=at, name=_LIST, text=text, people=people, objects=((_KEY, data),))


def _pointing(data: bytes, count: int) -> str:
    digest = sha256(data).hexdigest()
    return f"upload: {{key: {_KEY}, sha256: {digest}, count: {count}}}"


def _garbage(random: Random, at: float) -> DocumentChanges:
    people = ", ".join(sorted(_some(random)))
    return DocumentChanges(at=at, name=_LIST, text=f"entries: [{people}, nobody]", people=None)


def _missing(random: Random, at: float) -> DocumentChanges:
    text = _pointing(str(at).encode(), len(_some(random)))
    return DocumentChanges(at=at, name=_LIST, text=text, people=None, objects=((_KEY, None),))


def _changed(random: Random, at: float) -> DocumentChanges:
    """Draw an object that is not the one whose checksum stands in the parameter."""
    data = "\n".join(sorted(_some(random))).encode()
    text = _pointing(str(at).encode(), data.count(b"@"))
    return DocumentChanges(at=at, name=_LIST, text=text, people=None, objects=((_KEY, data),))


def _deleted(_: Random, at: float) -> DocumentChanges:
    return DocumentChanges(at=at, name=_LIST, text=None, people=None)


_LIST_CHANGES = (_written, _written, _uploaded, _uploaded, _garbage, _missing, _changed, _deleted)


def _rule_written(random: Random, at: float) -> DocumentChanges:
    people = _some(random)
    return DocumentChanges(at=at, name=_RULE, text=_naming(people), people=people)


def _rule_refused(random: Random, at: float) -> DocumentChanges:
    """Draw a rule with a line, or a part, that must not be passed over."""
    text = _naming(_some(random))
    broken = random.choice((f"{text}\nuntill: 2026-11-03", f"{text}\nuntil: soon", text[:-1]))
    return DocumentChanges(at=at, name=_RULE, text=broken, people=None)


def _rule_deleted(_: Random, at: float) -> DocumentChanges:
    return DocumentChanges(at=at, name=_RULE, text=None, people=None)


def _naming(people: frozenset[str]) -> str:
    return f"when: {{recipient: [{', '.join(sorted(people))}]}}\ndrop: {{}}"


_RULE_CHANGES = (_rule_written, _rule_written, _rule_refused, _rule_refused, _rule_deleted)


def _incidents(random: Random) -> Iterator[Incident]:
    for _ in range(random.choice((0, 2, 6))):
        yield CallIncident(
            call=random.choice(_CALLS),
            nth=1 + int(random.expovariate(0.2)),
            trouble=random.choice(_TROUBLES),
            seconds=random.choice((2.0, 12.0, 40.0)),
        )
    for _ in range(random.choice((0, 1, 2))):
        mishap = random.choice((Mishap.KILLED, Mishap.TWICE, Mishap.DELAYED))
        yield InvocationIncident(
            function="publisher",
            nth=random.randint(1, 5),
            mishap=mishap,
            seconds=random.choice((0.05, 1.0, 40.0)),
        )
