"""The evidence that a mail comes from its envelope sender: SES's verdicts on SPF and DMARC.

SPF speaks of the envelope sender itself. DMARC speaks of the domain in From: whoever has an account
there can sign one mail to himself and send it again with another account of that domain as the
envelope sender, and DMARC still passes by its DKIM signature. So where DMARC alone passed, the one
address in From has to be the envelope sender. SPF speaks of the forwarder where the sender is in a
form of forwarders. See docs/decisions/0013-who-vouches.md.
"""

import re

from bouncer.mail.address import without_tag
from bouncer.mail.message import ABSENT, Message
from bouncer.mail.mime import decode_words
from bouncer.mail.rewritten_sender import is_forwarded, original_sender

UNKNOWN_VERDICTS = ("processing_failed", "disabled", ABSENT)

# Parsers differ in how they read a hostile From, and DMARC may have passed for another part of it
# than the one read here. So it has to be an address alone, or a name and one address in angle
# brackets, with at most one comment at its end; and every address written anywhere in it has to be
# the same.
_ADDRESS = r"[^\s\"<>()\[\]:;,\\@]+@[^\s\"<>()\[\]:;,\\@]+"
_COMMENT = r"\s*(?:\([^()\\@]*\)\s*)?"
_NAME = r"(?:\"(?:[^\"\\]|\\.)*\"|[^\"<>()\[\]:;,\\])*"
_ONE_AUTHOR = rf"(?s)(?:{_ADDRESS}|{_NAME}<\s*{_ADDRESS}\s*>){_COMMENT}"
_WRITTEN = r"[^\s\"<>()\[\]:;,\\@]*@[^\s\"<>()\[\]:;,\\]*"
_SRS_TAG = "+srs="


def vouched(message: Message) -> bool:
    """Tell whether SPF or DMARC shows that the envelope sender sent this mail."""
    if message.verdicts["spf"] == "pass":
        return True
    return message.verdicts["dmarc"] == "pass" and _is_author(message, message.sender)


def could_not_tell(message: Message) -> bool:
    """Tell whether SES has no verdict on SPF or DMARC, and neither of the two failed."""
    words = (message.verdicts["spf"], message.verdicts["dmarc"])
    return "fail" not in words and any(word in UNKNOWN_VERDICTS for word in words)


def is_unproven_forward(message: Message) -> bool:
    """Tell whether a forwarder vouches for a sender who may never have written this mail.

    SPF passes for the forwarder, who hands an answer on to the sender that he wrote into his
    address. So DMARC has to pass for a From that is this one.
    """
    if not is_forwarded(message.sender):
        return False
    original = original_sender(message.sender)
    return message.verdicts["dmarc"] != "pass" or not _is_author(message, original)


def _is_author(message: Message, sender: str) -> bool:
    """Tell whether a sender is the one address in From, tag and case aside."""
    values = message.header("from")
    if len(values) != 1 or not re.fullmatch(_ONE_AUTHOR, values[0]):
        return False
    written = {*re.findall(_WRITTEN, values[0]), *re.findall(_WRITTEN, decode_words(values[0]))}
    return {_mailbox(address) for address in written} == {_mailbox(sender)}


def _mailbox(address: str) -> str:
    """Return an address as the name of a mailbox: without its tag, in lower case.

    What follows `+SRS=` is not a tag: the forwarder's bounces go on to the address in it. Only
    ASCII has its case folded: other letters may become an ASCII letter (the Kelvin sign is k).
    """
    quoted = re.fullmatch(r"'(.*)'", address)  # as in 'bob@x' <bob@x>
    plain = (quoted[1] if quoted else address).rstrip(".")
    if not plain.isascii():
        return plain
    plain = plain.lower()
    return plain if _SRS_TAG in plain else without_tag(plain)
