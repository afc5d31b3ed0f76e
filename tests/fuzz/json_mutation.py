"""Mutates JSON as JSON: values are replaced, copied, removed, or have their text mutated."""

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from tests.fuzz.json_places import ODD_VALUES, places

MutateBytes = Callable[[bytes, int], bytes]  # data and the longest result

_MOST_CHANGES = 3
_GROWTH = 16  # bytes that a text may grow by


def json_mutated(data: bytes, most: int, seed: int, mutate: MutateBytes) -> bytes:
    """Return other JSON of at most `most` bytes; half of the time, and for other data, any bytes.

    `mutate` is the fuzzer's own mutation of bytes.
    """
    chance = Random(seed)
    try:
        value = json.loads(data) if chance.random() < 0.7 else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict | list):
        return mutate(data, most)
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        if found := places(value):
            _change(found, chance, mutate)
    result = json.dumps(value).encode()
    return result if len(result) <= most else mutate(data, most)


def _change(found: list[tuple[Any, Any]], chance: Random, mutate: MutateBytes) -> None:
    container, key = chance.choice(found)
    match chance.randrange(5):
        case 0:
            container[key] = deepcopy(chance.choice(ODD_VALUES))
        case 1:
            other, place = chance.choice(found)
            container[key] = deepcopy(other[place])
        case 2:
            del container[key]
        case _ if isinstance(container[key], str):
            text = container[key].encode("utf-8", "surrogatepass")
            container[key] = mutate(text, len(text) + _GROWTH).decode("utf-8", "replace")
        case _ if isinstance(container, list):
            container.insert(key, deepcopy(container[key]))
