"""The ledger's items of the brakes: the log of each rule that has `at_most`, and the braked rules.

One item names all rules that are braked, so that the publisher reads a single one. A name is put in
together with the end, or the claim, of the job that was beyond the limit: a trip can't be lost. It
stays until an operator releases the rule, whatever becomes of the rule meanwhile.
"""

from collections.abc import Collection

from bouncer.sending.write import Item, Write, texts

BRAKES = "brakes"  # the key of the item of braked rules
_BRAKED = "braked"


def log_key(rule: str) -> str:
    """Return the key of the log of a rule's bounces."""
    return f"brake#{rule}"


def braked_rules(item: Item) -> frozenset[str]:
    """Return the names of the rules that are braked, by the item `BRAKES` or an empty one."""
    return frozenset(item.get(_BRAKED, {}).get("SS", ()))


def trip(rules: Collection[str]) -> list[Write]:
    """Return the write that brakes rules, if there are any; a repeat of it changes nothing."""
    if not rules:
        return []
    return [Write(key=BRAKES, update=f"ADD #{_BRAKED} :rules", values={":rules": texts(rules)})]


def release(rule: str) -> Write:
    """Return the write that releases a rule; a repeat of it changes nothing."""
    update = f"DELETE #{_BRAKED} :rules"
    return Write(key=BRAKES, update=update, values={":rules": texts([rule])})
