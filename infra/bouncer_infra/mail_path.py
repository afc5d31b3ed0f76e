"""From SES to the intake function: one receipt rule, named after the deployment.

A rule without `after` goes to the front of its set. Nothing here activates a rule set; see
`account_setting_resources`.
"""

import re

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses
from constructs import Construct, IDependable

from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.deployment_values import IpFilter

_INVOCATION = {"request_response": "RequestResponse", "event": "Event"}


class MailPath(Construct):
    """The receipt rule and what its actions need.

    That comes first, because SES tests the actions when it creates the rule.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        intake: lambda_.Function,
        store: s3.Bucket | None,
    ) -> None:
        super().__init__(scope, id_)
        self._settings = settings
        self._needs: list[IDependable] = []
        self.rule_set = self._rule_set() if settings.create_rule_set else None
        self._allow_invocation(intake)
        actions = [self._store_action(store)] if store else []
        actions.append(self._intake_action(intake))
        self.rule = self._rule(actions)
        before: Construct = self.rule
        for ip_filter in settings.ip_filters:
            made = self._ip_filter(ip_filter)
            made.node.add_dependency(before)  # one at a time: SES takes one call a second
            before = made

    @property
    def rule_arn(self) -> str:
        """The rule's ARN, made of names: the permission must exist before the rule does."""
        return self._rule_in(self._settings.rule_set)

    def _rule_in(self, rule_set: str) -> str:
        name = f"{rule_set}:receipt-rule/{self._settings.full_name}"
        return Stack.of(self).format_arn(
            service="ses", resource="receipt-rule-set", resource_name=name
        )

    def _rule_set(self) -> ses.CfnReceiptRuleSet:
        rule_set = ses.CfnReceiptRuleSet(self, "RuleSet", rule_set_name=self._settings.rule_set)
        # SES deletes a set with all its rules, and others may have added theirs.
        rule_set.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        self._needs.append(rule_set)
        return rule_set

    def _allow_invocation(self, intake: lambda_.Function) -> None:
        permission = lambda_.CfnPermission(
            self,
            "Invocation",
            action="lambda:InvokeFunction",
            function_name=intake.function_arn,
            principal="ses.amazonaws.com",
            source_account=Stack.of(self).account,
            source_arn=self.rule_arn,
        )
        self._needs.append(permission)

    def _store_action(self, store: s3.Bucket) -> ses.CfnReceiptRule.ActionProperty:
        """Let our rule write, in any set and below any prefix: both may change later."""
        prefix = self._settings.store.prefix if self._settings.store else ""
        result = store.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["s3:PutObject"],
                principals=[iam.ServicePrincipal("ses.amazonaws.com")],
                resources=[store.arn_for_objects("*")],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                    "ArnLike": {"aws:SourceArn": self._rule_in("*")},
                },
            )
        )
        if result.policy_dependable:
            self._needs.append(result.policy_dependable)
        return ses.CfnReceiptRule.ActionProperty(
            s3_action=ses.CfnReceiptRule.S3ActionProperty(
                bucket_name=store.bucket_name, object_key_prefix=prefix or None
            )
        )

    def _intake_action(self, intake: lambda_.Function) -> ses.CfnReceiptRule.ActionProperty:
        return ses.CfnReceiptRule.ActionProperty(
            lambda_action=ses.CfnReceiptRule.LambdaActionProperty(
                function_arn=intake.function_arn,
                invocation_type=_INVOCATION[self._settings.invocation],
            )
        )

    def _rule(self, actions: list[ses.CfnReceiptRule.ActionProperty]) -> ses.CfnReceiptRule:
        rule = ses.CfnReceiptRule(
            self,
            "Rule",
            rule_set_name=self._settings.rule_set,
            after=self._settings.after,
            rule=ses.CfnReceiptRule.RuleProperty(
                name=self._settings.full_name,
                enabled=True,
                scan_enabled=self._settings.scan,
                tls_policy="Require" if self._settings.require_tls else "Optional",
                recipients=list(self._settings.recipients),
                actions=actions,
            ),
        )
        rule.node.add_dependency(*self._needs)
        return rule

    def _ip_filter(self, ip_filter: IpFilter) -> ses.CfnReceiptFilter:
        return ses.CfnReceiptFilter(
            self,
            f"Filter{ip_filter.cidr}",  # an id made of the position would replace others
            filter=ses.CfnReceiptFilter.FilterProperty(
                name=_filter_name(self._settings.full_name, ip_filter),
                ip_filter=ses.CfnReceiptFilter.IpFilterProperty(
                    cidr=ip_filter.cidr, policy="Allow" if ip_filter.allow else "Block"
                ),
            ),
        )


def _filter_name(full_name: str, ip_filter: IpFilter) -> str:
    """Return a name that SES takes: at most 64 letters, digits, dashes and underscores.

    The policy is in it, as CloudFormation replaces a filter whose policy changes by one of another
    name.
    """
    policy = "allow" if ip_filter.allow else "block"
    return f"{full_name}-{policy}-{re.sub('[./]', '-', ip_filter.cidr)}"
