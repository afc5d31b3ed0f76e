"""Switches a region or an identity has one of, held by the stack while it exists: custom resources.

CloudFormation has no resource that activates a receipt rule set, and none that sets the default
configuration set of an identity it did not create. What is refused and what is given up is decided
in `bouncer.account_settings`; nothing here may be made unless the settings ask for it.
"""

from aws_cdk import (
    Acknowledgment,
    CustomResource,
    Duration,
    RemovalPolicy,
    Stack,
    Validations,
)
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ses as ses
from aws_cdk.custom_resources import Provider
from constructs import Construct, IDependable

from bouncer_infra.deployment_values import LOG_DAYS
from bouncer_infra.function import Function
from bouncer_infra.nag import acknowledge_wildcards, below

# SES takes one call a second, and a new policy takes a while to be known; the SDK waits for both.
_TIMEOUT = Duration.minutes(5)


class Switches(Construct):
    """The function behind the switches; a switch comes after what it needs and goes before it."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        code: lambda_.Code,
        architecture: str,
        log_days: int,
    ) -> None:
        super().__init__(scope, id_)
        self.handler = Function(
            self,
            "Handler",
            name="account_settings",
            description="Holds the switches of SES that the stack was told to hold",
            code=code,
            architecture=architecture,
            timeout=_TIMEOUT,
            log_days=log_days,
            environment={},
        )
        self._provider = Provider(
            self,
            "Provider",
            on_event_handler=self.handler.function,
            log_group=logs.LogGroup(
                self,
                "ProviderLogs",
                retention=logs.RetentionDays[LOG_DAYS[log_days]],
                removal_policy=RemovalPolicy.DESTROY,
            ),
        )
        Validations.of(self._provider).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AWSLambdaBasicExecutionRole]",
                reason="CDK makes this function's role; the managed policy only writes logs.",
            ),
        )
        acknowledge_wildcards(
            self._provider,
            below(self, self.handler.function.function_arn, ":*"),
            reason="CDK lets its function call every version of our handler, and nothing else.",
        )

    def activate(self, rule_set: str, *, needs: IDependable) -> CustomResource:
        """Make a receipt rule set the active one, if none is, once `needs` exist."""
        policy = self._policy(
            "ActiveRuleSet",
            # The active set is the region's: SES has no resource for it that a policy could name
            # (Service Authorization Reference, Amazon SES, actions without resource types).
            iam.PolicyStatement(
                actions=["ses:DescribeActiveReceiptRuleSet", "ses:SetActiveReceiptRuleSet"],
                resources=["*"],
            ),
        )
        acknowledge_wildcards(
            policy,
            "Resource::*",
            reason="The active rule set belongs to the region; SES has no resource for it.",
        )
        return self._switch("ActiveRuleSet", {"RuleSetName": rule_set}, policy, needs)

    def attach(
        self, identity: str, configuration_set: ses.ConfigurationSet, *, needs: IDependable
    ) -> CustomResource:
        """Make a configuration set the default of an identity, if it has none, once `needs` exist.

        It is taken off before any of `needs` goes.
        """
        name = configuration_set.configuration_set_name
        arn = self._arn("identity", identity)
        # Another identity is another policy: CloudFormation removes the old one last, so the
        # function may still take the set off the identity that the settings named before.
        policy = self._policy(
            f"DefaultConfigurationSet-{identity}",
            iam.PolicyStatement(actions=["ses:GetEmailIdentity"], resources=[arn]),
            iam.PolicyStatement(
                actions=["ses:PutEmailIdentityConfigurationSetAttributes"],
                resources=[arn, self._arn("configuration-set", name)],
            ),
        )
        wish = {"EmailIdentity": identity, "ConfigurationSetName": name}
        return self._switch("DefaultConfigurationSet", wish, policy, needs)

    def _arn(self, resource: str, name: str) -> str:
        return Stack.of(self).format_arn(service="ses", resource=resource, resource_name=name)

    def _policy(self, id_: str, *statements: iam.PolicyStatement) -> iam.Policy:
        policy = iam.Policy(self, f"{id_}-Policy", statements=list(statements))
        if self.handler.function.role:
            policy.attach_to_role(self.handler.function.role)
        return policy

    def _switch(
        self, kind: str, wish: dict[str, str], policy: iam.Policy, needs: IDependable
    ) -> CustomResource:
        switch = CustomResource(
            self,
            kind,
            service_token=self._provider.service_token,
            resource_type=f"Custom::{kind}",
            properties={"Kind": kind, **wish},
            # Not the hour CloudFormation waits by default, should the function never answer.
            service_timeout=Duration.minutes(10),
        )
        switch.node.add_dependency(policy, needs)
        return switch
