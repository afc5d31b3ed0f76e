"""An app of one's own: a bucket keeps mail for example.org, and the bouncer judges it first."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses
from aws_cdk import aws_ses_actions as ses_actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from bouncer_infra.auto_bouncer import AutoBouncer
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.deployment_settings_reader import read_settings
from bouncer_infra.stack import outputs


class MailStack(cdk.Stack):
    """A rule set, a bucket for mail that goes on, the bouncer, and a topic that pages people."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploymentSettings) -> None:
        # The `bouncer` command looks for a stack of this name, and reads its outputs.
        super().__init__(scope, id_, stack_name=settings.full_name)
        rule_set = ses.ReceiptRuleSet(self, "RuleSet", receipt_rule_set_name=settings.rule_set)
        self.inbox = s3.Bucket(self, "Inbox", enforce_ssl=True)
        keep = rule_set.add_rule("Keep", recipients=list(settings.recipients))
        keep.add_action(ses_actions.S3(bucket=self.inbox, object_key_prefix="inbox/"))

        self.bouncer = AutoBouncer(self, "Bouncer", settings=settings)
        # Its rule goes to the front of the rule set once that has its other rules.
        self.bouncer.mail_path.node.add_dependency(keep)

        self.pager = sns.Topic(self, "Pager", enforce_ssl=True)
        self.pager.add_subscription(subscriptions.EmailSubscription("pager@example.org"))
        for alarm in self.bouncer.alarms.alarms:
            alarm.add_alarm_action(actions.SnsAction(self.pager))
        for name, value in outputs(self.bouncer).items():
            cdk.CfnOutput(self, name, value=value)


app = cdk.App()
MailStack(app, "Mail", settings=read_settings(app.node.try_get_context("bouncer")))
app.synth()
