"""The form of addresses in the journal: full, masked, or hashed with a key of the operator's.

Strangers choose addresses, and errors quote them; so the two private forms are looked for in every
text of a line, not only where an address is expected. The domain stays in all forms: queries count
by it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from bouncer.rules.document import Node

_A_KEY = "16 to 64 characters without blanks, such as openssl rand -hex 16 prints"
_HIDDEN = r"(?s).?\*{3}|#[0-9a-f]{16}"  # a local part that is masked or hashed already
# A backslash escapes what follows, a quote as well. Errors that quote a text may double it, so an
# even number escapes a quote, too, unless a domain follows.
_ESCAPED = r"\\(?:\\\\)*[^\\]|(?:\\\\)+(?:[^\\\"]|\"(?!@))"
_PLAIN = rf"(?:[^\s<>\"(),:;\[\]\\]|{_ESCAPED}|\\+)"
# A word that may be an address, or a quoted text with what stands behind it. Both read backslashes
# alike, so that a quote without its end is looked for only once, and the time is linear.
_WORD = rf"(?s)\"(?P<inner>(?:[^\"\\]|{_ESCAPED})*(?:\\\\)*)\"(?P<rest>{_PLAIN}*)|{_PLAIN}+"
_END = ".!?"  # of a sentence, not of an address
_LONG = 40  # characters of a quoted word that errors may have cut before its "@"


class Form(StrEnum):
    """The form in which the journal shows addresses."""

    FULL = "full"
    MASKED = "masked"  # a***@example.com
    HASHED = "hashed"  # #0123456789abcdef@example.com, the same for each line of a person


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressForm:
    """One form of addresses; `key` is the secret of the hashed one."""

    form: Form = Form.FULL
    key: str = ""

    def address(self, address: str) -> str:
        """Return an address in this form; what is not an address is hidden as a whole."""
        if self.form is Form.FULL or not address:
            return address
        local, at, domain = address.rpartition("@")
        if not at:
            local, domain = address, ""
        if self.form is Form.MASKED:
            return f"{local[:1]}***{at}{domain}"
        return f"#{self._digest(address)}{at}{domain.lower()}"

    def text(self, text: str) -> str:
        """Return a text whose addresses are in this form."""
        return text if self.form is Form.FULL else re.sub(_WORD, self._word, text)

    def value(self, value: Any) -> Any:
        """Return a value of JSON in whose texts addresses are in this form."""
        match value:
            case _ if self.form is Form.FULL:
                return value
            case str():
                return self.text(value)
            case Mapping():
                return {key: self.value(item) for key, item in value.items()}
            case list() | tuple():
                return [self.value(item) for item in value]
            case _:
                return value

    def _digest(self, address: str) -> str:
        data = address.lower().rstrip(".").encode("utf-8", "backslashreplace")
        return blake2b(data, key=self.key.encode("ascii"), digest_size=8).hexdigest()

    def _word(self, found: re.Match[str]) -> str:
        word, inner, rest = found[0], found["inner"], found["rest"]
        if inner is not None and not rest.startswith("@"):  # a local part has "@" behind it
            return f'"{self.text(inner)}"{self.text(rest)}'
        marks = "'" if inner is not None else "'\"\\"
        bare = word.lstrip(marks).rstrip(f"{marks}{_END}")
        if "@" in bare:
            return word.replace(bare, self._again(bare), 1)
        cut = word.startswith("'") and not word.endswith("'") and len(word) >= _LONG
        return "'***" if cut else word

    def _again(self, address: str) -> str:
        """Return an address in this form, unless it is hidden already."""
        hidden = re.fullmatch(_HIDDEN, address.rpartition("@")[0])
        return address if hidden else self.address(address)


IN_FULL = AddressForm()


def read_journal(node: Node) -> AddressForm | None:
    """Read the value of `journal`: a mapping with `addresses`, and the `key` of hashed ones."""
    entries = node.members(("addresses", "key"), "a mapping with addresses")
    if "addresses" not in entries:
        node.fault(f"addresses, one of {', '.join(Form)}", found="no addresses")
        return None
    word = entries["addresses"].word(tuple(map(str, Form)))
    key = entries["key"].value if "key" in entries else ""
    secret = key if isinstance(key, str) and re.fullmatch(r"[!-~]{16,64}", key) else ""
    if word == Form.HASHED and not secret:
        found = "a key of another form" if key else "no key"  # never quoted: it is a secret
        entries.get("key", node).fault(_A_KEY, found=found)
    elif word != Form.HASHED and "key" in entries:
        entries["key"].fault("no key, as addresses are not hashed", found="a key")
    return AddressForm(form=Form(word), key=secret) if word else None


def read_mask(node: Node) -> AddressForm:
    """Read the value of `mask_addresses`, which earlier versions had in place of `journal`."""
    return AddressForm(form=Form.MASKED if node.flag() else Form.FULL)


def refuse_contradiction(entries: Mapping[str, Node], read: AddressForm | None) -> None:
    """Note a `mask_addresses` that says something else than the `journal` beside it."""
    mask = entries.get("mask_addresses")
    if mask and read and "journal" in entries and mask.value is (read.form is Form.FULL):
        mask.fault('what "journal" says: leave "mask_addresses" out')
