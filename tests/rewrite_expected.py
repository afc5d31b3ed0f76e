"""Rewrites the expected texts of tests/cases and tests/invalid; `make expected` calls it.

After a change of wording the diff then shows every text that has changed, for review. Nothing is
judged here: a wrong text is written as well as a right one.
"""

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from bouncer.errors import DocumentError
from bouncer_cli.command_line import main as bouncer
from tests.functions.test_cases import folders, replay_of
from tests.unit.test_invalid_documents import FOLDERS, abbreviated, content, document, read


def main() -> int:
    """Write each text that has changed, and print its place."""
    changed = [path for path, text in (*cases(folders()), *refusals(FOLDERS)) if wrote(path, text)]
    for path in changed:
        print(path.relative_to(Path.cwd()))  # noqa: T201  # the output
    print(f"{len(changed)} expected texts have changed; git diff shows how")  # noqa: T201
    return 0


def cases(stories: list[Path]) -> Iterator[tuple[Path, str]]:
    """Yield the file of expected lines of each story, and the lines that replay prints now."""
    for folder in stories:
        with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()) as printed:
            bouncer(replay_of(folder))
        yield folder / "expected.jsonl", printed.getvalue()


def refusals(invalid: list[Path]) -> Iterator[tuple[Path, str]]:
    """Yield the file of the expected error of each document, and the error it causes now."""
    for folder in invalid:
        path = document(folder)
        try:
            read(path.name, content(path))
        except DocumentError as error:
            yield folder / "expected.txt", abbreviated(f"{error}\n")
        else:
            sys.exit(f"{path}: found a valid document, expected one that is refused")


def wrote(path: Path, text: str) -> bool:
    """Write a text if the file has another one, and tell whether it had."""
    if path.exists() and content(path) == text:
        return False
    path.write_bytes(text.encode())
    return True


if __name__ == "__main__":
    sys.exit(main())
