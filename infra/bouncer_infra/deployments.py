"""Several deployments in one cdk.json: settings that they share, and what they cannot share.

SES has one active rule set, one SendBounce a second and, for each identity, one default
configuration set in an account and region, and each deployment has a ledger of its own. Deployments
that do not state account or region are taken to be in the same one.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations, product

from bouncer.operator_settings import Settings
from bouncer.rules.document import Node
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.recipient_overlap import overlapping

DEPLOYMENTS = "deployments"

_MERGED = ("settings", "tags")  # a key that is stated inside does not take the others away
_MOST_RATE = 1.0  # SendBounce calls a second (SES API reference, SendBounce)
_CLOSE = 1e-6

Block = tuple[Node, dict[str, Node]]


def split(shared: Mapping[str, Node], several: Node, known: Collection[str]) -> list[Block]:
    """Return each deployment's place and its settings: those beside `deployments`, then its own.

    The name of a deployment is its key.
    """
    expected = 'a mapping of deployments by name, such as {"prod": {...}, "test": {...}}'
    blocks = several.entries(expected)
    if several.value == {}:
        several.fault(expected)
    found = []
    for name, block in blocks.items():
        own = block.members(known, "a mapping of the settings of this deployment")
        for each in (shared, own):
            if "name" in each:
                each["name"].fault('no "name": the name of a deployment is its key in deployments')
        named = Node(name, block.path, block.report)
        found.append((block, {**shared, **own, **_merged(shared, own), "name": named}))
    return found


def _merged(shared: Mapping[str, Node], own: Mapping[str, Node]) -> dict[str, Node]:
    """Return what both state together; null inside states nothing, as elsewhere it is a default."""
    merged = {}
    for key in _MERGED:
        outer, inner = shared.get(key), own.get(key)
        if not outer or not inner:
            continue
        if inner.value is None:
            merged[key] = outer
        elif isinstance(outer.value, dict) and isinstance(inner.value, dict):
            merged[key] = Node({**outer.value, **inner.value}, inner.path, inner.report)
    return merged


def needs(
    deployment: DeploymentSettings, others: Sequence[DeploymentSettings]
) -> list[DeploymentSettings]:
    """Return the deployments that make what this one names, so that they are deployed first."""
    near = [each for each in others if each is not deployment and _together(deployment, each)]
    named = None if deployment.create_rule_set else deployment.rule_set
    return [
        other
        for other in near
        if (other.create_rule_set and other.rule_set == named)
        or other.full_name == deployment.after
    ]


def refuse_clashes(several: Node, deployments: Sequence[DeploymentSettings]) -> None:
    """Note what deployments in one account and region cannot both have."""
    for one, other in combinations(deployments, 2):
        if _together(one, other):
            _Pair(several, one, other).refuse()
    _refuse_rates(several, deployments)
    _refuse_circles(several, deployments)


def _together(one: DeploymentSettings, other: DeploymentSettings) -> bool:
    """Tell whether both may be in one account and region."""
    return all(
        None in (ours, theirs) or ours == theirs
        for ours, theirs in ((one.account, other.account), (one.region, other.region))
    )


class _Pair:
    """Two deployments in one account and region; problems are noted at the second one."""

    def __init__(self, several: Node, one: DeploymentSettings, other: DeploymentSettings) -> None:
        self._place = several.child(other.name, None)
        self._one = one
        self._other = other

    def refuse(self) -> None:
        self._refuse_recipients()
        self._refuse_rule_sets()
        self._refuse_identities()
        self._refuse_sets()
        self._refuse_prefixes()
        self._refuse_filters()

    def _fault(self, key: str, *, found: str, expected: str) -> None:
        self._place.child(key, None).fault(expected, found=found)

    def _refuse_recipients(self) -> None:
        both = overlapping(self._one.recipients, self._other.recipients)
        if both:
            theirs, ours = both
            self._fault(
                "recipients",
                found=f"{ours}, and {theirs} in {self._one.name}",
                expected="recipients that overlap with no other deployment's in the same account "
                "and region: each would bounce the same mail",
            )

    def _refuse_rule_sets(self) -> None:
        one, other = self._one, self._other
        if one.activate_rule_set and other.activate_rule_set:
            expected = "it in one deployment: an account has one active rule set in a region"
            self._fault("activate_rule_set", found=f"true, as in {one.name}", expected=expected)
        elif one.create_rule_set and other.create_rule_set and one.rule_set == other.rule_set:
            expected = "it in one deployment: the other one names the same rule_set"
            self._fault("create_rule_set", found=f"true, as in {one.name}", expected=expected)
        elif (one.activate_rule_set or other.activate_rule_set) and one.rule_set != other.rule_set:
            active = one if one.activate_rule_set else other
            self._fault(
                "rule_set",
                found=f"{other.rule_set}, and {one.rule_set} in {one.name}",
                expected=f"{active.rule_set} in both, which {active.name} activates: "
                "rules in other sets get no mail",
            )

    def _refuse_identities(self) -> None:
        one, other = self._one, self._other
        if one.attaches and other.attaches and one.identity == other.identity:
            self._fault(
                "identity",
                found=f"{other.identity}, as in {one.name}",
                expected="another identity, or attach_configuration_set: false in one of them: "
                "an identity has one default configuration set",
            )

    def _refuse_sets(self) -> None:
        """Note configuration sets beside the deployments' own that both make, or both attach."""
        one, other = self._one, self._other
        names = {each.name.lower() for each in one.configuration_sets}
        for each in other.configuration_sets:
            if each.name.lower() in names:
                expected = "each name in one deployment: they are in the same account and region"
                found = f"{each.name}, as in {one.name}"
                self._fault("configuration_sets", found=found, expected=expected)
        shared = _attached(one) & _attached(other)
        if one.attaches and other.attaches and one.identity == other.identity:
            shared.discard(one.identity)  # which is reported as such
        for identity in sorted(shared):
            expected = "each identity in one deployment: it has one default configuration set"
            found = f"{identity}, as in {one.name}"
            self._fault("configuration_sets", found=found, expected=expected)

    def _refuse_prefixes(self) -> None:
        one, other = self._one.prefix, self._other.prefix
        if f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/"):
            self._fault(
                "prefix",
                found=f"{other}, and {one} in {self._one.name}",
                expected="paths of which none is below the other",
            )

    def _refuse_filters(self) -> None:
        """Note networks that one allows and the other blocks: filters hold for a whole region."""
        theirs = {each.cidr: each.allow for each in self._one.ip_filters}
        for each in self._other.ip_filters:
            if theirs.get(each.cidr, each.allow) != each.allow:
                words = ("blocked", "allowed") if theirs[each.cidr] else ("allowed", "blocked")
                self._fault(
                    "ip_filters",
                    found=f"{each.cidr} {words[0]}, and {words[1]} in {self._one.name}",
                    expected="one of both: filters hold for all mail of an account in a region",
                )


