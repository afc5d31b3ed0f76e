"""Readers for what an organization asks of every stack: place, key, topic, boundary and tags."""

import re
from collections.abc import Mapping

from bouncer.rules.document import Node
from bouncer_infra.deployment_values import matching
from bouncer_infra.service_arn import arn_reader

_MOST_TAGS = 50  # of one resource (AWS General Reference, "Tag naming limits and requirements")
_LONGEST_KEY = 128
_LONGEST_VALUE = 256
_MOST_CONCURRENCY = 10_000
_MOST_FORMER_KEYS = 5  # an inline policy of IAM has room for no long list
_ALLOWED = "letters, digits, blanks and _ . : / = + - @, no blank at its ends"

_KEY = re.compile(r"key/(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,256}")  # a FIFO topic, which ends in .fifo, mails nobody
_POLICY = re.compile(r"policy/(?:[!-~]{1,510}/)?[A-Za-z0-9_+=,.@-]{1,128}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+){1,2}-[0-9]{1,2}")

account = matching(_ACCOUNT, 'an account of 12 digits in quotes, such as "111122223333"')
region = matching(_REGION, "a region such as eu-west-1")


kms_key = arn_reader(
    "kms",
    _KEY,
    "the ARN of a key, such as arn:aws:kms:eu-west-1:111122223333:key/"
    "1234abcd-12ab-34cd-56ef-1234567890ab (no alias: CloudWatch Logs takes none)",
)
alarm_topic = arn_reader(
    "sns",
    _TOPIC,
    "the ARN of a standard SNS topic, such as arn:aws:sns:eu-west-1:111122223333:alarms",
)
permissions_boundary = arn_reader(
    "iam",
    _POLICY,
    "the ARN of a managed policy, such as arn:aws:iam::111122223333:policy/developer-boundary",
    regional=False,
)


def former_kms_keys(node: Node) -> tuple[str, ...]:
    """Read keys that what is stored may still be encrypted with; an empty list is allowed."""
    if node.value == []:
        return ()
    found = [key for item in node.items() if (key := kms_key(item))]
    if len(found) > _MOST_FORMER_KEYS:
        node.fault(f"at most {_MOST_FORMER_KEYS} keys", found=f"{len(found)}")
    if len(set(found)) < len(found):
        node.fault("each key once", found="one twice")
    return tuple(found)


def concurrency(node: Node) -> int | None:
    """Read how many executions of a function are reserved; 0 would stop it, and its mail."""
    expected = f"a number of executions, 1 to {_MOST_CONCURRENCY}"
    found = node.number(expected, least=1)
    if found is not None and found > _MOST_CONCURRENCY:
        node.fault(expected)
        return None
    return found


def tags(node: Node) -> Mapping[str, str]:
    """Read tags that every service takes: IAM tells keys apart without their case."""
    entries = node.entries('a mapping of tags, such as {"team": "mail"}')
    if len(entries) > _MOST_TAGS:
        node.fault(f"at most {_MOST_TAGS} tags (AWS's limit)", found=f"{len(entries)}")
    seen: dict[str, str] = {}
    for key, child in entries.items():
        _refuse_key(child, key, seen)
        _refuse_value(child)
        seen[key.lower()] = key
    return {key: str(child.value) for key, child in entries.items()}


def _refuse_key(node: Node, key: str, seen: Mapping[str, str]) -> None:
    if not 1 <= len(key) <= _LONGEST_KEY or not _plain(key):
        node.fault(f"{_ALLOWED}, at most {_LONGEST_KEY}", found=f"the tag key {key[:60]!r}")
    elif key.lower().startswith("aws:"):
        node.fault("a key that does not begin with aws:, as AWS's own do", found=f"key {key}")
    elif key.lower() in seen:
        expected = "keys that differ in more than case (IAM tells them apart by no more)"
        node.fault(expected, found=f"{seen[key.lower()]} and {key}")


def _refuse_value(node: Node) -> None:
    """CloudFormation takes no empty value."""
    value = node.value
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_VALUE or not _plain(value):
        node.fault(f"text in quotes: {_ALLOWED}, at most {_LONGEST_VALUE}")


def _plain(text: str) -> bool:
    """Tell whether every service takes the characters, and keeps them as they are."""
    return text == text.strip() and all(char.isalnum() or char in " _.:/=+-@" for char in text)
