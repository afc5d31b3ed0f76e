"""One of our functions: Python 3.13, the shared asset, its own log group and role."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.settings import LOG_DAYS

_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}


class Function(Construct):
    """A function whose handler is `bouncer.<name>.handler`; `log_days` as CloudWatch allows."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        description: str,
        code: lambda_.Code,
        architecture: str,
        timeout: Duration,
        log_days: int,
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id_)
        self.logs = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays[LOG_DAYS[log_days]],
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=_ARCHITECTURES[architecture],
            handler=f"bouncer.{name}.handler",
            code=code,
            memory_size=256,
            timeout=timeout,
            environment=dict(environment),
            log_group=self.logs,
        )
