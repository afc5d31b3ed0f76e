"""Writes the CycloneDX bill of materials of the functions' bundle: `make sbom`.

cyclonedx-py reads the libraries, their licences and what needs what from the bundle itself. The
public suffix list, which is data of another project inside our package, is added here.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bouncer.mail.organisation import SUFFIX_LIST

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / ".venv-audit" / "bin" / "cyclonedx-py"
_TARGET = ROOT / "build" / "sbom.json"


def write(bundle: Path, target: Path) -> dict[str, Any]:
    """Write the bill of materials of a bundle, and return it."""
    command = [str(TOOL), "environment", "-S", "--pyproject", str(ROOT / "pyproject.toml")]
    command += ["--output-reproducible", "--output-file", str(target), sys.executable]
    environment = {**os.environ, "PYTHONPATH": str(bundle), "PYTHONWARNINGS": "ignore"}
    subprocess.run(command, check=True, env=environment)  # noqa: S603  # fixed words
    bill: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    bill["components"].append(_suffix_list())
    target.write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return bill


def _suffix_list() -> dict[str, Any]:
    head = SUFFIX_LIST.read_text(encoding="ascii").partition("# VERSION: ")[2]
    return {
        "type": "data",
        "bom-ref": "public-suffix-list",
        "name": "public-suffix-list",
        "version": head.split()[0],
        "licenses": [{"license": {"id": "MPL-2.0"}}],
    }


if __name__ == "__main__":
    from bouncer_infra import bundle

    folder = ROOT / "build" / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    bundle.build(folder, "arm64")
    written = write(folder, _TARGET)
    print(f"{_TARGET.relative_to(ROOT)}: {len(written['components'])} components")  # noqa: T201
