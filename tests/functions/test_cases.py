"""Every folder in tests/cases is a story: an input, rules, and the results that replay prints."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from bouncer_cli.command_line import main

CASES = Path(__file__).parents[1] / "cases"
BESIDE_INPUT = {"rules", "lists", "settings.yaml", "options.txt", "expected.jsonl"}


def folders() -> list[Path]:
    """The shipped stories, and one's own in the git-ignored folder private."""
    return sorted(path.parent for path in CASES.glob("**/expected.jsonl"))


def objects(text: str) -> list[dict[str, Any]]:
    """One JSON object from each line."""
    return [json.loads(line) for line in text.splitlines()]


def replay_of(folder: Path) -> list[str]:
    """The arguments that replay a story within its folder."""
    arguments = ["replay", "--format", "json", "--rules", "rules"]
    if (folder / "settings.yaml").exists():
        arguments += ["--settings", "settings.yaml"]
    if (folder / "options.txt").exists():
        arguments += shlex.split((folder / "options.txt").read_text("utf-8"))
    inputs = sorted(path.name for path in folder.iterdir() if path.name not in BESIDE_INPUT)
    return [*arguments, *inputs]


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: str(folder.relative_to(CASES)))
def test_story_ends_as_expected(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Replay prints exactly the expected lines, and on stderr only doubts about rules.

    Its exit status is 1 if an input was not read.
    """
    monkeypatch.chdir(folder)
    expected = objects(Path("expected.jsonl").read_text("utf-8"))

    status = main(replay_of(folder))

    printed = capsys.readouterr()
    assert objects(printed.out) == expected
    said = printed.err.splitlines()
    assert [line for line in said if not line.startswith("warning: ")] == []
    assert all(line.isascii() and line.isprintable() for line in printed.out.splitlines())
    assert status == any(line["error"] for line in expected)


def test_there_are_stories() -> None:
    """The shipped stories are found: an empty list would pass every test above."""
    assert len([folder for folder in folders() if folder.parent == CASES]) >= 15


def test_every_folder_is_complete() -> None:
    """Every folder has expected lines; one without them would never be run."""
    shipped = {path for path in CASES.iterdir() if path.is_dir() and path.name != "private"}
    assert shipped <= set(folders())
