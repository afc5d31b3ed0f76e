"""One of our functions: the bundle and its Python, a log group and a role of its own."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from bouncer_infra.bundle import PYTHON
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.deployment_values import LOG_DAYS

_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
_MEMORY_MB = 256


class Function(Construct):
    """A function whose handler is `bouncer.<name>.handler`; `reserved` limits it, too."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        description: str,
        settings: DeploymentSettings,
        code: lambda_.Code,
        timeout: Duration,
        environment: Mapping[str, str],
        memory_mb: int = _MEMORY_MB,
        reserved: int | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self.logs = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays[LOG_DAYS[settings.log_days]],
            removal_policy=RemovalPolicy.DESTROY,
        )
        # Instead of AWSLambdaBasicExecutionRole, which may write to every log group there is.
        write = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[self.logs.log_group_arn],
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"logs": iam.PolicyDocument(statements=[write])},
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=lambda_.Runtime(
                f"python{PYTHON}", lambda_.RuntimeFamily.PYTHON, supports_inline_code=True
            ),
            architecture=_ARCHITECTURES[settings.architecture],
            handler=f"bouncer.{name}.handler",
            code=code,
            memory_size=memory_mb,
            timeout=timeout,
            reserved_concurrent_executions=reserved,
            environment=dict(environment),
            log_group=self.logs,
            role=self.role,
        )
        Validations.of(self.function).acknowledge(
            Acknowledgment(
                id="AwsSolutions-L1",
                reason=f"The bundle's compiled RE2 and the tests are for Python {PYTHON}; a newer "
                "runtime is taken once both have run on it.",
            )
        )
