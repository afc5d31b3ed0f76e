"""The configuration set of the bounces, with its event destinations.

They are CloudWatch, the archive, the account's default event bus for the feedback function, and
those that cdk.json names.

SendBounce takes no configuration set, so the sender's identity must have this one as its default.
Whether SES then publishes events for bounces is an open question (docs/decisions/0007); the journal
does not depend on it.
"""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ses as ses
from constructs import Construct

from bouncer_infra.archive import Archive
from bouncer_infra.archive_writer import ArchiveWriter
from bouncer_infra.deployment_settings import DeploymentSettings
from bouncer_infra.destination_settings import METRICS_DIMENSIONS
from bouncer_infra.event_destinations import EventDestinations, event_types
from bouncer_infra.feedback_function import default_bus


class ConfigurationSet(Construct):
    """The configuration set with its event destinations; `identity`, if one is created here."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        archive: Archive | None,
    ) -> None:
        super().__init__(scope, id_)
        self.configuration_set = ses.ConfigurationSet(
            self,
            "ConfigurationSet",
            configuration_set_name=settings.full_name,
            reputation_metrics=True,
            sending_enabled=True,
            # A bounce goes to whatever system sent the mail: by TLS if that system offers it.
            tls_policy=ses.ConfigurationSetTlsPolicy.OPTIONAL,
            # No suppression reasons: as the default of an identity the set would overrule the
            # account's suppression list for all other mail of that identity.
        )
        kinds = event_types(settings.events)
        self.configuration_set.add_event_destination(
            "Metrics",
            destination=ses.EventDestination.cloud_watch_dimensions(
                [
                    ses.CloudWatchDimension(
                        name=name,
                        source=ses.CloudWatchDimensionSource.MESSAGE_TAG,
                        default_value="none",
                    )
                    for name in METRICS_DIMENSIONS
                ]
            ),
            events=kinds,
        )
        # Whatever `events` are counted and archived: what became of our bounces decides.
        self.configuration_set.add_event_destination(
            "Feedback",
            destination=ses.EventDestination.event_bus(default_bus(self)),
            events=[ses.EmailSendingEvent.BOUNCE, ses.EmailSendingEvent.COMPLAINT],
        )
        self.archive = self._write_into(archive, kinds) if archive else None
        self.destinations = EventDestinations(
            self,
            "Destinations",
            configuration_set=self.configuration_set,
            destinations=settings.destinations,
            archive=self.archive,
        )
        self.identity = self._identity(settings.identity) if settings.create_identity else None

    def _write_into(self, archive: Archive, kinds: list[ses.EmailSendingEvent]) -> ArchiveWriter:
        stream = archive.events.stream
        first = self.configuration_set.add_event_destination(
            "Events",
            destination=ses.EventDestination.firehose_delivery_stream(delivery_stream=stream),
            events=kinds,
        )
        return ArchiveWriter(archive, first)

    def _identity(self, domain: str) -> ses.EmailIdentity:
        """Create an identity, which is removed again only with a first deployment that fails."""
        identity = ses.EmailIdentity(
            self,
            "Identity",
            identity=ses.Identity.domain(domain),
            # `account_settings` could not attach it before SES has verified the domain.
            configuration_set=self.configuration_set,
        )
        identity.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        return identity
