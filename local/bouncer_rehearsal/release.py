"""A release as it was deployed: frozen once below tests/upgrade/, thawed to be deployed again.

A frozen release is small: CDK's template with its manifests, the package's sources, the lock of its
libraries, the starter rules, and samples of what it leaves in a queue and in a ledger, each with
the SendBounce call that the release made of it. Libraries are installed anew from the lock.
"""

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from bouncer_infra.bundle import install_libraries

_ARCHITECTURES = ("arm64", "x86_64")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same input is the same archive


def freeze_assembly(assembly: Path, stack: str, to: Path) -> None:
    """Copy a stack's template and manifests out of a cloud assembly that CDK synthesised."""
    manifest = _read(assembly / "manifest.json")
    kept = {name: manifest["artifacts"][name] for name in (f"{stack}.assets", stack)}
    kept[stack].pop("additionalMetadataFile", None)
    _write(to / "manifest.json", {"version": manifest["version"], "artifacts": kept})
    for kind in ("assets", "template"):
        _write(to / f"{kind}.json", _read(assembly / f"{stack}.{kind}.json"))


def freeze_package(package: Path, to: Path) -> None:
    """Pack the sources of the package that runs in AWS."""
    with ZipFile(to / "package.zip", "w", ZIP_DEFLATED) as archive:
        for path in sorted(package.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                info = ZipInfo(str(path.relative_to(package.parent)), _EPOCH)
                info.compress_type = ZIP_DEFLATED
                info.external_attr = 0o644 << 16
                archive.writestr(info, path.read_bytes())


def freeze_lines(documents: Iterable[Any], path: Path) -> None:
    """Write one JSON document a line."""
    lines = (json.dumps(document, sort_keys=True, default=str) for document in documents)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def thaw(
    release: Path,
    stack: str,
    to: Path,
    *,
    architecture: str,
    install: Callable[[Path, str, Path], None] = install_libraries,
) -> None:
    """Lay out a cloud assembly of a frozen release, with its functions for this architecture."""
    to.mkdir(parents=True)
    for kind, name in (
        ("manifest", "manifest.json"),
        ("assets", f"{stack}.assets.json"),
        ("template", f"{stack}.template.json"),
    ):
        text = (release / f"{kind}.json").read_text(encoding="utf-8")
        for other in _ARCHITECTURES:
            text = text.replace(f'"{other}"', f'"{architecture}"')
        (to / name).write_text(text, encoding="utf-8")
    for asset in _read(release / "assets.json")["files"].values():
        if asset["source"]["packaging"] == "zip":
            folder = to / asset["source"]["path"]
            install(folder, architecture, release / "requirements.txt")
            shutil.unpack_archive(release / "package.zip", folder)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _write(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
