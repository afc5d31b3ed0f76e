"""The intake function and its permissions: it reads rules and queues jobs, and can send no mail."""

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from bouncer.environment import DOMAIN_KEY, QUEUE_KEY
from bouncer.function_limits import INTAKE_TIMEOUT_S
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.function import Function, deployment_environment
from bouncer_infra.nag import acknowledge_wildcards, resource_wildcard


class Intake(Function):
    """The function `bouncer.intake`, which SES asks about every mail."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        code: lambda_.Code,
        queue: sqs.IQueue,
    ) -> None:
        super().__init__(
            scope,
            id_,
            name="intake",
            description="Judges mail received by SES",
            settings=settings,
            code=code,
            timeout=Duration.seconds(INTAKE_TIMEOUT_S),
            environment={
                **deployment_environment(settings),
                QUEUE_KEY: queue.queue_url,
                DOMAIN_KEY: Aws.URL_SUFFIX,
            },
        )
        queue.grant_send_messages(self.function)
        self._may_read_rules(settings.prefix)

    def _may_read_rules(self, prefix: str) -> None:
        stack = Stack.of(self)
        above, below = (
            stack.format_arn(service="ssm", resource="parameter", resource_name=name)
            for name in (prefix.removeprefix("/"), f"{prefix.removeprefix('/')}/*")
        )
        self.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ssm:GetParametersByPath", "ssm:GetParameterHistory"],
                resources=[above, below],
            )
        )
        acknowledge_wildcards(
            self,
            resource_wildcard(self, below),
            reason="Rules are added while it runs: it reads all parameters below its prefix.",
        )
