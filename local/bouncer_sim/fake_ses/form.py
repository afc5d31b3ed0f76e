"""Reads the query protocol: the region of the signature, the action, the parameters by name.

It knows the spelling of lists and structures in a form, and nothing about bounces or mails.
"""

import re
from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl

from bouncer_sim.fake_ses.refusal import ErrorCode, SesError, shown, unsatisfied

_VERSION = "2010-12-01"
_PROTOCOL = frozenset({"Action", "Version"})
_MAX_PARAMETERS = 10_000
_DEFAULT_REGION = "us-east-1"
_SCOPE = re.compile(
    r"AWS4-[A-Z0-9-]+ .*?Credential=[^/,\s]+/\d{8}/([a-z0-9-]{1,32})/", re.ASCII | re.IGNORECASE
)


def region_of(authorization: str | None) -> str:
    """Return the region of a signature's credential scope, `us-east-1` if it names none.

    The signature itself is not checked. SesError for a request without one.
    """
    if not authorization:
        raise SesError(
            ErrorCode.MISSING_AUTHENTICATION_TOKEN, "Request is missing Authentication Token"
        )
    scope = _SCOPE.match(authorization)
    return scope.group(1).lower() if scope else _DEFAULT_REGION


def decode(body: bytes) -> dict[str, str]:
    """Return the parameters of a form; SesError if it is not one, or names a parameter twice."""
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError as error:
        raise SesError(
            ErrorCode.MALFORMED_QUERY_STRING, "The query string contains a syntax error"
        ) from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise SesError(
            ErrorCode.MALFORMED_QUERY_STRING, "The query string names a parameter more than once"
        )
    return form


def action_of(form: Mapping[str, str], known: Collection[str]) -> str:
    """Return the action; SesError for one that is not known, and another than SES's version."""
    found, version = form.get("Action", ""), form.get("Version", _VERSION)
    if found not in known or version != _VERSION:
        raise SesError(
            ErrorCode.INVALID_ACTION,
            f"Could not find operation {shown(found)} for version {shown(version)}",
        )
    return found


class Parameters:
    """Returns parameters one by one, and knows those that were never asked for."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._left = {name: value for name, value in form.items() if name not in _PROTOCOL}

    def optional(self, name: str) -> str | None:
        """Return a parameter's value, or None if it was not given."""
        return self._left.pop(name, None)

    def required(self, name: str) -> str:
        """Return a parameter's value; SesError if it was not given."""
        value = self.optional(name)
        if value is None:
            raise unsatisfied(name, None, "Member must not be null")
        return value

    def has(self, structure: str) -> bool:
        """Say whether any member of a structure was given."""
        return any(name.startswith(f"{structure}.") for name in self._left)

    def members(self, name: str) -> list[str]:
        """Return the prefixes of a list's members, `NAME.member.N`, in numeric order.

        An empty list travels as `NAME=`.
        """
        if self._left.get(name) == "":
            del self._left[name]
        start = f"{name}.member."
        numbers = {rest.split(".", 1)[0] for rest in self._after(start)}
        # A number no SDK would write, `01` or `-1`, stays behind and is refused as unexpected.
        proper = sorted(int(number) for number in numbers if re.fullmatch(r"[1-9]\d{0,4}", number))
        return [f"{start}{number}" for number in proper]

    def refuse_rest(self) -> None:
        """Refuse, by SesError, parameters that were never asked for."""
        if self._left:
            raise SesError(
                ErrorCode.VALIDATION_ERROR, f"Unexpected parameter {shown(min(self._left))}"
            )

    def _after(self, start: str) -> list[str]:
        return [name[len(start) :] for name in self._left if name.startswith(start)]
