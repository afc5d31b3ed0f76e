"""Acknowledges findings of cdk-nag one by one, each with a reason, beside the resource concerned.

A wildcard that is not spelled out there stays a finding, also where the construct stands in
somebody else's stack.
"""

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct


def acknowledge_wildcards(scope: Construct, *wildcards: str, reason: str) -> None:
    """Accept wildcards such as `Action::s3:List*` or `Resource::*` in the policies of `scope`."""
    Validations.of(scope).acknowledge(
        *(Acknowledgment(id=f"AwsSolutions-IAM5[{name}]", reason=reason) for name in wildcards)
    )


def resource_wildcard(scope: Construct, arn: str) -> str:
    """Return the wildcard for an ARN that ends in `*`, spelled as cdk-nag spells it."""
    return f"Resource::{_spelled(Stack.of(scope).resolve(arn))}"


def _spelled(value: object) -> str:
    """Return resolved text as cdk-nag shows it: a reference is `<Name>` or `<Name.Attribute>`."""
    match value:
        case {"Fn::Join": [separator, [*parts]]}:
            return str(separator).join(map(_spelled, parts))
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Ref": name}:
            return f"<{name}>"
        case _:
            return str(value)
