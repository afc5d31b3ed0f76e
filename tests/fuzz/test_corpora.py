"""Every kept input keeps the properties of its target, and each target is drawn from as well."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bouncer_cli.commands import __path__ as commands_path
from tests.fuzz import all_targets, command_target
from tests.fuzz.execution import execute
from tests.fuzz.workshop import CORPORA, REGRESSIONS

COMMANDS_FOLDER = Path(commands_path[0])
_MOST_BYTES = 1_000_000  # of all corpora together
_KEPT = [*CORPORA.glob("*/*"), *REGRESSIONS.glob("*/*")]


def inputs(name: str) -> list[Path]:
    """Return the kept inputs of a target."""
    return sorted(path for path in _KEPT if path.parent.name == name)


@pytest.mark.parametrize("name", all_targets.NAMES)
def test_kept_inputs_break_nothing(name: str) -> None:
    """Regressions stay mended, and no input costs a second or 300 MB."""
    target = all_targets.target(name)
    found = {str(path): execute(target, path.read_bytes()) for path in inputs(name)}
    assert {path: finding for path, finding in found.items() if finding} == {}


@pytest.mark.parametrize("name", all_targets.NAMES)
def test_drawn_inputs_break_nothing(name: str) -> None:
    """Hypothesis looks for what no fuzzer has met, without atheris."""
    target = all_targets.target(name)

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def each(data: st.DataObject) -> None:
        assert execute(target, data.draw(target.examples)) is None

    each()


def test_every_command_is_fuzzed() -> None:
    """A new command needs a line in the list of the target."""
    names = {path.stem.removesuffix("_command") for path in COMMANDS_FOLDER.glob("*_command.py")}
    assert names <= {line.split()[0] for line in command_target.COMMANDS}


def test_the_corpora_are_small_and_each_target_has_one() -> None:
    """A clone stays small, and a change of a target's name leaves no orphans."""
    assert {path.parent.name for path in CORPORA.glob("*/*")} == set(all_targets.NAMES)
    assert {path.parent.name for path in _KEPT} <= set(all_targets.NAMES)
    assert sum(path.stat().st_size for path in _KEPT) < _MOST_BYTES
