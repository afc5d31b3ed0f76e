"""Looks at parts of international domains in a rule: `{contains: bücher}` and its kind.

A domain is compared label by label in ASCII (RFC 5890). A part of a label that is beyond ASCII has
no form there, so that such a rule never matches, or seldom what its writer means.
"""

from bouncer.mail.a_label import a_labels
from bouncer.rules.condition import Matcher
from bouncer.rules.document import Node, show
from bouncer.rules.fields import Field, Kind
from bouncer.rules.name_limits import unknown_domain
from bouncer.rules.pattern_form import domain_part

_NOT_ASCII = "ASCII (SES names recipients in ASCII, an international domain in its xn-- form)"


def unknown_part(field: Field, matcher: Matcher, part: str) -> str | None:
    """Return the expected form of a part of an address or a domain that no mail can have."""
    if field.kind not in (Kind.DOMAIN, Kind.ADDRESS) or matcher is Matcher.REGEX:
        return None
    local, host = _split(field, matcher, part)
    if field.recipient_values is not None and not local.isascii():
        return _NOT_ASCII
    return unknown_domain(host)


def doubt_part(node: Node, field: Field, matcher: Matcher, part: str) -> None:
    """Warn about letters beyond ASCII where a part of a host name is compared in ASCII."""
    if part.isascii():
        return
    if field.name == "helo":
        node.doubt("the xn-- form of the host name, as HELO has it")
    elif matcher is Matcher.REGEX and _sees_a_domain(field, part):
        node.doubt("the xn-- form of an international domain, as a regex sees that")
    elif label := _open_label(field, matcher, part):
        form = show(a_labels(label))
        node.doubt(f"{show(label)} as a whole label: it is compared as {form}, its xn-- form")


def _split(field: Field, matcher: Matcher, part: str) -> tuple[str, str]:
    return ("", part) if field.kind is Kind.DOMAIN else domain_part(matcher, part)


def _sees_a_domain(field: Field, regex: str) -> bool:
    if field.kind is Kind.DOMAIN or field.recipient_values is not None:
        return True
    return field.kind is Kind.ADDRESS and "@" in regex and not regex.rpartition("@")[2].isascii()


def _open_label(field: Field, matcher: Matcher, part: str) -> str | None:
    """Return a label beyond ASCII that may be longer in a mail than it is in the rule."""
    if field.kind not in (Kind.DOMAIN, Kind.ADDRESS):
        return None
    local, host = _split(field, matcher, part)
    labels = host.split(".")
    open_start = matcher is Matcher.CONTAINS and not local
    open_end = matcher in (Matcher.CONTAINS, Matcher.STARTS_WITH)
    ends = labels[:1] * open_start + labels[-1:] * open_end
    return next((label for label in ends if not label.isascii()), None)
