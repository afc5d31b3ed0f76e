"""`bouncer init` writes everything or nothing, over no file, and completes what was interrupted."""

import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from bouncer_cli.project import project_folder
from bouncer_cli.project.project_folder import FolderError, leftovers, write_folder

FILES = {PurePosixPath("a.txt"): b"a", PurePosixPath("rules/b.yaml"): b"b"}


def written(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_new_folder_is_complete(tmp_path: Path) -> None:
    """Folders above it are made, and nothing is left beside it."""
    folder = tmp_path / "new" / "folder"
    assert write_folder(folder, FILES) == 2
    assert written(folder) == {"a.txt": b"a", "rules/b.yaml": b"b"}
    assert [path.name for path in folder.parent.iterdir()] == ["folder"]
    assert folder.stat().st_mode & 0o777 == 0o777 & ~os.umask(os.umask(0o22)) | 0


def test_what_is_there_stays(tmp_path: Path) -> None:
    """Each file that is in the way is named, and nothing at all is written."""
    (tmp_path / "a.txt").write_text("mine")
    (tmp_path / "rules").write_text("a file where a folder must be")
    with pytest.raises(FolderError) as error:
        write_folder(tmp_path, FILES)
    first, second, last = str(error.value).splitlines()
    assert first == f"{tmp_path}/a.txt: exists, and nothing is overwritten"
    assert second == f"{tmp_path}/rules: exists, and nothing is overwritten"
    assert last.startswith(f"{tmp_path}: nothing was written; name a new folder")
    assert written(tmp_path)["a.txt"] == b"mine"


def test_a_file_that_appears_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the move somebody else may write."""
    put: Callable[[Path, bytes], None] = project_folder._put  # noqa: SLF001  # the moment between

    def meanwhile(path: Path, content: bytes) -> None:
        put(path, content)
        (tmp_path / "a.txt").write_text("mine")

    monkeypatch.setattr(project_folder, "_put", meanwhile)
    with pytest.raises(FolderError) as error:
        write_folder(tmp_path, FILES)
    assert str(error.value) == (
        f"{tmp_path}/a.txt: appeared meanwhile, and nothing is overwritten; run the command again"
    )
    assert written(tmp_path) == {"a.txt": b"mine"}


def test_a_file_system_without_links_takes_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As FAT has none, and some of those on a network."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert write_folder(tmp_path, FILES) == 2
    assert written(tmp_path) == {"a.txt": b"a", "rules/b.yaml": b"b"}


def test_other_files_do_not_matter(tmp_path: Path) -> None:
    """A repository that was just made can take the files."""
    (tmp_path / ".git").mkdir()
    assert write_folder(tmp_path, FILES) == 2
    assert (tmp_path / "rules" / "b.yaml").read_bytes() == b"b"


def test_an_interrupted_run_is_completed(tmp_path: Path) -> None:
    """A file that has the wanted content already is neither in the way nor written again."""
    (tmp_path / "a.txt").write_bytes(b"a")
    assert write_folder(tmp_path, FILES) == 1
    assert write_folder(tmp_path, FILES) == 0


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("exists", [True, False])
def test_an_error_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, exists: bool
) -> None:
    """A full disk, or Ctrl-C, between two files: no file, no folder, one sentence."""
    folder = tmp_path / "folder"
    if exists:
        folder.mkdir()
    put: Callable[[Path, bytes], None] = project_folder._put  # noqa: SLF001  # the disk, in a way

    def full(path: Path, content: bytes) -> None:
        if path.name == "b.yaml":
            raise error
        put(path, content)

    monkeypatch.setattr(project_folder, "_put", full)
    expected = FolderError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as raised:
        write_folder(folder, FILES)
    if isinstance(error, OSError):
        assert "can't be written (No space left on device), expected" in str(raised.value)
    assert sorted(tmp_path.rglob("*")) == ([folder] if exists else [])


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("file", "found a file, expected a new or empty folder"),
        ("file/below", "can't be written (Not a directory)"),
        ("x" * 300, "can't be written (File name too long)"),
        ("x\0y", "embedded null"),
        ("dangling", "can't be written (No such file or directory)"),
    ],
)
def test_a_place_that_can_take_no_folder_is_one_sentence(
    tmp_path: Path, name: str, says: str
) -> None:
    """The sentence names the place and the reason."""
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FolderError) as error:
        write_folder(tmp_path / name, FILES)
    assert says in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_strange_names_are_names(tmp_path: Path) -> None:
    """Line ends, blanks, quotes and bytes that are not text may stand in a name."""
    for name in ("a b\n'$(x)", "\x1b[31m", os.fsdecode(b"\xff"), "-x"):
        assert write_folder(tmp_path / name, FILES) == 2


def test_what_a_killed_run_left_is_named(tmp_path: Path) -> None:
    """Nobody else deletes it."""
    left = tmp_path / ".bouncer-init-0a1b2c3d"
    left.mkdir()
    assert leftovers(tmp_path / "folder") == [left]
    assert leftovers(tmp_path) == [left]
