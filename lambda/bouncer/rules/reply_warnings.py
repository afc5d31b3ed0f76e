"""Warns about replies that nobody would get: From is not an address that can send them."""

from collections.abc import Collection, Iterable, Iterator

from bouncer.errors import Problem
from bouncer.mail.address import mailbox_address, without_tag
from bouncer.rules.condition import Matcher, Text, leaves
from bouncer.rules.document import show
from bouncer.rules.rule import Rule


def reply_warnings(rules: Iterable[Rule], senders: Collection[str] | None) -> Iterator[Problem]:
    """Yield the doubts about the replies of rules.

    `senders` are the bare addresses, in lower case, that the deployment may send replies from, or
    None if they are not known.
    """
    rules = tuple(rules)
    about = {address: rule.name for rule in rules for address in _recipients(rule)}
    for rule in rules:
        if rule.reply:
            address = mailbox_address(rule.reply.sender)
            if senders is not None and address.lower() not in senders:
                expected = "an address of reply_senders in cdk.json: nobody gets this reply"
                yield _warning(rule, show(address), expected)
            if other := about.get(address.lower()):
                found = f"{show(address)}, which rule {other} is about"
                expected = "another address: mail to one that replies come from is never answered"
                yield _warning(rule, found, expected)


def _recipients(rule: Rule) -> set[str]:
    """Return the recipients that a rule names in full."""
    return {
        without_tag(leaf.pattern).lower()
        for leaf in (leaves(rule.condition) if rule.condition else ())
        if isinstance(leaf, Text) and leaf.field == "recipient" and leaf.matcher is Matcher.EQUALS
    }


def _warning(rule: Rule, found: str, expected: str) -> Problem:
    document = rule.document or rule.name
    return Problem(document=document, place="reply.from", line=None, found=found, expected=expected)
