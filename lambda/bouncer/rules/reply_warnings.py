"""Warns about replies that nobody would get, or whose From nobody could answer."""

from collections.abc import Collection, Iterable, Iterator

from bouncer.errors import Problem
from bouncer.mail.address import mailbox_address, without_tag
from bouncer.mail.message import VERDICTS, Message
from bouncer.rules.condition import Matcher, Text, leaves
from bouncer.rules.document import show
from bouncer.rules.rule import Action, Rule
from bouncer.rules.ruleset import Ruleset


def reply_warnings(rules: Iterable[Rule], senders: Collection[str] | None) -> Iterator[Problem]:
    """Yield the doubts about the replies of rules.

    `senders` are the bare addresses, in lower case, that the deployment may send replies from, or
    None if they are not known.
    """
    rules = tuple(rules)
    if not any(rule.reply for rule in rules):
        return
    ruleset = Ruleset(rules)
    about = {
        address: rule.name
        for rule in rules
        if rule.action is not Action.ACCEPT
        for address in _recipients(rule)
    }
    for rule in rules:
        if rule.reply:
            address = mailbox_address(rule.reply.sender)
            if senders is not None and address.lower() not in senders:
                expected = "an address of reply_senders in cdk.json: nobody gets this reply"
                yield _warning(rule, show(address), expected)
            bare = without_tag(address).lower()
            other = about.get(bare)
            if not other and not rule.reply.reply_to:
                other = _decided_by(bare, ruleset)
            if other:
                found = f"{show(address)}, which rule {other} is about"
                expected = (
                    "another address, reply_to, or an accept rule before it: mail to an address"
                    " that replies come from is never answered, and nobody is told if it stops"
                )
                yield _warning(rule, found, expected)


def _recipients(rule: Rule) -> set[str]:
    """Return the recipients that a rule names in full."""
    return {
        without_tag(leaf.pattern).lower()
        for leaf in (leaves(rule.condition) if rule.condition else ())
        if isinstance(leaf, Text) and leaf.field == "recipient" and leaf.matcher is Matcher.EQUALS
    }


def _decided_by(address: str, ruleset: Ruleset) -> str:
    """Return the rule that stops or answers a plain mail to an address, or ""."""
    rule = ruleset.decide(_plain_mail(address), address).rule
    return rule.name if rule and rule.action is not Action.ACCEPT else ""


def _plain_mail(recipient: str) -> Message:
    return Message(
        message_id="1",
        received_at=None,
        sender="somebody@sender.example",
        recipients=(recipient,),
        headers={"from": ("somebody@sender.example",), "to": (recipient,), "subject": ("Hello",)},
        headers_truncated=False,
        verdicts=dict.fromkeys(VERDICTS, "pass"),
        dmarc_policy="none",
    )


def _warning(rule: Rule, found: str, expected: str) -> Problem:
    document = rule.document or rule.name
    return Problem(document=document, place="reply.from", line=None, found=found, expected=expected)
