"""The whole auto-bouncer as one construct: it makes the parts, in order, and joins them.

Place it in a stack of your own, or deploy `bouncer_infra.stack` as it is.
"""

from collections.abc import Sequence

from aws_cdk import Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_logs import ILogGroup
from constructs import Construct

from bouncer.environment import REPLY_SENDERS_KEY
from bouncer_infra.account_setting_resources import AccountSettings
from bouncer_infra.alarms import Alarms
from bouncer_infra.analysis import Analysis
from bouncer_infra.archive import Archive
from bouncer_infra.bounce_queue import BounceQueue
from bouncer_infra.configuration_set import ConfigurationSet
from bouncer_infra.dashboard import Dashboard
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.encryption import encrypt
from bouncer_infra.failed_events import FailedEvents
from bouncer_infra.feedback_function import Feedback
from bouncer_infra.first_revision import FirstRevision
from bouncer_infra.function_code import function_code
from bouncer_infra.further_sets import FurtherSets
from bouncer_infra.intake_function import Intake
from bouncer_infra.ledger_table import Ledger
from bouncer_infra.mail_path import MailPath
from bouncer_infra.metrics import Metrics
from bouncer_infra.place_of_deployment import compare_places
from bouncer_infra.publisher_function import Publisher
from bouncer_infra.receiving_regions import warn_without_receiving
from bouncer_infra.reply_path import ReplyPath
from bouncer_infra.reporter_function import Reporter
from bouncer_infra.revision_bucket import RevisionBucket
from bouncer_infra.saved_queries import SavedQueries
from bouncer_infra.sender_identity import warn_of_other_senders
from bouncer_infra.service_arn import Home
from bouncer_infra.stored_mail import mail_bucket, may_keep_mail
from bouncer_infra.worker_function import Worker


