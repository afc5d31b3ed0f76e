"""One target of the fuzzers: bytes in, properties checked.

The bytes are a mail, a document or JSON as a stranger would send it, so that a kept input can be
read, and stays one when the target changes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzTarget:
    """A target: `check` raises for any broken property, and passes over what it cannot use.

    `examples` draws inputs for Hypothesis, which atheris starts from. `words` are pieces that a
    mutated input is likely to need. The inputs of a target with `json` are mutated as JSON, too.
    """

    name: str
    check: Callable[[bytes], None]
    examples: SearchStrategy[bytes]
    words: tuple[str, ...] = ()
    json: bool = False
