"""Walks through folders of mails: plain ones, Maildirs and what synchronising a bucket leaves.

Folders may be thousands deep, and links may lead back: links to folders are not followed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DELIVERED = ("cur", "new")  # the folders of a Maildir with whole mails
_UNFINISHED = "tmp"


class Unlisted(NamedTuple):
    """A folder that can't be listed, and the reason."""

    path: Path
    error: OSError


def files_in(folder: Path) -> Iterator[Path | Unlisted]:
    """Yield the files in and below a folder, in the order of names; pipes and devices are left out.

    Hidden files and folders are left out too, but for hidden Maildirs: `.Sent` is a subfolder of a
    Maildir++. Of a Maildir only the delivered mails are read, and its subfolders.
    """
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        try:
            if path != folder and not path.is_dir():
                yield path
            else:
                waiting += reversed(_entries(path))
        except OSError as error:
            yield Unlisted(path, error)


def _entries(folder: Path) -> list[Path]:
    names = sorted(folder.iterdir())
    if _is_maildir(folder):
        names = _has(folder, *DELIVERED) + [
            path for path in names if path.name not in (*DELIVERED, _UNFINISHED) and path.is_dir()
        ]
    return [path for path in names if _is_read(path)]


def _is_maildir(folder: Path) -> bool:
    """Tell whether a folder has both folders of delivered mails, or one of them and `tmp`."""
    return len(_has(folder, *DELIVERED, _UNFINISHED)) > 1


def _has(folder: Path, *names: str) -> list[Path]:
    return [path for name in names if (path := folder / name).is_dir()]


def _is_read(path: Path) -> bool:
    if path.is_dir():
        hidden = path.name.startswith(".") and not _has(path, *DELIVERED)
        return not path.is_symlink() and not hidden
    return not path.name.startswith(".") and (path.is_file() or not path.exists())
