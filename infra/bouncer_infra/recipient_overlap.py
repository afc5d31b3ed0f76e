"""Recipients of receipt rules that one address can match (SES Developer Guide, "Receipt rules").

`example.com` stands for the domain alone, `.example.com` for all below it, and an address for
itself and for its forms with a label, `ann+label@example.com`. A rule without recipients matches
all.
"""

from collections.abc import Iterable


def overlapping(some: Iterable[str], others: Iterable[str]) -> tuple[str, str] | None:
    """Return a recipient of each that one address can match; None without any."""
    some, others = list(some), list(others)
    if not some or not others:
        return "".join(some[:1]) or "everybody", "".join(others[:1]) or "everybody"
    return next(
        ((one, other) for one in some for other in others if _meet(one.lower(), other.lower())),
        None,
    )


def _meet(one: str, other: str) -> bool:
    return one == other or _within(one, other) or _within(other, one)


def _within(narrow: str, wide: str) -> bool:
    """Tell whether `narrow` is part of the domain, the subdomains or the address `wide`."""
    local, at, domain = narrow.rpartition("@")
    if wide.startswith("."):
        return domain.endswith(wide)
    if "@" in wide:
        return bool(at) and f"{local.partition('+')[0]}@{domain}" == wide
    return bool(at) and domain == wide
