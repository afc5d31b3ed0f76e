"""The pointer: the object that says which revision is in force, with the settings and the rest.

It is small, and one conditional request tells whether it changed. Its key carries the version of
its format: functions of two versions, as they run while a stack is updated, have a pointer each.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from bouncer.errors import BouncerError
from bouncer.held import Held
from bouncer.operator_settings import Settings
from bouncer.rules.bounce_limit import BounceLimit
from bouncer.sources.settings_json import settings_of, settings_values

FORMAT = 1
READABLE = (FORMAT,)  # a later format is read beside the one before it
POINTER_KEY = f"current-v{FORMAT}"


class PointerError(BouncerError):
    """The pointer is missing or can't be read; the text says which."""


class Pointer(NamedTuple):
    """All that is in force beside the rules.

    `problems` has sentences for each refused document, by its name (`rules/NAME`, `settings`).
    `braked` names rules that act as in mode shadow until an operator releases them; `limits` has
    `at_most` of the rules that have it. `sources` has the digest of what each list of the revision
    was made of. `defaults` is the digest of the deployment's own settings, by which a publisher
    knows that the stack was updated. `serial` grows with each pointer that is written, so that no
    two have the same bytes, and the same ETag; it begins from the clock, so that it grows also when
    the pointer before was lost.
    """

    revision: str
    settings: Settings
    causes: tuple[Held, ...] = ()
    problems: Mapping[str, tuple[str, ...]] = {}
    braked: tuple[str, ...] = ()
    sources: Mapping[str, str] = {}
    serial: int = 0
    defaults: str = ""
    limits: Mapping[str, BounceLimit] = {}


def pointer_text(pointer: Pointer) -> str:
    """Return a pointer as ASCII JSON; `read_pointer` reads it again."""
    members = {
        "format": FORMAT,
        "serial": pointer.serial,
        "defaults": pointer.defaults,
        "revision": pointer.revision,
        "settings": settings_values(pointer.settings),
        "held": [_held_values(cause) for cause in pointer.causes],
        "problems": {name: list(found) for name, found in pointer.problems.items()},
        "braked": list(pointer.braked),
        "limits": {rule: list(limit) for rule, limit in pointer.limits.items()},
        "sources": dict(pointer.sources),
    }
    return json.dumps(members, sort_keys=True, indent=1)


def read_pointer(text: bytes) -> Pointer:
    """Return the pointer in an object; raises `PointerError` for any other."""
    try:
        members = json.loads(text)
        found = members["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise PointerError(f"{POINTER_KEY}: found no pointer in it, expected one") from None
    if found not in READABLE:
        raise PointerError(
            f"{POINTER_KEY}: found a pointer of format {found!r:.20}, expected {FORMAT}; "
            "deploy the functions again, all of one version"
        )
    try:
        return _pointer(members)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise PointerError(
            f"{POINTER_KEY}: found members that can't be read ({error!r:.200}), expected a whole "
            "pointer"
        ) from error


def _pointer(members: Mapping[str, Any]) -> Pointer:
    return Pointer(
        revision=members["revision"],
        settings=settings_of(members["settings"]),
        causes=tuple(map(_held, members["held"])),
        problems={name: tuple(found) for name, found in members["problems"].items()},
        braked=tuple(members["braked"]),
        sources=members.get("sources", {}),
        serial=members["serial"],
        defaults=members.get("defaults", ""),
        limits={rule: BounceLimit(*limit) for rule, limit in members.get("limits", {}).items()},
    )


def _held_values(held: Held) -> dict[str, str | None]:
    return {
        "since": held.since.isoformat() if held.since else None,
        "by": held.by,
        "why": held.why,
        "document": held.document,
    }


def _held(values: Mapping[str, str]) -> Held:
    since = values["since"]
    return Held(
        since=datetime.fromisoformat(since) if since else None,
        by=values["by"],
        why=values["why"],
        document=values["document"],
    )
