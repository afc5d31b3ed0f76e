"""Decides which correspondents, and which mails, are in the share of a rule that has a `share`.

A correspondent is a sender with a recipient. The answer is a matter of their addresses and of the
rule's name alone: it is the same for each of their mails, on any machine and in any Python, and
whoever is in a share is in every larger one. A mail is in it if all its correspondents are: SES
delivers a mail to all its recipients or to nobody, so one that some get must not be bounced for the
others.
"""

from dataclasses import replace
from hashlib import sha256

from bouncer.mail.address import without_tag
from bouncer.mail.message import Message
from bouncer.mail.rewritten_sender import normal_sender
from bouncer.rules.rule import OUTSIDE_SHARE, Mode, Rule

_ALL = 1 << 64


def in_share(rule: str, percent: int, sender: str, recipient: str) -> bool:
    """Tell whether a correspondent is in so many percent of all; another rule has others.

    `sender` and `recipient` are those of the envelope, in whatever form a mail has them.
    """
    correspondent = (rule, normal_sender(sender, (recipient,)), without_tag(recipient).lower())
    text = "\n".join(correspondent).encode("utf-8", "backslashreplace")
    return int.from_bytes(sha256(text).digest()[:8], "big") * 100 < percent * _ALL


class Shares:
    """The rules as they act on one mail; each is asked about once, however many recipients."""

    __slots__ = ("_found", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        self._found: dict[str, Rule] = {}

    def as_it_acts(self, rule: Rule) -> Rule:
        """Return a rule as it acts on the mail: as in mode shadow if that is not in its share.

        A rule that does not act on anybody stays as it is.
        """
        if rule.share is None or rule.mode is not Mode.ENFORCE:
            return rule
        if rule.name not in self._found:
            inside = self._is_inside(rule.name, rule.share)
            outside = replace(rule, mode=Mode.SHADOW, passed_over=OUTSIDE_SHARE)
            self._found[rule.name] = rule if inside else outside
        return self._found[rule.name]

    def _is_inside(self, name: str, percent: int) -> bool:
        mail = self.message
        return all(in_share(name, percent, mail.sender, each) for each in mail.recipients)
