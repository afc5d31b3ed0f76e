"""The settings in force as plain values for JSON, for functions that read no documents.

The publisher has read and checked them. A member that this version does not know is passed over,
and one that is missing has its default: while a stack is updated, functions of two versions run.
The senders of a deployment's bounces and replies are left out: no document may change them.
"""

import json
from dataclasses import asdict, fields
from hashlib import sha256
from typing import Any

from bouncer.caps import Caps
from bouncer.journal_address import AddressForm, Form
from bouncer.operator_settings import Settings
from bouncer.rules.rule import Mode

Values = dict[str, Any]

_SETTINGS = frozenset(field.name for field in fields(Settings)) - {"senders", "reply_senders"}
_CAPS = frozenset(field.name for field in fields(Caps))


def settings_values(settings: Settings) -> Values:
    """Return settings as values; `settings_of` reads them again."""
    values = asdict(settings) | {"answer": sorted(settings.answer)}
    return {key: value for key, value in values.items() if key in _SETTINGS}


def settings_digest(settings: Settings) -> str:
    """Return a digest that differs for other settings, as 64 hexadecimal digits."""
    return sha256(json.dumps(settings_values(settings), sort_keys=True).encode()).hexdigest()


def settings_of(values: Values) -> Settings:
    """Return the settings that have these values; raises `KeyError` or `ValueError` for others."""
    known = {key: _tuples(value) for key, value in values.items() if key in _SETTINGS}
    return Settings(
        **known
        | {
            "mode": Mode(values["mode"]),
            "answer": frozenset(values["answer"]),
            "addresses": _addresses(values["addresses"]),
            "caps": _caps(values["caps"]),
        }
    )


def _addresses(values: Values) -> AddressForm:
    return AddressForm(form=Form(values["form"]), key=values["key"])


def _caps(values: Values) -> Caps:
    return Caps(**{key: _tuples(value) for key, value in values.items() if key in _CAPS})


def _tuples(value: Any) -> Any:
    """Return a value with tuples in place of lists, at all depths."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
