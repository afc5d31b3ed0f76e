"""Refuses settings that name a resource of another region, partition or account.

Topic and key must be in the stack's region: CloudWatch publishes into no other one, and no service
encrypts with a key of another one.
"""

from collections.abc import Mapping

from bouncer.rules.document import Node
from bouncer_infra.organization_values import partition_of, read_arn

_REGIONAL = ("kms_key", "alarm_topic")


def refuse_misplaced(
    entries: Mapping[str, Node], found: Mapping[str, object], region: str | None
) -> None:
    """Note ARNs that do not fit the deployment, or each other.

    `region` is the one it will be deployed into, if that is known and the settings do not say.
    """
    named = found.get("region")
    here = str(named) if named else region
    whose = "the region of the deployment"
    for key in _REGIONAL:
        arn = read_arn(found.get(key))
        if arn and here is None:
            here, whose = arn.region, f"the region of {key}"
        elif arn and arn.region != here:
            entries[key].fault(f"an ARN in {here}, {whose}")
    boundary, account = read_arn(found.get("permissions_boundary")), found.get("account")
    if boundary is None:
        return
    if here and boundary.partition != partition_of(here):
        entries["permissions_boundary"].fault(f"arn:{partition_of(here)}, the partition of {here}")
    elif account and boundary.account not in ("aws", account):
        entries["permissions_boundary"].fault(f"a policy of {account}, the deployment's account")
