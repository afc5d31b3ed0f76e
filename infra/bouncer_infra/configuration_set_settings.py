"""The further configuration sets that cdk.json names: data, reader, and contradictions.

A deployment has one configuration set of its own, for its bounces. These are for other mail of the
account. Nothing here imports CDK: `further_sets` makes the resources.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bouncer.function_limits import PRODUCT
from bouncer.mail.address import canonical, is_domain, mailbox_address
from bouncer.rules.address_reader import refuse
from bouncer.rules.document import Node
from bouncer_infra import deployment_values as values
from bouncer_infra.destination_settings import (
    BUILT_IN,
    Destination,
    destinations,
    given,
    needed,
    refuse_counted_anyway,
    refuse_many,
    refuse_missing_archive,
    refuse_repeated,
    set_or_destination_name,
)

SUPPRESSED = ("BOUNCE", "COMPLAINT")  # SES's words for the reasons
TLS = ("optional", "require")

# Each set may have 10 destinations: a stack holds 500 resources (CloudFormation).
_MOST_SETS = 10
_RESERVED = f"{PRODUCT}-"

_MOST_POLICIES = 9000  # characters; IAM allows all inline policies of a role 10,240
_POLICY = 400  # characters of one that lets the account settings change one identity, without names


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherSet:
    """One configuration set; with `suppression` None the account's suppression list applies."""

    name: str
    identity: str | None = None
    tls: str = "optional"
    reputation_metrics: bool = True
    suppression: tuple[str, ...] | None = None
    sending: bool = True
    redirect_domain: str | None = None
    destinations: tuple[Destination, ...] = ()


def further_sets(node: Node) -> tuple[FurtherSet, ...]:
    """Read the configuration sets beside the deployment's own; an empty list is allowed."""
    if node.value == []:
        return ()
    items = list(node.items())
    if len(items) > _MOST_SETS:
        expected = f"at most {_MOST_SETS}, as all of them are in one stack"
        node.fault(expected, found=f"{len(items)} configuration sets")
    found = [read for item in items if (read := _further_set(item))]
    refuse_repeated(node, (each.name for each in found), "each name once")
    named = (each.identity for each in found if each.identity)
    refuse_repeated(node, named, "each identity once, as it has one default configuration set")
    return tuple(found)


def _further_set(node: Node) -> FurtherSet | None:
    entries = given(node, ("name", *_READERS), "a mapping with name")
    if not isinstance(node.value, dict):
        return None
    name = needed(node, entries, "name", _set_name, "a name such as newsletter")
    found: dict[str, Any] = {
        key: _READERS[key](child) for key, child in entries.items() if key in _READERS
    }
    if "destinations" in entries:
        refuse_many(entries["destinations"], found.get("destinations") or ())
    complete = all(value is not None for value in found.values())
    return FurtherSet(name=name, **found) if name and complete else None


def _set_name(node: Node) -> str | None:
    name = set_or_destination_name(node)
    if name and name.lower().startswith(_RESERVED):
        node.fault(f"a name that does not begin with {_RESERVED}, as those of deployments do")
        return None
    return name


def _suppression(node: Node) -> tuple[str, ...]:
    """Read the reasons for which SES suppresses addresses; an empty list means none."""
    if node.value == []:
        return ()
    return tuple(dict.fromkeys(word for item in node.items() if (word := item.word(SUPPRESSED))))


def _redirect_domain(node: Node) -> str | None:
    if isinstance(node.value, str) and is_domain(node.value):
        return node.value.lower()
    refuse(node, "a domain whose CNAME leads to SES, such as click.example.com")
    return None


_READERS: Mapping[str, values.Reader] = {
    "identity": values.identity,
    "tls": values.one_of(*TLS),
    "reputation_metrics": Node.flag,
    "suppression": _suppression,
    "sending": Node.flag,
    "redirect_domain": _redirect_domain,
    "destinations": destinations,
}


def refuse_contradictions(entries: Mapping[str, Node], found: Mapping[str, Any]) -> None:
    """Note what can't be together; `found` has what was read of a deployment's `entries`."""
    own: tuple[Destination, ...] = found.get("destinations") or ()
    sets: tuple[FurtherSet, ...] = found.get("configuration_sets") or ()
    archive = found.get("archive") is not False
    if own:
        events = found.get("events") or values.UNOBTRUSIVE_EVENTS
        refuse_counted_anyway(entries["destinations"], own, events)
        refuse_many(entries["destinations"], own, built_in=len(BUILT_IN) - (not archive))
    if not archive:
        for node in _all_destinations(entries):
            refuse_missing_archive(node)
    if sets:
        _refuse_own_identity(entries["configuration_sets"], sets, found)
        _refuse_long_identities(entries["configuration_sets"], sets)


def _all_destinations(entries: Mapping[str, Node]) -> Iterator[Node]:
    if "destinations" in entries:
        yield entries["destinations"]
    sets = entries.get("configuration_sets")
    for each in sets.items() if sets and sets.value else ():
        if isinstance(each.value, dict):
            yield each.child("destinations", each.value.get("destinations"))


def _refuse_own_identity(
    node: Node, sets: tuple[FurtherSet, ...], found: Mapping[str, Any]
) -> None:
    """An identity has one default configuration set, and ours is that of the sender's."""
    if found.get("attach_configuration_set") is False:
        return
    sender = mailbox_address(found.get("bounce_sender") or "").rpartition("@")[2]
    own = canonical(found.get("identity") or sender)
    for each in sets:
        if each.identity and each.identity.lower() == own.lower():
            expected = "another identity: the deployment's own set is the default of this one"
            node.fault(expected, found=f"{each.name} with identity: {each.identity}")


def _refuse_long_identities(node: Node, sets: tuple[FurtherSet, ...]) -> None:
    """The function that attaches the sets has a policy for each identity."""
    size = sum(_POLICY + 2 * len(each.identity) + len(each.name) for each in sets if each.identity)
    if size > _MOST_POLICIES:
        expected = f"at most {_MOST_POLICIES} (IAM's limit): attach fewer sets"
        node.fault(expected, found=f"policies of {size} characters for their identities")
