"""The runner tells what its processes did, and a process that dies is a finding."""

import json
import sys
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import fuzz_keep, fuzz_run
from tests.fuzz.all_targets import NAMES
from tests.fuzz.json_mutation import json_mutated
from tests.fuzz.json_places import places
from tests.fuzz.workshop import Workshop

ROW = fuzz_run.Row(
    name="job", drawn=200, mutated=1000, cpu_s=2.0, edges=87, features=421, corpus=69, findings=1
)


def test_a_target_is_fuzzed_without_atheris(tmp_path: Path) -> None:
    """Hypothesis draws for the whole time; code that is reached is not known then."""
    row = fuzz_run.fuzz("address", seconds=1, folder=tmp_path, mutating=False)
    assert row.drawn > 0
    assert row.cpu_s > 0
    assert (row.mutated, row.edges, row.findings) == (0, 0, 0)
    assert row.corpus == len(list((tmp_path / "address" / "corpus").iterdir()))


def test_a_machine_without_atheris_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on aarch64: one sentence says it, and Hypothesis has the whole time."""
    monkeypatch.setattr(fuzz_run, "_ATHERIS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["fuzz_run", "--seconds=1", f"--folder={tmp_path}", "job"])
    assert fuzz_run.main() == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[1].startswith("job ")
    assert said.err.startswith("atheris has no wheel for this machine (")
    assert said.err.endswith("inputs are drawn by Hypothesis only, not mutated.\n")


def test_a_process_that_dies_is_a_finding(tmp_path: Path) -> None:
    """Its last words are kept, as no input is known."""
    workshop = Workshop(tmp_path, "job")
    fuzz_run.fuzz("nothing", seconds=1, folder=tmp_path, mutating=False)
    assert [path.name for path in Workshop(tmp_path, "nothing").found()] == ["died-drawing.log"]
    assert workshop.found() == []


def test_the_table_has_a_row_for_each_target() -> None:
    """Executions a second are those of CPU time."""
    head, row = fuzz_run.table([ROW]).splitlines()
    assert head.split("  ")[0] == "TARGET"
    assert row.split() == ["job", "200", "1,000", "600", "87", "421", "69", "1"]
    assert len(head) == len(row) <= 80


def test_executions_are_added_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts that were kept are forgotten, so that none is counted twice."""
    monkeypatch.setattr(fuzz_keep, "COUNTS", tmp_path / "counts.json")
    for _ in range(2):
        fuzz_run.note([ROW], tmp_path)
        fuzz_keep.count(tmp_path)
    kept = json.loads((tmp_path / "counts.json").read_text())
    assert kept["executions"] == {name: 2400 * (name == "job") for name in NAMES}
    assert not (tmp_path / fuzz_run.ROWS).exists()


@pytest.mark.parametrize("seed", range(50))
def test_json_is_mutated_as_json(seed: int) -> None:
    """Within the limit, the same for a seed; what is not JSON is left to the fuzzer."""

    def mutate(data: bytes, most: int) -> bytes:
        return bytes(reversed(data))[:most]

    data = json.dumps({"a": ["text", {"b": 1}], "c": "d"}).encode()
    once, again = (json_mutated(data, 100, seed, mutate) for _ in range(2))
    assert once == again
    assert len(once) <= 100
    assert once == mutate(data, 100) or json.loads(once) is not None
    assert json_mutated(b"{", 100, seed, mutate) == b"{"


def test_every_value_has_a_place() -> None:
    """Replacing the values at all places leaves nothing as it was."""
    value = {"a": [1, {"b": 2}], "c": 3}
    for container, key in Random(1).sample(places(value), len(places(value))):
        container[key] = None
    assert value == {"a": None, "c": None}
