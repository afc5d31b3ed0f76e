"""Tells pip where the running package came from, so that the same one is installed elsewhere."""

import json
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from bouncer_cli.entry_point import DISTRIBUTION

EXTRAS = "[infra,local]"
WHEELS = "wheels"


class Origin(NamedTuple):
    """A line of requirements.txt, and the wheel that it names, if that is a file here."""

    line: str
    wheel: Path | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """A sentence if the package comes from a checkout of this machine, or a file now gone."""
        _, _, url = self.line.partition(" @ ")
        if not url.startswith("file:"):
            return ()
        remark = (
            f"requirements.txt: names {url}, which other machines do not have: install bouncer "
            "from a wheel and write a new folder, which then has the wheel"
        )
        return (remark,)


def package_origin(installed: Distribution | None = None) -> Origin:
    """Return the origin that the installer noted (PEP 610), or the version, for an index."""
    found = installed or distribution(DISTRIBUTION)
    noted: Any = json.loads(found.read_text("direct_url.json") or "{}")
    url = noted.get("url")
    if not url:
        return Origin(f"{DISTRIBUTION}{EXTRAS}=={found.version}")
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.scheme == "file" and path.suffix == ".whl" and path.is_file():
        return Origin(f"./{WHEELS}/{path.name}{EXTRAS}", path)
    vcs = noted.get("vcs_info")
    if vcs:
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    return Origin(f"{DISTRIBUTION}{EXTRAS} @ {url}")
