"""The files that this package ships for a folder of one's own, in a checkout and in a wheel.

pyproject.toml puts the top of a checkout into the wheel, where the package finds its copies.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bouncer_cli import __path__ as package_path
from bouncer_cli.commands.demo_command import SHIPPED_RULES

_PACKAGE = Path(package_path[0])
_TEMPLATE = _PACKAGE / "project" / "template"
_IN_WHEEL = _PACKAGE / "top"
_TOP = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parents[1]
SHIPPED_LISTS = SHIPPED_RULES.parent / "lists"


def template(name: str) -> str:
    """Return a text that is only for such a folder."""
    return (_TEMPLATE / name).read_text(encoding="utf-8")


def top(name: str) -> bytes:
    """Return a file of the top of a checkout, as it is."""
    return (_TOP / name).read_bytes()


def top_json(name: str) -> dict[str, Any]:
    """Return a JSON document of the top of a checkout."""
    document: dict[str, Any] = json.loads(top(name))
    return document


def folder(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each file of a shipped folder."""
    for file in sorted(path.iterdir()):
        if file.is_file():
            yield file.name, file.read_bytes()
