"""The floods that are measured, and their figures as `make load` and `make guarantees` print them.

The figures are those of the simulated world: the worker's classes as they are deployed, with the
time that their calls and their CPU take in AWS, as far as that is known.
"""

from collections.abc import Callable, Iterator
from heapq import merge

from bouncer.reasons import Reason
from bouncer_sim.world.flood import Arrival, Flood
from bouncer_sim.world.flood_tally import SENT, FloodTally
from bouncer_sim.world.scenario import DAY_S, HOUR_S

FLOOD, OTHERS = "flood", "others"

_OTHERS_EVERY_S = 60.0
_OFF_BEAT = 0.618034  # of the golden section: hits all parts of an interval alike
_SLOW = 0.2  # of all rates, where a flood lasts for days and only their relation matters
_SENDERS = 5_000  # of a flood: none of them meets a cap of his own
_IN_AN_HOUR = 100_000
_STORED = 20_000  # jobs of one sender, all but the first capped


def flood(
    every_s: float,
    for_s: float,
    *,
    domains: int = 1,
    others_for_s: float = 0.0,
    rate: float = 1.0,
) -> FloodTally:
    """Run a flood from so many domains; everybody else's mail comes once a minute.

    That of others begins with the flood and lasts as long, or for another time. With another `rate`
    all is slower or faster: mails come at that part of the rate, and so do bounces.
    """

    def stranger(number: int) -> str:
        return f"u{number % _SENDERS}@flood{number % domains}.example"

    def other(number: int) -> str:
        return f"ann@partner{number}.example"

    mails = _steady(FLOOD, every_s / rate, for_s, stranger)
    theirs = _steady(OTHERS, _OTHERS_EVERY_S / rate, others_for_s or for_s, other)
    return Flood(merge(mails, theirs), rate=rate).run()


def _steady(
    kind: str, every_s: float, for_s: float, sender: Callable[[int], str]
) -> Iterator[Arrival]:
    """Yield a mail in every so many seconds, each of the sender with its number.

    None comes at the beat of another kind: a queue at its limit would always meet the same one.
    """
    for number in range(int(for_s / every_s)):
        yield Arrival((number + number * _OFF_BEAT % 1) * every_s, kind, sender(number))


def one_domain(days: float) -> Iterator[str]:
    """Yield the figures of two mails a second from one domain, for days."""
    found = flood(0.5, days * DAY_S)
    expired, waited_s = found.expired(OTHERS), found.median_wait_s(OTHERS)
    yield f"two rejected mails a second from one domain, for {_counted(days, 'day')}:"
    yield f"  bounces of others expired: {expired} of {found.queued[OTHERS]:,} (0)"
    yield f"  their median wait: {waited_s / 60:.1f} minutes (under 20)"
    yield f"  share of the day that one domain took: {found.share_of_a_day(FLOOD):.1%}"
    yield from _all(found)


def many_in_an_hour(domains: int = 1) -> Iterator[str]:
    """Yield what becomes of 100,000 rejected mails of one hour."""
    found = flood(HOUR_S / _IN_AN_HOUR, HOUR_S, domains=domains, others_for_s=2 * HOUR_S)
    promised = " (30)" if domains == 1 else ""
    yield f"100,000 rejected mails in an hour from {_counted(domains, 'domain')}:"
    yield f"  longest wait of others: {found.longest_wait_s(OTHERS) / 60:.1f} minutes{promised}"
    yield f"  bounces of others expired: {found.expired(OTHERS)}"
    yield from _all(found)


def several_domains(domains: int, days: float) -> Iterator[str]:
    """Yield what two mails a second from several domains do to others, at a fifth of all rates."""
    found = flood(0.5, days * DAY_S, domains=domains, rate=_SLOW)
    waits = f"{found.median_wait_s(OTHERS) / HOUR_S:.1f} h, at most"
    yield (
        f"two rejected mails a second from {_counted(domains, 'domain')}, for"
        f" {_counted(days, 'day')}:"
    )
    yield f"  median wait of others: {waits} {found.longest_wait_s(OTHERS) / HOUR_S:.1f} h"
    yield f"  bounces of others expired: {found.expired(OTHERS)} of {found.queued[OTHERS]:,}"
    yield from _all(found)


def capped_in_an_hour() -> Iterator[str]:
    """Yield the number of capped jobs that one worker ends in an hour."""
    found = Flood(_steady(FLOOD, 1e-6, _STORED * 1e-6, lambda _: "eve@flood.example")).run()
    sending_s = float(found.ended(FLOOD, SENT))
    ended = found.ended(FLOOD, Reason.CAPPED) / (found.lasted_s - sending_s) * HOUR_S
    yield f"capped jobs that the worker ends in an hour: {ended:,.0f} (over 100,000)"


def _all(found: FloodTally) -> Iterator[str]:
    ends = ", ".join(f"{number:,} {end}" for end, number in found.ends[FLOOD].most_common())
    queued, hours = found.queued.total(), found.lasted_s / HOUR_S
    yield f"  of the flood: {ends}, within {hours:.1f} h"
    yield f"  jobs queued: {queued:,}, their ends in the journal: {found.reported:,} (equal)"


def _counted(number: float, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
