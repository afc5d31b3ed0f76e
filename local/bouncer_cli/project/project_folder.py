"""Puts the files of a new folder on disk: all of them or none, and never over another file.

A folder that does not exist is made beside its place, and renamed once it is complete. Into one
that exists, complete files are linked one by one: the same command, run again after an interrupt,
puts the others there.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from bouncer.errors import BouncerError
from bouncer_cli.project.project_files import Files

_MARK = ".bouncer-init-"


class FolderError(BouncerError):
    """The folder can't be written; the text says why, and that nothing was left half done."""


def write_folder(folder: Path, files: Files) -> int:
    """Write the files that are not there yet and return their number; raises `FolderError`."""
    try:
        missing = _missing(folder, files)
        if missing:
            _write(folder, missing)
    except (OSError, ValueError) as error:  # ValueError: a NUL in a name
        reason = error.strerror if isinstance(error, OSError) else error
        raise FolderError(
            f"{folder}: can't be written ({reason}), expected a new or empty folder below one that "
            "this user may write to; run the command again once that is mended"
        ) from error
    return len(missing)


def leftovers(folder: Path) -> list[Path]:
    """Return what a run that was killed left beside the folder or in it."""
    found: list[Path] = []
    for place in (folder.absolute().parent, folder):
        if place.is_dir():
            found += (path for path in sorted(place.iterdir()) if path.name.startswith(_MARK))
    return found


def _missing(folder: Path, files: Files) -> Files:
    """Return the files that are to be written; raises `FolderError` for each other in the way."""
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder}: found a file, expected a new or empty folder")
    in_the_way = sorted(set(_in_the_way(folder, files)))
    if in_the_way:
        raise FolderError(
            "\n".join(f"{path}: exists, and nothing is overwritten" for path in in_the_way)
            + f"\n{folder}: nothing was written; name a new folder, or move these files away"
        )
    return {path: content for path, content in files.items() if not (folder / path).exists()}


def _in_the_way(folder: Path, files: Files) -> Iterator[Path]:
    """Yield each file that has other content, and each that stands where a folder must be."""
    for path, content in files.items():
        place = folder / path
        for above in path.parents:
            if (folder / above).exists() and not (folder / above).is_dir():
                yield folder / above
        if os.path.lexists(place) and not (place.is_file() and place.read_bytes() == content):
            yield place


def _write(folder: Path, files: Files) -> None:
    new = not os.path.lexists(folder)
    prepared = (folder.absolute().parent if new else folder) / f"{_MARK}{secrets.token_hex(4)}"
    prepared.mkdir(parents=new)
    try:
        for path, content in files.items():
            _put(prepared / path, content)
        if new:
            prepared.rename(folder)
        else:
            _move(prepared, folder, files)
    finally:
        shutil.rmtree(prepared, ignore_errors=True)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _move(prepared: Path, folder: Path, files: Files) -> None:
    for path in files:
        place: Path = folder / PurePosixPath(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        _link(prepared / path, place)


def _link(source: Path, place: Path) -> None:
    """Put a complete file in its place, where another one may have appeared since it was looked at.

    A rename would replace that one. Where a file system has no links, the file is written anew.
    """
    try:
        os.link(source, place)
    except FileExistsError as error:
        raise FolderError(
            f"{place}: appeared meanwhile, and nothing is overwritten; run the command again"
        ) from error
    except OSError:
        with place.open("xb") as file:
            file.write(source.read_bytes())
