"""`make expected` writes what the tests of stories and documents compare with."""

import shutil
from pathlib import Path

from tests.functions.test_cases import CASES
from tests.rewrite_expected import cases, refusals, wrote
from tests.unit.test_invalid_documents import FOLDERS, INVALID


def test_the_lines_of_a_story_are_written(tmp_path: Path) -> None:
    """A story with other expected lines gets those that replay prints; then nothing changes."""
    original = CASES / "11-bad-line"
    story = tmp_path / "story"
    shutil.copytree(original, story)
    (story / "expected.jsonl").write_text("{}\n", encoding="utf-8")
    for expected in (True, False):
        ((path, text),) = cases([story])
        assert wrote(path, text) is expected
    assert (story / "expected.jsonl").read_bytes() == (original / "expected.jsonl").read_bytes()


def test_nothing_is_to_be_rewritten() -> None:
    """Each expected text is what the command would write, with `{fields}` where it stands."""
    differing = [path for path, text in refusals(FOLDERS) if path.read_bytes() != text.encode()]
    assert not differing


def test_the_error_of_a_document_is_written(tmp_path: Path) -> None:
    """An invalid document without an expected text gets the error it causes."""
    original = INVALID / "001-empty-file"
    folder = tmp_path / "document"
    shutil.copytree(original, folder)
    (folder / "expected.txt").unlink()
    ((path, text),) = refusals([folder])
    assert wrote(path, text)
    assert path.read_bytes() == (original / "expected.txt").read_bytes()
