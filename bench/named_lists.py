"""Lists of 1,000 and of 1,000,000 addresses: loading, looking up, and right answers."""

import os
import random
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from statistics import median

from bouncer.rules.fields import Kind
from bouncer.rules.list_reader import ListFile, read_list_file
from bouncer.rules.named_list import NamedList

MANY, FEW = 1_000_000, 1_000
LOOK_UPS = int(os.environ.get("LOOK_UPS", "10000000"))

Row = tuple[str, str, str, bool]


def address(number: int) -> str:
    """Return an address that no other number has."""
    return f"{number * 7919 % 1_000_003}.n{number:x}@d{number % 5_000}.example"


def form(count: int) -> bytes:
    """Return the look-up form of the addresses of the first `count` numbers."""
    text = "\n".join(map(address, range(count)))
    return read_list_file(ListFile("bench.txt", text.encode())).form


def lists() -> Iterable[Row]:
    """Measure a list of a million addresses, and its answers to ten million questions."""
    many, few = form(MANY), form(FEW)
    seconds, peak = loading(many)
    yield "load 1,000,000 addresses, CPU", f"{seconds * 1e3:.1f} ms", "under 100 ms", seconds < 0.1
    held = (len(many) + peak) / 1e6
    yield "hold 1,000,000 addresses", f"{held:.0f} MB", "under 150 MB", held < 150
    slow, fast = look_up_us(many, MANY), look_up_us(few, FEW)
    yield "look an address up in 1,000,000", f"{slow:.1f} us", "under 5 us", slow < 5
    growth = slow / fast
    yield "look-up, growth from 1,000 to 1,000,000", f"{growth:.1f}", "under 2", growth < 2
    wrong = wrong_answers(many)
    yield f"wrong answers in {LOOK_UPS:,} random look-ups", f"{wrong}", "0", wrong == 0


def loading(data: bytes) -> tuple[float, int]:
    """Return the CPU seconds of loading a list, and the bytes that this takes beside its form."""
    started = time.process_time()
    NamedList(data)
    seconds = time.process_time() - started
    tracemalloc.start()
    NamedList(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak


def look_up_us(data: bytes, count: int) -> float:
    """Return the microseconds of one look-up; half of the addresses are in the list."""
    find = NamedList(data).row_finder(Kind.ADDRESS)
    assert find  # noqa: S101  # a list of addresses answers address fields
    asked = list(numbers(20_000, count))
    spelled = [address(number) for number in asked]
    runs = []
    for _ in range(15):
        started = time.process_time()
        for each in spelled:
            find(each)  # type: ignore[arg-type]  # of addresses, not of networks
        runs.append((time.process_time() - started) / len(spelled))
    return median(runs) * 1e6


def wrong_answers(data: bytes) -> int:
    """Return the number of look-ups whose answer is not that of the arithmetic."""
    find = NamedList(data).row_finder(Kind.ADDRESS)
    assert find  # noqa: S101  # a list of addresses answers address fields
    return sum(
        (find(address(number)) is not None) != (number < MANY)  # type: ignore[arg-type]  # as above
        for number in numbers(LOOK_UPS, MANY)
    )


def numbers(count: int, within: int) -> Iterator[int]:
    """Yield random numbers, half of them beyond the list."""
    draw = random.Random(7)
    return (draw.randrange(2 * within) for _ in range(count))
