"""Finds the networks an address is in, by one binary search."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Numbers = tuple[int, ...]

_NONE: Numbers = ()


class NetworkIndex:
    """All networks of one field."""

    def __init__(self, networks: Iterable[tuple[IPv4Network | IPv6Network, int]]) -> None:
        by_type: defaultdict[type, list[tuple[IPv4Network | IPv6Network, int]]]
        by_type = defaultdict(list)
        for network, number in networks:
            by_type[type(network.network_address)].append((network, number))
        self._ranges = {kind: _Ranges(entries) for kind, entries in by_type.items()}

    def find(self, address: IPv4Address | IPv6Address) -> Numbers:
        """Return the numbers of all networks the address is in."""
        ranges = self._ranges.get(type(address))
        return ranges.find(int(address)) if ranges else _NONE


class _Ranges:
    """All networks of one IP version, flattened into ranges that do not overlap."""

    def __init__(self, networks: Iterable[tuple[IPv4Network | IPv6Network, int]]) -> None:
        self._starts: list[int] = []
        self._numbers: list[Numbers] = []
        ranges = (
            (int(network.network_address), -int(network.broadcast_address), number)
            for network, number in networks
        )
        enclosing: list[tuple[int, Numbers]] = []  # last address, numbers: innermost at the end
        for first, minus_last, number in sorted(ranges):  # the wider of two that begin alike first
            last = -minus_last
            self._close(enclosing, before=first)
            numbers = (*enclosing[-1][1], number) if enclosing else (number,)
            enclosing.append((last, numbers))
            self._mark(first, numbers)
        self._close(enclosing, before=None)

    def _close(self, enclosing: list[tuple[int, Numbers]], *, before: int | None) -> None:
        while enclosing and (before is None or enclosing[-1][0] < before):
            last, _ = enclosing.pop()
            self._mark(last + 1, enclosing[-1][1] if enclosing else _NONE)

    def _mark(self, start: int, numbers: Numbers) -> None:
        if self._starts and self._starts[-1] == start:
            self._numbers[-1] = numbers
        else:
            self._starts.append(start)
            self._numbers.append(numbers)

    def find(self, address: int) -> Numbers:
        position = bisect_right(self._starts, address)
        return self._numbers[position - 1] if position else _NONE
