"""Finds the imports that a bundle can't serve, also those within functions: run inside a bundle."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType


def missing_imports(folder: Path) -> set[str]:
    """Return what modules loaded from `folder` import from its packages, and it does not have."""
    packages = {path.stem for path in folder.iterdir()}
    return {
        name
        for module in list(sys.modules.values())
        if folder in Path(getattr(module, "__file__", None) or "/").parents
        for name in imported_names(module)
        if name.partition(".")[0] in packages and not exists(name)
    }


def imported_names(module: ModuleType) -> Iterator[str]:
    """Yield `package.module.name` for each import of a module that is not for types alone."""
    assert module.__file__
    path = Path(module.__file__)
    if path.suffix == ".py":
        for node in executed(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                start = "." * node.level + (node.module or "")
                origin = importlib.util.resolve_name(start, module.__package__)
                names = (alias.name for alias in node.names)
                yield from (origin if name == "*" else f"{origin}.{name}" for name in names)


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below this one, without what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from executed(child)


def exists(name: str) -> bool:
    """Tell whether a dotted name is a module, or something that stands in one."""
    origin, _, last = name.rpartition(".")
    with suppress(ModuleNotFoundError):  # what is left of the dot may not be a package
        if importlib.util.find_spec(name):
            return True
    with suppress(ModuleNotFoundError):
        return hasattr(importlib.import_module(origin), last)
    return False
