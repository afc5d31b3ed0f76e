"""Finds ARNs in the settings that are of another region, partition or account than the deployment.

SES and CloudWatch publish in their own region only, and no service encrypts with a key of another
one. Topics and keys may be of another account.
"""

from collections.abc import Iterator
from dataclasses import replace

from bouncer.errors import Problem
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.destination_settings import named_arns
from bouncer_infra.service_arn import Home, NamedArn, misplaced, partition_of

_BY_AWS = ":iam::aws:"  # a policy that every account has


def misplaced_arns(
    settings: DeploymentSettings, home: Home, *, document: str, place: str = "context.bouncer"
) -> tuple[Problem, ...]:
    """Return a problem for each ARN that can't be one of this deployment's.

    The settings' own account and region have precedence over those of `home`.
    """
    region = settings.region or home.region
    account = settings.account or home.account
    partition = partition_of(region) if region else home.partition
    known = replace(home, partition=partition, region=region, account=account)
    return misplaced(_named(settings, place), known, document=document)


def _named(settings: DeploymentSettings, place: str) -> Iterator[NamedArn]:
    for key in ("kms_key", "alarm_topic", "permissions_boundary"):
        arn = getattr(settings, key)
        if arn:
            here = key == "permissions_boundary" and _BY_AWS not in arn
            yield NamedArn(place=f"{place}.{key}", arn=arn, here=here)
    for index, key in enumerate(settings.former_kms_keys):
        yield NamedArn(place=f"{place}.former_kms_keys[{index}]", arn=key, here=False)
    yield from named_arns(f"{place}.destinations", settings.destinations)
    for index, each in enumerate(settings.configuration_sets):
        yield from named_arns(
            f"{place}.configuration_sets[{index}].destinations", each.destinations
        )
