"""The places of the values within JSON, for whoever changes some of them."""

from typing import Any

# Values that a reader is least likely to expect where they are put.
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**30, 1e308, float("inf")),
    *("", " ", "\0", "\r\n", "\x1b[2J", "\u202e", "\ud800", "<>", "@", "a@b", "é@ü.example"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-11-02T08:00:00Z"),
    *("=?utf-8?b?DQo=?=", "{recipient}", "A" * 330, "ann@example.com\r\nBcc: bob@example.com"),
    *([], {}, [[]], [None], ["ann@example.com"] * 3, {"": ""}, [{"name": "X", "value": "\n"}]),
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return the container and the key of each value, the outer ones first."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    for container in waiting:
        keys = container if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], dict | list):
                waiting.append(container[key])
    return found