class AutoBouncer(Construct):
    """One deployment; several with different names can live in one account and region.

    `code` is the functions' asset, bundled here unless given. `target_region` and `target_account`
    are those it will be deployed into, if they are known and its stack does not say: the template
    fits every region.
    Deployed as `settings` say, it takes the region's active receipt rule set and the identity's
    default configuration set only where nobody else holds them (`account_settings`).
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        code: lambda_.Code | None = None,
        target_region: str | None = None,
        target_account: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self.settings = settings
        home = compare_places(self, settings, Home(region=target_region, account=target_account))
        code = code or function_code(settings.architecture)
        self.queue = BounceQueue(self, "BounceQueue")
        self.ledger = Ledger(self, "Ledger", settings=settings)
        self.revisions = RevisionBucket(self, "Revisions")
        in_force = self.revisions.bucket
        self.publisher = Publisher(
            self,
            "Publisher",
            settings=settings,
            code=code,
            bucket=in_force,
            ledger=self.ledger.table,
        )
        first = FirstRevision(self, "FirstRevision", settings=settings, publisher=self.publisher)
        self.intake = Intake(
            self,
            "Intake",
            settings=settings,
            code=code,
            queue=self.queue.queue,
            bucket=in_force,
        )
        self.failed_events = self._failed_events()
        self.worker = Worker(
            self,
            "Worker",
            settings=settings,
            code=code,
            queue=self.queue,
            ledger=self.ledger.table,
            bucket=in_force,
            publisher=self.publisher.function,
        )
        # An update must not leave them for a moment without anything in force.
        for reader in (self.intake, self.worker):
            reader.node.add_dependency(first)
        self.store = mail_bucket(self, "Mail", settings=settings)
        if self.store:
            may_keep_mail(self.intake, self.store, settings)
        self.mail_path = MailPath(
            self, "MailPath", settings=settings, intake=self.intake.function, store=self.store
        )
        self.mail_path.rule.node.add_dependency(first)
        self.replies = self._replies(code)
        self.feedback = Feedback(
            self,
            "Feedback",
            settings=settings,
            code=code,
            ledger=self.ledger.table,
            bucket=in_force,
        )
        logs = [self.intake.logs, self.worker.logs, self.publisher.logs, self.feedback.logs]
        logs += [self.replies.replier.logs] if self.replies else []
        self.reporter = self._reporter(code, logs)
        if self.reporter:
            logs.append(self.reporter.logs)
        self.archive = self._archive(logs)
        self.sending = ConfigurationSet(self, "Sending", settings=settings, archive=self.archive)
        self.further_sets = FurtherSets(
            self,
            "FurtherSets",
            sets=settings.configuration_sets,
            archive=self.sending.archive,
        )
        self.account_settings = self._account_settings(code)
        metrics = Metrics(
            settings=settings,
            intake=self.intake.function,
            worker=self.worker.function,
            queue=self.queue.queue,
            dead_letters=self.queue.dead_letters,
            publisher=self.publisher.function,
            feedback=self.feedback.function,
            lost_feedback=self.feedback.dead_letters,
            failed_events=self.failed_events.queue if self.failed_events else None,
            reporter=self.reporter.function if self.reporter else None,
            replies=self.replies,
            streams=self.archive.streams if self.archive else (),
        )
        self.alarms = Alarms(self, "Alarms", settings=settings, metrics=metrics)
        self.dashboard = self._dashboard(metrics)
        self.insights = SavedQueries(self, "Insights", settings=settings, log_groups=logs)
        self.analysis = self._analysis()
        self._as_the_organization_asks()
        warn_without_receiving(self, home.region)
        warn_of_other_senders(self, settings)

    def _as_the_organization_asks(self) -> None:
        """Apply to everything made above what the settings ask of each resource."""
        settings = self.settings
        if settings.kms_key or settings.former_kms_keys:
            encrypt(self, settings.kms_key, settings.former_kms_keys)
        if settings.permissions_boundary:
            policy = iam.ManagedPolicy.from_managed_policy_arn(
                self, "Boundary", settings.permissions_boundary
            )
            iam.PermissionsBoundary.of(self).apply(policy)
        for key, value in settings.tags.items():
            Tags.of(self).add(key, value)

    def _failed_events(self) -> FailedEvents | None:
        """Keep events that fail, if SES does not wait for the intake and so can't try again."""
        if self.settings.invocation != "event":
            return None
        return FailedEvents(self, "FailedEvents", function=self.intake.function)

    def _reporter(self, code: lambda_.Code, logs: Sequence[ILogGroup]) -> Reporter | None:
        """Make the function of the daily report, if somebody is to get one."""
        if not self.settings.report:
            return None
        dead_letters = {
            "dead-letters": self.queue.dead_letters,
            "lost-feedback": self.feedback.dead_letters,
        }
        if self.replies:
            dead_letters["dead-replies"] = self.replies.dead_letters
        if self.failed_events:
            dead_letters["failed-events"] = self.failed_events.queue
        return Reporter(
            self,
            "Reporter",
            settings=self.settings,
            report=self.settings.report,
            code=code,
            queue=self.queue.queue,
            dead_letters=dead_letters,
            ledger=self.ledger.table,
            bucket=self.revisions.bucket,
            log_groups=logs,
        )

    def _replies(self, code: lambda_.Code) -> ReplyPath | None:
        """Make what sends replies, if they may come from somewhere."""
        settings = self.settings
        if not settings.reply_senders:
            return None
        for function in (self.publisher.function, self.intake.function):
            function.add_environment(REPLY_SENDERS_KEY, " ".join(settings.reply_addresses))
        return ReplyPath(
            self,
            "Replies",
            settings=settings,
            code=code,
            intake=self.intake.function,
            ledger=self.ledger.table,
            bucket=self.revisions.bucket,
        )

    def _archive(self, logs: Sequence[ILogGroup]) -> Archive | None:
        """Make the archive, unless the deployment has none."""
        if not self.settings.archive:
            return None
        return Archive(self, "Archive", settings=self.settings, functions_logs=logs)

    def _dashboard(self, metrics: Metrics) -> Dashboard | None:
        """Make the dashboard, unless the deployment has none."""
        if not self.settings.dashboard:
            return None
        return Dashboard(self, "Dashboard", metrics=metrics, alarms=self.alarms.alarms)

    def _analysis(self) -> Analysis | None:
        """Make the archive's tables, for accounts that allow a Glue database."""
        if not self.archive or not self.settings.analyses:
            return None
        return Analysis(self, "Analysis", settings=self.settings, bucket=self.archive.bucket)

    def _account_settings(self, code: lambda_.Code) -> AccountSettings | None:
        """Make the custom resources for the active rule set and default configuration sets.

        None if the deployment asks for none of them. An identity that this stack creates names its
        set from the start. It outlives the stack, so that the resource has to take the set off it.
        """
        settings = self.settings
        attached = {
            each.identity: each.name for each in settings.configuration_sets if each.identity
        }
        if not (settings.attaches or settings.activate_rule_set or attached):
            return None
        resources = AccountSettings(self, "AccountSettings", settings=settings, code=code)
        if settings.activate_rule_set:
            resources.activate(settings.rule_set, needs=self.mail_path)
        if settings.attaches:
            resources.attach(settings.identity, self.sending.configuration_set, needs=self.sending)
        for identity, name in attached.items():
            further = self.further_sets.by_name[name]
            resources.attach(identity, further, needs=further, further=True)
        return resources
