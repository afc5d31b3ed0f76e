"""Reads `answer`: the classes of mail that are answered although the guard would withhold them."""

from bouncer.reasons import ANSWER_CLASSES
from bouncer.rules.document import Node


def read_answer(node: Node) -> frozenset[str] | None:
    """Return the answer classes in a list or a single word."""
    words = [item.word(ANSWER_CLASSES) for item in node.items()]
    return frozenset(word for word in words if word)
