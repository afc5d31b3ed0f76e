"""How cdk-nag spells the wildcards it finds, so that each is acknowledged by itself, with a reason.

A wildcard that is not spelled out beside its resource stays a finding.
"""

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct


def acknowledge_wildcards(scope: Construct, *wildcards: str, reason: str) -> None:
    """Accept wildcards such as `Action::s3:List*` or `Resource::*` in the policies of `scope`."""
    Validations.of(scope).acknowledge(
        *(Acknowledgment(id=f"AwsSolutions-IAM5[{name}]", reason=reason) for name in wildcards)
    )


def below(scope: Construct, arn: str, rest: str) -> str:
    """The wildcard for what is below the resource of this stack that has the (unresolved) ARN."""
    name, attribute = Stack.of(scope).resolve(arn)["Fn::GetAtt"]
    return f"Resource::<{name}.{attribute}>{rest}"
