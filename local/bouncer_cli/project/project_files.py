"""Writes down every file of a new folder, from what the package ships and what was chosen."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import PurePosixPath
from string import Template
from typing import Any

from bouncer_cli.commands.demo_command import SAMPLES, SHIPPED_RULES
from bouncer_cli.entry_point import DISTRIBUTION
from bouncer_cli.project.package_origin import WHEELS, Origin
from bouncer_cli.project.project_settings import ProjectSettings
from bouncer_cli.project.shipped_files import SHIPPED_LISTS, folder, template, top, top_json
from bouncer_infra.deployment_settings import full_name

Files = Mapping[PurePosixPath, bytes]
_SAMPLES = ("02-left-the-company", "04-existing-mailbox", "31-no-reply-sender", "40-forged-sender")
_NO_REGION = "YOUR-REGION"


def project_files(settings: ProjectSettings, *, region: str | None, origin: Origin) -> Files:
    """Return the content of each file by its path in the folder."""
    words = _words(settings, region or _NO_REGION)
    made: dict[str, bytes] = {
        "README.md": _filled("README.md", words),
        ".gitignore": template("gitignore").encode(),
        "app.py": top("app.py"),
        "cdk.json": _json(_cdk_json(settings)),
        "settings.yaml": _filled("settings.yaml", words),
        "requirements.txt": f"{_HEAD}{origin.line}\n{template('pins.txt')}".encode(),
        "package.json": _json(
            {"private": True, "devDependencies": top_json("package.json")["devDependencies"]}
        ),
        "package-lock.json": top("package-lock.json"),
    }
    if origin.wheel:
        made[f"{WHEELS}/{origin.wheel.name}"] = origin.wheel.read_bytes()
    made |= {f"rules/{name}": text for name, text in folder(SHIPPED_RULES)}
    made |= {f"lists/{name}": text for name, text in folder(SHIPPED_LISTS)}
    made |= {f"mails/{name}.eml": (SAMPLES / f"{name}.eml").read_bytes() for name in _SAMPLES}
    return {PurePosixPath(path): content for path, content in sorted(made.items())}


_HEAD = "# The bouncer and all that it needs, in the versions with which it was tested.\n"


def _words(settings: ProjectSettings, region: str) -> dict[str, str]:
    name = settings.deployment
    return {
        "region": region,
        "name": name,
        "stack": full_name(name),
        "recipients": ", ".join(settings.recipients),
        "bounce_sender": settings.bounce_sender,
        "version": version(DISTRIBUTION),
    }


def _filled(name: str, words: Mapping[str, str]) -> bytes:
    return Template(template(name)).substitute(words).encode()


def _cdk_json(settings: ProjectSettings) -> dict[str, Any]:
    """Return the shipped cdk.json, with other settings: its flags belong to the pinned CDK."""
    shipped = top_json("cdk.json")
    return {**shipped, "context": {**shipped["context"], "bouncer": settings.context}}


def _json(document: object) -> bytes:
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n".encode()
