"""Looks up a domain's MX records, gives up within seconds and keeps no answer."""

import re
from dataclasses import dataclass

from bouncer.errors import BouncerError

PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mx:
    """One mail exchanger; the lowest preference is tried first (RFC 5321, 5.1)."""

    preference: int
    host: str


class LookUpError(BouncerError):
    """A domain could not be looked up; with `everywhere`, no other domain can be either."""

    def __init__(self, text: str, *, everywhere: bool) -> None:
        super().__init__(text)
        self.everywhere = everywhere


def look_up_mx(domain: str, *, server: tuple[str, int] | None = None) -> tuple[Mx, ...]:
    """Return the mail exchangers of a domain, or (); raises `LookUpError` within seconds."""
    from dns import exception, resolver  # noqa: PLC0415  # only this command needs it

    try:
        asked = resolver.Resolver(configure=server is None)
        if server:
            asked.nameservers, asked.port = [server[0]], server[1]
        answer = asked.resolve(domain, "MX", lifetime=PATIENCE_S, search=False)
    except (resolver.NXDOMAIN, resolver.NoAnswer):
        return ()
    except (resolver.LifetimeTimeout, resolver.NoResolverConfiguration, OSError) as error:
        raise LookUpError(_brief(error), everywhere=True) from error
    except exception.DNSException as error:
        raise LookUpError(_brief(error), everywhere=False) from error
    return tuple(
        sorted(
            Mx(preference=record.preference, host=record.exchange.to_text().rstrip("."))
            for record in answer
        )
    )


def _brief(error: Exception) -> str:
    return re.sub(r"(?<!^)(?=[A-Z][a-z])", " ", type(error).__name__).lower()
