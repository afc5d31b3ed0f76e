"""Compares ARNs with the place of a stack at synth: refuses those of another one, or warns.

Without `account` and `region` a template fits every place, and CDK's credentials may be those of an
account that only builds. What they say is no more than likely.
"""

from aws_cdk import Annotations, Stack, Token
from constructs import Construct

from bouncer.function_limits import PRODUCT
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.deployment_settings_reader import refuse_elsewhere
from bouncer_infra.misplaced_arns import misplaced_arns
from bouncer_infra.service_arn import Home


def compare_places(scope: Construct, settings: DeploymentSettings, likely: Home) -> Home:
    """Return the place of a stack, as far as the stack says it and else as `likely`.

    Raises `DocumentError` for ARNs of another place than the stack says, and warns of others.
    """
    stack = Stack.of(scope)
    said = Home(region=_known(stack.region), account=_known(stack.account))
    refuse_elsewhere(settings, said)
    place = Home(region=said.region or likely.region, account=said.account or likely.account)
    for each in misplaced_arns(settings, place, document="cdk.json"):
        Annotations.of(scope).add_warning_v2(
            f"{PRODUCT}:{each.place}",
            f"{each}, if it is deployed with the present credentials. Correct the ARN, or deploy "
            "with the credentials of its account and region",
        )
    return place


def _known(value: str) -> str | None:
    """Return a region or an account, unless only CloudFormation will know it."""
    return None if Token.is_unresolved(value) else value
