"""Runs a target with inputs that atheris mutates to reach new code.

python -m tests.fuzz.atheris_process TARGET FOLDER [flags and folders of libFuzzer]

libFuzzer ends the process, and starts it again with other flags when it merges corpora.
"""

import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # .venv-fuzz has it, where there is a wheel

from tests.fuzz import all_targets
from tests.fuzz.json_mutation import json_mutated
from tests.fuzz.workshop import Workshop


def main(name: str, folder: str, *flags: str) -> None:
    """Start libFuzzer, which does not return."""
    with atheris.instrument_imports(include=list(all_targets.PACKAGES)):
        target = all_targets.target(name)
    workshop = Workshop(Path(folder), name)
    again = f"{sys.executable} -m tests.fuzz.atheris_process {name} {folder}"

    def run(data: bytes) -> None:
        workshop.run(target, data)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        return json_mutated(data, most, seed, atheris.Mutate)

    own = {"custom_mutator": mutate} if target.json else {}
    atheris.Setup([again, *flags], run, **own)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