def _attached(deployment: DeploymentSettings) -> set[str]:
    """Return the identities that get a default configuration set of a deployment."""
    own = {deployment.identity} if deployment.attaches else set()
    return own | {each.identity for each in deployment.configuration_sets if each.identity}


def _refuse_rates(several: Node, deployments: Sequence[DeploymentSettings]) -> None:
    """Add up the rates in each account and region that a deployment states."""
    accounts = dict.fromkeys(each.account for each in deployments if each.account)
    regions = dict.fromkeys(each.region for each in deployments if each.region)
    sums = {}
    for account, region in product(accounts or (None,), regions or (None,)):
        rates = {
            each.name: float(each.runtime.get("rate", Settings().rate))
            for each in deployments
            if each.account in (None, account) and each.region in (None, region)
        }
        if sum(rates.values()) > _MOST_RATE + _CLOSE:
            sums[tuple(rates)] = rates
    for rates in sums.values():
        each = ", ".join(f"{name} {rate:g}" for name, rate in rates.items())
        several.fault(
            f"at most {_MOST_RATE} together, as SES takes one call a second in an account and "
            "region: set settings.rate in each",
            found=f"SendBounce calls a second of {sum(rates.values()):g} ({each})",
        )


def _refuse_circles(several: Node, deployments: Sequence[DeploymentSettings]) -> None:
    """Note deployments whose rules would each have to be there before the other."""
    for deployment in deployments:
        seen, ahead = {deployment.name}, needs(deployment, deployments)
        while ahead:
            nearest = ahead.pop()
            if nearest is deployment:
                several.child(deployment.name, None).child("after", None).fault(
                    "the rule of a deployment that does not wait for this one",
                    found=str(deployment.after),
                )
                break
            if nearest.name not in seen:
                seen.add(nearest.name)
                ahead += needs(nearest, deployments)
