"""Custom resources for the account settings that a stack may hold, for as long as it exists.

A region has one active receipt rule set, an identity one default configuration set. CloudFormation
has no resource that activates a rule set, and none that sets the default of an identity it did not
create. `bouncer.account_settings` decides when to refuse and what to give up, and answers
CloudFormation itself; nothing here is made unless the deployment's settings ask for it.
"""

from aws_cdk import CustomResource, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ses as ses
from constructs import Construct, IDependable

from bouncer.aws.exclusive_setting import (
    CONFIGURATION_SET,
    IDENTITY,
    KIND,
    RULE_SET,
    SettingKind,
)
from bouncer.function_limits import ACCOUNT_SETTINGS_TIMEOUT_S
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.function import Function
from bouncer_infra.nag import acknowledge_wildcards

# Lambda runs a function a second time that could not answer. CloudFormation waits for both, and not
# for an hour, as it would by default.
_SERVICE_TIMEOUT = Duration.seconds(2 * ACCOUNT_SETTINGS_TIMEOUT_S + 120)


class AccountSettings(Construct):
    """The function behind the custom resources; each is made after what it needs."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        code: lambda_.Code,
    ) -> None:
        super().__init__(scope, id_)
        self.handler = Function(
            self,
            "Handler",
            name="account_settings",
            description="Holds the account settings of SES that the stack was told to hold",
            settings=settings,
            code=code,
            timeout=Duration.seconds(ACCOUNT_SETTINGS_TIMEOUT_S),
            environment={},
        )

    def activate(self, rule_set: str, *, needs: IDependable) -> CustomResource:
        """Make a receipt rule set the active one, if none is, once `needs` exist."""
        policy = self._policy(
            SettingKind.ACTIVE_RULE_SET,
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
        return self._resource(SettingKind.ACTIVE_RULE_SET, {RULE_SET: rule_set}, policy, needs)

    def attach(
        self,
        identity: str,
        configuration_set: ses.IConfigurationSet,
        *,
        needs: IDependable,
        further: bool = False,
    ) -> CustomResource:
        """Make a configuration set the default of an identity, if it has none, once `needs` exist.

        It is taken off before any of `needs` goes. The deployment's own set has one identity, which
        may be another one later; a `further` set has a resource for each, so that an identity may
        change from one of them to another.
        """
        name = configuration_set.configuration_set_name
        arn = self._arn("identity", identity)
        # Another identity is another policy: CloudFormation removes the old one last, so the
        # function may still take the set off the identity that the settings named before.
        policy = self._policy(
            f"{SettingKind.DEFAULT_CONFIGURATION_SET}-{identity}",
            iam.PolicyStatement(actions=["ses:GetEmailIdentity"], resources=[arn]),
            iam.PolicyStatement(
                actions=["ses:PutEmailIdentityConfigurationSetAttributes"],
                resources=[arn, self._arn("configuration-set", name)],
            ),
        )
        wanted = {IDENTITY: identity, CONFIGURATION_SET: name}
        id_ = f"{SettingKind.DEFAULT_CONFIGURATION_SET}" + (f"-{identity}" if further else "")
        return self._resource(SettingKind.DEFAULT_CONFIGURATION_SET, wanted, policy, needs, id_)

    def _arn(self, resource: str, name: str) -> str:
        return Stack.of(self).format_arn(service="ses", resource=resource, resource_name=name)

    def _policy(self, id_: str, *statements: iam.PolicyStatement) -> iam.Policy:
        policy = iam.Policy(self, f"{id_}-Policy", statements=list(statements))
        policy.attach_to_role(self.handler.role)
        return policy

    def _resource(
        self,
        kind: SettingKind,
        wanted: dict[str, str],
        policy: iam.Policy,
        needs: IDependable,
        id_: str = "",
    ) -> CustomResource:
        resource = CustomResource(
            self,
            id_ or str(kind),
            # CloudFormation invokes it with the rights of whoever deploys: it needs no permission.
            service_token=self.handler.function.function_arn,
            resource_type=kind.resource_type,
            properties={KIND: str(kind), **wanted},
            service_timeout=_SERVICE_TIMEOUT,
        )
        resource.node.add_dependency(policy, needs)
        return resource
