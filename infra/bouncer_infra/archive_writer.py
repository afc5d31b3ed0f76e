"""The one role by which SES writes events into the archive, for every configuration set.

SES tries a role as soon as a destination names it, and IAM needs seconds to know a new one
(terraform-provider-aws#33367). Only the deployment that makes the archive makes this one.
"""

from typing import cast

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses
from constructs import IConstruct

from bouncer_infra.archive import Archive

_ROLE = "FirehoseDeliveryStreamIamRole"  # CDK's id: deployments have this role already


class ArchiveWriter:
    """The role of `first`, the destination that CDK makes it for; all others take `target`.

    Each is made after the journal's subscriptions, and these after the role: that gives IAM time.
    """

    def __init__(self, archive: Archive, first: ses.ConfigurationSetEventDestination) -> None:
        role = cast("iam.Role", first.node.find_child(_ROLE))
        _trust_all_sets(role)
        self.target = ses.EventDestination.firehose_delivery_stream(
            delivery_stream=archive.events.stream, role=role
        )
        self._between = [_resource(each) for each in archive.subscriptions]
        for each in self._between:
            each.node.add_dependency(role)
        self.wait(first)

    def wait(self, destination: ses.ConfigurationSetEventDestination) -> None:
        """Make a destination when IAM has had time to know the role."""
        _resource(destination).node.add_dependency(*self._between)


def _trust_all_sets(role: iam.Role) -> None:
    """Let SES assume the role for each configuration set of this account and region."""
    stack = Stack.of(role)
    sets = stack.format_arn(service="ses", resource="configuration-set", resource_name="*")
    conditions = {
        "StringEquals": {"AWS:SourceAccount": stack.account},
        "ArnLike": {"AWS:SourceArn": sets},
    }
    statement = iam.PolicyStatement(
        actions=["sts:AssumeRole"],
        principals=[iam.ServicePrincipal("ses.amazonaws.com")],
        conditions=conditions,
    )
    made = cast("iam.CfnRole", role.node.default_child)
    made.assume_role_policy_document = iam.PolicyDocument(statements=[statement])


def _resource(construct: IConstruct) -> CfnResource:
    return cast("CfnResource", construct.node.default_child)
