"""The settings in force as plain values for JSON, for functions that read no documents.

The publisher has read and checked them. A member that this version does not know is passed over,
and one that is missing has its default: while a stack is updated, functions of two versions run.
"""

from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

from bouncer.caps import Caps, Ladder
from bouncer.operator_settings import Settings
from bouncer.rules.rule import Mode

Values = dict[str, Any]

_SETTINGS = frozenset(field.name for field in fields(Settings))
_CAPS = frozenset(field.name for field in fields(Caps))


def settings_values(settings: Settings) -> Values:
    """Return settings as values; `settings_of` reads them again."""
    return {**asdict(settings), "answer": sorted(settings.answer)}


def settings_of(values: Values) -> Settings:
    """Return the settings that have these values; raises `KeyError` or `ValueError` for others."""
    known = {key: value for key, value in values.items() if key in _SETTINGS}
    return Settings(
        **known
        | {
            "mode": Mode(values["mode"]),
            "answer": frozenset(values["answer"]),
            "own_domains": tuple(values["own_domains"]),
            "caps": _caps(values["caps"]),
        }
    )


def _caps(values: Values) -> Caps:
    known = {key: value for key, value in values.items() if key in _CAPS}
    return Caps(
        **known
        | {
            "sender": _ladder(values["sender"]),
            "sender_recipient_rule": _ladder(values["sender_recipient_rule"]),
            "allow": tuple(values["allow"]),
        }
    )


def _ladder(steps: Iterable[Iterable[int]]) -> Ladder:
    return tuple((seconds, most) for seconds, most in steps)
