"""The custom resource that publishes before mail comes in: the receipt rule is made after it.

It also publishes at once when a deployment changes its settings or the format of the pointer.
"""

import json

from aws_cdk import CustomResource, Duration
from constructs import Construct

from bouncer.function_limits import PUBLISHER_TIMEOUT_S
from bouncer.publishing.occasion import RESOURCE_TYPE
from bouncer.sources.pointer import FORMAT
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.publisher_function import Publisher

# Lambda runs a function a second time that could not answer.
_SERVICE_TIMEOUT = Duration.seconds(2 * PUBLISHER_TIMEOUT_S + 120)


class FirstRevision(Construct):
    """A pointer and its revision are in the bucket once this exists; nothing is ever deleted."""

    def __init__(
        self, scope: Construct, id_: str, *, settings: DeploymentSettings, publisher: Publisher
    ) -> None:
        super().__init__(scope, id_)
        self.resource = CustomResource(
            self,
            "Published",
            # CloudFormation invokes it with the rights of whoever deploys: it needs no permission.
            service_token=publisher.function.function_arn,
            resource_type=RESOURCE_TYPE,
            properties={
                "Prefix": settings.prefix,
                "Settings": json.dumps(settings.runtime, sort_keys=True),
                "Format": str(FORMAT),
            },
            service_timeout=_SERVICE_TIMEOUT,
        )
        self.resource.node.add_dependency(publisher)
