"""Draws replies that wait, and their bad time, after all else: a fifth of the seeds has some."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from bouncer_sim.world.incident import CallIncident, Incident, InvocationIncident, Mishap, Trouble
from bouncer_sim.world.scenario import DAY_S, HOUR_S, ReplyWaits, Scenario

_SELDOM = 5
_SENDERS = ("ann@partner.example", "Ann+x@partner.example", "bob@partner.example")
_RULES = ("010-away", "020-ticket")
_CALLS = (
    "dynamodb.batch_get_item",
    "dynamodb.update_item",
    "dynamodb.transact_write_items",
    "mail.send_raw_email",
    "mail.send_raw_email",
    "mail.send_raw_email",
    "mail.get_account",
    "replies.change_message_visibility_batch",
    "replies.delete_message_batch",
    "dead_replies.send_message",
)
_NOT_OF_SES = {Trouble.MISSING, Trouble.PARTIAL, Trouble.CONFLICT}
_CRASHES = {Trouble.CRASH_BEFORE, Trouble.CRASH_AFTER}
_MAPPINGS_CALL = "replies.delete_message_batch"  # a mapping does not crash


def with_replies(scenario: Scenario, seed: int) -> Scenario:
    """Return the scenario of a seed with replies that wait, or as it is."""
    if seed % _SELDOM != 2:  # noqa: PLR2004  # one of five
        return scenario
    random = Random(f"replies {seed}")  # noqa: S311  # chance that can be repeated
    steps = (*scenario.steps, *_replies(random))
    return replace(
        scenario,
        steps=tuple(sorted(steps, key=lambda step: step.at)),
        incidents=(*scenario.incidents, *_incidents(random)),
    )


def _replies(random: Random) -> Iterator[ReplyWaits]:
    spread_s = random.choice((0.0, 5.0, 60.0, 5 * HOUR_S))
    for number in range(random.choice((2, 5, 12))):
        age_s = random.choice((0.0, 0.0, 0.0, DAY_S - random.uniform(0, 20), DAY_S + HOUR_S))
        yield ReplyWaits(
            at=random.uniform(0, spread_s),
            message_id=f"reply{number}",
            sender=random.choice(_SENDERS),
            rule=random.choice(_RULES),
            once_per_s=random.choice((int(HOUR_S), int(2 * HOUR_S))),
            age_s=age_s,
            copies=random.choice((1, 1, 1, 2)),
            verified=random.randrange(10) > 0,
        )


def _incidents(random: Random) -> Iterator[Incident]:
    for _ in range(random.choice((0, 2, 4, 8))):
        call = random.choice(_CALLS)
        never = _NOT_OF_SES if call.startswith("mail.") else set()
        never = _CRASHES if call == _MAPPINGS_CALL else never
        troubles = [each for each in Trouble if each not in never]
        yield CallIncident(
            call=call,
            nth=1 + int(random.expovariate(0.3)),
            trouble=random.choice(troubles),
            seconds=random.choice((0.5, 2.0, 12.0, 40.0)),
        )
    for _ in range(random.choice((0, 0, 1, 2))):
        mishap = random.choice((Mishap.KILLED, Mishap.TWICE, Mishap.DELAYED, Mishap.ANSWER_LOST))
        seconds = random.uniform(0.0, 0.3) if mishap is Mishap.KILLED else random.uniform(0, 30)
        yield InvocationIncident(
            function="replier", nth=random.randint(1, 4), mishap=mishap, seconds=seconds
        )
