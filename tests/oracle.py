"""A slow and obvious evaluator of rules, to check the compiled one against.

It reads rule documents as plain mappings and tries every rule on every mail. It takes the kind of a
field from the engine's table; values and matchers it has itself, by the words of docs/rules.md.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_network
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import re2

from bouncer.mail.field_values import AtLeast, Values
from bouncer.mail.message import VERDICTS, Message
from bouncer.mail.rewritten_sender import normal_sender
from bouncer.rules.fields import FIELDS, Availability, Kind

_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Documents = Mapping[str, Mapping[str, Any]]


def decide(
    documents: Documents, message: Message, recipient: str, lists: Documents | None = None
) -> tuple[str | None, list[str], list[str]]:
    """Return the name of the deciding rule, if any, and those of two kinds of rules before it.

    These are the shadow matches and the rules whose condition is unknown. `lists` are documents
    with kind, subdomains and entries. An answer of None is neither true nor false: a list that
    does not exist gives one.
    """
    case = _Case(message, recipient, lists or {})
    shadow: list[str] = []
    unknown: list[str] = []
    for name in sorted(documents):
        rule = documents[name]
        answer = False if rule.get("mode") == "off" else _matches(rule, case)
        acts = rule.get("mode", "enforce") == "enforce" and _in_share(name, rule, case)
        if answer is None:
            unknown.append(name)
            if acts and ("accept" in rule or "reply" in rule):
                break
        elif answer and acts:
            return name, shadow, unknown
        elif answer:
            shadow.append(name)
    return None, shadow, unknown


class _Case(NamedTuple):
    """The mail, the recipient that is decided about, and the lists there are."""

    message: Message
    recipient: str
    lists: Documents


def _all(answers: Iterable[bool | None]) -> bool | None:
    found = list(answers)
    if False in found:
        return False
    return None if None in found else True


def _any(answers: Iterable[bool | None]) -> bool | None:
    found = list(answers)
    if True in found:
        return True
    return None if None in found else False


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _matches(rule: Mapping[str, Any], case: _Case) -> bool | None:
    return _all(
        (
            _in_dates(rule, case.message.received_at),
            _holds(rule.get("when", {}), case),
            "unless" not in rule or _not(_holds(rule["unless"], case)),
        )
    )


def _in_share(name: str, rule: Mapping[str, Any], case: _Case) -> bool:
    if "share" not in rule:
        return True
    places = [_place(name, case.message.sender, each) for each in case.message.recipients]
    return all(place * 100 < int(rule["share"].rstrip("%")) for place in places)


def _place(name: str, sender: str, recipient: str) -> float:
    text = "\n".join([name, normal_sender(sender, [recipient]), _untagged(recipient).lower()])
    return int(sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16], 16) / 2**64


def _in_dates(rule: Mapping[str, Any], received: datetime | None) -> bool:
    if "from" not in rule and "until" not in rule:
        return True
    if received is None:
        return False
    starts = _date(rule["from"]) if "from" in rule else received
    ends = _date(rule["until"]) + timedelta(days=1) if "until" in rule else received + timedelta(1)
    return starts <= received < ends


def _date(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


def _holds(condition: Mapping[str, Any], case: _Case) -> bool | None:
    return _all(_entry(key, value, case) for key, value in condition.items())


def _entry(key: str, spec: Any, case: _Case) -> bool | None:
    if key == "all":
        return _all(_holds(part, case) for part in spec)
    if key == "any":
        return _any(_holds(part, case) for part in spec)
    if key == "not":
        return _not(_any(_holds(part, case) for part in _listed(spec)))
    if key == "header":
        return _all(_header(name, part, case) for name, part in spec.items())
    return _field(key, spec, case)


def _header(name: str, spec: Any, case: _Case) -> bool | None:
    values = [
        value
        for key, found in case.message.headers.items()
        if key == name.lower()
        for value in found
    ]
    if isinstance(spec, bool):
        return spec == bool(values)
    return _any_of("header", spec, values, case.lists)


def _field(key: str, spec: Any, case: _Case) -> bool | None:
    if FIELDS[key].availability is Availability.COPY:
        known = case.message.content.of(key) if case.message.content else Values((), whole=False)
        return _any_of(key, spec, list(known.values), case.lists, whole=known.whole)
    return _any_of(key, spec, _VALUES[key](case.message, case.recipient), case.lists)


def _any_of(
    key: str, spec: Any, values: list[Any], lists: Documents, *, whole: bool = True
) -> bool | None:
    """Tell whether any value is as a rule says; `not` negates the answer for all of them.

    If there may be values that are not known, only a value that is as the rule says settles it.
    """
    if isinstance(spec, list):
        return _any(_any_of(key, item, values, lists, whole=whole) for item in spec)
    if isinstance(spec, dict) and "not" in spec:
        return _not(_any_of(key, spec["not"], values, lists, whole=whole))
    if isinstance(spec, dict) and "in" in spec:
        found = _any(_in_list(key, lists.get(name), values) for name in _listed(spec["in"]))
    else:
        found = any(_compares(key, spec, value) for value in values)
    return None if found is False and not whole else found


def _compares(key: str, spec: Any, value: Any) -> bool:
    match FIELDS[key].kind:
        case Kind.WORD:
            return bool(spec == value)
        case Kind.NETWORK:
            return value in ip_network(spec)
        case Kind.NUMBER:
            return _counts(spec, value)
        case Kind.SIZE:
            return _counts({bound: _bytes(text) for bound, text in spec.items()}, value)
        case Kind.WINDOW:
            return _in_window(spec, value)
    if isinstance(spec, dict):
        (matcher, patterns), *_ = spec.items()
        return any(_text(key, matcher, pattern, value) for pattern in _listed(patterns))
    return _text(key, "plain", spec, value)


def _in_list(key: str, found: Mapping[str, Any] | None, values: list[Any]) -> bool | None:
    """Tell whether any value is in a list; None if there is not one that the field can ask."""
    kinds = {
        Kind.ADDRESS: ("addresses", "domains"),
        Kind.DOMAIN: ("domains",),
        Kind.NETWORK: ("networks",),
        Kind.TEXT: ("words",),
        Kind.HEADER: ("words",),
    }
    if found is None or found["kind"] not in kinds[FIELDS[key].kind]:
        return None
    return any(
        _is_entry(key, found, entry, value) for entry in found["entries"] for value in values
    )


def _is_entry(key: str, found: Mapping[str, Any], entry: str, value: Any) -> bool:
    match found["kind"]:
        case "addresses":
            return _text(key, "plain", entry, value)
        case "networks":
            return value in ip_network(entry)
        case "words":
            wanted, text = (f" {' '.join(_words(each))} " for each in (entry, value))
            return wanted in text
    if found.get("subdomains"):
        return _text(key, "within", entry, value)
    return any(_text("sender_domain", "plain", entry, each) for each in _domains_of(key, value))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", _fold(_seen(text)))


def _domains_of(key: str, value: str) -> list[str]:
    return _domains(value) if FIELDS[key].kind is Kind.ADDRESS else [value]


def _counts(spec: Any, count: int) -> bool:
    if isinstance(spec, int):
        return count == spec and not isinstance(count, AtLeast)
    if "under" in spec and isinstance(count, AtLeast):
        return False
    return bool(spec.get("over", -1) < count < spec.get("under", count + 1))


def _bytes(size: str | int) -> int:
    """Return the number in `10MB`, `500KB` or `7`."""
    units = {"KB": 10**3, "MB": 10**6}
    text = str(size)
    return int(text[:-2]) * units[text[-2:]] if text[-2:] in units else int(text)


def _in_window(spec: Mapping[str, Any], received: datetime) -> bool:
    local = received.astimezone(ZoneInfo(spec.get("zone", "UTC")))
    clock = local.strftime("%H:%M")
    start, end = spec.get("between", ["00:00", "24:00"])
    inside = start <= clock < end if start < end else clock >= start or clock < end
    return inside and _DAYS[local.weekday()] in _listed(spec.get("days", _DAYS))


def _domains(*addresses: str) -> list[str]:
    return [address.rsplit("@", 1)[1].rstrip(".") for address in addresses if "@" in address]


def _verdict(name: str) -> Callable[[Message, str], list[Any]]:
    return lambda message, _: [message.verdicts[name]]


_VALUES: dict[str, Callable[[Message, str], list[Any]]] = {
    "sender": lambda message, _: [message.sender],
    "recipient": lambda _, recipient: [recipient],
    "from": lambda message, _: list(message.from_),
    "to": lambda message, _: list(message.to),
    "cc": lambda message, _: list(message.cc),
    "reply_to": lambda message, _: list(message.reply_to),
    "sender_domain": lambda message, _: _domains(message.sender),
    "recipient_domain": lambda _, recipient: _domains(recipient),
    "from_domain": lambda message, _: _domains(*message.from_),
    "subject": lambda message, _: list(message.subject),
    **{name: _verdict(name) for name in VERDICTS},
    "dmarc_policy": lambda message, _: [message.dmarc_policy],
    "source_ip": lambda message, _: [message.source_ip] if message.source_ip else [],
    "helo": lambda message, _: [] if message.helo is None else [message.helo],
    "list_id": lambda message, _: [
        value.rpartition("<")[2].partition(">")[0].strip() for value in message.header("list-id")
    ],
    "recipients": lambda message, _: [len(message.recipients)],
    "time": lambda message, _: [message.received_at] if message.received_at else [],
}


def _text(key: str, matcher: str, pattern: str, value: str) -> bool:
    if matcher == "within":
        domains = _domains_of(key, value)
        spellings = (pattern, f".{pattern}")
        return any(_one("sender_domain", "plain", p, d) for p in spellings for d in domains)
    if key == "recipient" and "+" not in pattern and _one(key, matcher, pattern, _untagged(value)):
        return True
    return _one(key, matcher, pattern, value)


def _untagged(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return local.split("+")[0] + at + domain


def _one(key: str, matcher: str, pattern: str, value: str) -> bool:
    value = _in_ascii(key, _seen(value).strip())
    if matcher == "regex":
        shown = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in value)
        return bool(re2.search(f"(?i){_seen(pattern)}", shown))
    whole = matcher == "plain"
    pattern = _seen(pattern).strip() if whole else _seen(pattern)
    of_domain = whole or "@" in pattern or FIELDS[key].kind is Kind.DOMAIN
    pattern = _in_ascii(key, pattern) if of_domain else pattern
    text, wanted = _fold(value), _fold(pattern)
    match matcher:
        case "contains":
            return wanted in text
        case "starts_with":
            return text.startswith(wanted)
        case "ends_with":
            return text.endswith(wanted)
    wild = re.search(r"[*?]", pattern)
    if FIELDS[key].kind is Kind.DOMAIN and pattern.startswith(".") and not wild:
        return text.endswith(wanted.rstrip("."))
    return _like(wanted, [_fold(char) for char in value]) if wild else wanted == text


def _seen(text: str) -> str:
    """Return the text as the eye sees it: composed, with one blank for several, without joiners."""
    text = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in ("Cf", "Cc"))
    return unicodedata.normalize("NFC", re.sub(r"\s+", " ", text))


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def _in_ascii(key: str, text: str) -> str:
    """Return an address or a domain with its domain in ASCII, as RFC 5890 writes it."""
    if FIELDS[key].kind not in (Kind.ADDRESS, Kind.DOMAIN):
        return text
    local, at, domain = text.rpartition("@")
    if FIELDS[key].kind is Kind.ADDRESS and not at:
        return text
    return local + at + ".".join(map(_label, domain.split(".")))


def _label(label: str) -> str:
    if label.isascii() or re.search(r"[*?]", label):
        return label
    lower = unicodedata.normalize("NFC", label.lower())
    return f"xn--{lower.encode('punycode').decode()}"


def _like(pattern: str, letters: list[str]) -> bool:
    """Tell whether letters, each with the characters it folds to, are like a pattern."""
    folded = "".join(letters)
    starts = {sum(map(len, letters[:count])) for count in range(len(letters) + 1)}
    places = {0}
    for sign in pattern:
        if sign == "*":
            places = set(range(min(places, default=len(folded) + 1), len(folded) + 1))
        elif sign == "?":
            ends = (min((s for s in starts if s > p), default=None) for p in places & starts)
            places = {end for end in ends if end is not None}
        else:
            places = {place + 1 for place in places if folded[place : place + 1] == sign}
    return len(folded) in places


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
