"""Lists in the files of a folder: documents, and CSV or text files without one."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bouncer.rules.document import Report, show
from bouncer.rules.entry_file import LONGEST_FILE
from bouncer.rules.list_about import ReadList
from bouncer.rules.list_kind import ListKind
from bouncer.rules.list_reader import ListFile, read_list, read_list_file
from bouncer.rules.matcher_reader import LIST_NAME
from bouncer.sources.source import SourceError

DOCUMENTS = (".yaml", ".yml", ".json")
_FILES = (".csv", ".tsv", ".txt")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class FileList:
    """A list in a file; `others` are further files of the same name, which one list can't have."""

    path: Path
    others: tuple[Path, ...] = ()
    digest: str = ""  # a file is read each time

    @property
    def label(self) -> str:
        """The name of the file."""
        return str(self.path)

    def read(self) -> ReadList:
        """Return the list; raises `DocumentError`, and `SourceError` if a file can't be read."""
        if self.others:
            report = Report(str(self.others[0]))
            report.add((), found="a second list of this name", expected="one")
            report.settle()
        return read_list_at(self.path)


class ListFolder(Mapping[str, FileList]):
    """The lists of a folder by name; the folder may be missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, name: str) -> FileList:
        """Return one list, not read yet."""
        paths = self._names()[name]
        documents = [path for path in paths if path.suffix.lower() in DOCUMENTS]
        first, *others = documents or paths
        return FileList(first, tuple(others))

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a list of this name, valid or not."""
        return name in self._names()

    def __iter__(self) -> Iterator[str]:
        """Yield the names of all lists, in their order."""
        yield from sorted(self._names())

    def __len__(self) -> int:
        """Return the number of lists."""
        return len(self._names())

    def _names(self) -> dict[str, list[Path]]:
        """Return the files by the name of the list; a file beside a document belongs to that."""
        names: dict[str, list[Path]] = {}
        with suppress(FileNotFoundError, NotADirectoryError):
            for path in sorted(self.folder.iterdir()):
                if path.suffix.lower() in (*DOCUMENTS, *_FILES) and LIST_NAME.fullmatch(path.stem):
                    names.setdefault(path.stem, []).append(path)
        return names


def entries_of(number: int, kind: ListKind) -> str:
    """Return the number of a list's entries with their noun: `1 address`."""
    return f"{number:,} {kind.entry if number == 1 else kind}"


def read_list_at(path: Path) -> ReadList:
    """Return the list in a document, or in a CSV or text file.

    Raises `DocumentError` if it is invalid, and `SourceError` if a file can't be read.
    """
    if path.suffix.lower() not in DOCUMENTS:
        return read_list_file(list_file(path))

    def beside(name: str) -> ListFile:
        if not _FILE_NAME.fullmatch(name):
            report = Report(str(path))
            expected = "the name of a file beside this document, such as departed.csv"
            report.add(("file",), found=show(name), expected=expected)
            report.settle()
        return list_file(path.with_name(name))

    file = list_file(path)
    try:
        text = file.data.decode("utf-8")
    except UnicodeDecodeError:
        raise SourceError(f"{path}: found bytes that are not UTF-8, expected text") from None
    return read_list(text, document=file.label, read=beside)


def list_file(path: Path) -> ListFile:
    """Return a file of a list; raises `SourceError` if it can't be read."""
    try:
        with path.open("rb") as file:  # one that is too large is refused, and need not be read
            return ListFile(str(path), file.read(LONGEST_FILE + 1))
    except OSError as error:
        raise SourceError(f"{path}: can't be read ({error.strerror})") from error
