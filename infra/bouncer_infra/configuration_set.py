"""The sending side: a configuration set for the bounces, and where its events go.

SendBounce takes no configuration set, so the sender's identity must have this one as its default.
Whether SES then publishes events for bounces is an open question (docs/decisions/0007); the journal
does not depend on it. Configuration sets and event destinations are those of the 2016 release of
SES.
"""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_ses as ses
from constructs import Construct

from bouncer_infra.deployment_settings import DeploymentSettings

_EVENTS = {
    "send": ses.EmailSendingEvent.SEND,
    "reject": ses.EmailSendingEvent.REJECT,
    "bounce": ses.EmailSendingEvent.BOUNCE,
    "complaint": ses.EmailSendingEvent.COMPLAINT,
    "delivery": ses.EmailSendingEvent.DELIVERY,
    "open": ses.EmailSendingEvent.OPEN,
    "click": ses.EmailSendingEvent.CLICK,
    "renderingFailure": ses.EmailSendingEvent.RENDERING_FAILURE,
    "deliveryDelay": ses.EmailSendingEvent.DELIVERY_DELAY,
    "subscription": ses.EmailSendingEvent.SUBSCRIPTION,
}

# Auto-tags SES sets on every mail, and a message tag for mail that is sent with one. CloudFormation
# takes no dots and no @ in a default value.
_DIMENSIONS = ("ses:from-domain", "ses:configuration-set", "deployment")


class Sending(Construct):
    """The configuration set with its event destinations; `identity` exists if it is made here."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        events: firehose.IDeliveryStream,
    ) -> None:
        super().__init__(scope, id_)
        self.configuration_set = ses.ConfigurationSet(
            self,
            "ConfigurationSet",
            configuration_set_name=settings.full_name,
            reputation_metrics=True,
            sending_enabled=True,
            # A bounce goes wherever the mail came from: TLS where the other side has it.
            tls_policy=ses.ConfigurationSetTlsPolicy.OPTIONAL,
        )
        kinds = [_EVENTS[name] for name in settings.events]
        self.configuration_set.add_event_destination(
            "Metrics",
            destination=ses.EventDestination.cloud_watch_dimensions(
                [
                    ses.CloudWatchDimension(
                        name=name,
                        source=ses.CloudWatchDimensionSource.MESSAGE_TAG,
                        default_value="none",
                    )
                    for name in _DIMENSIONS
                ]
            ),
            events=kinds,
        )
        self.configuration_set.add_event_destination(
            "Events",
            destination=ses.EventDestination.firehose_delivery_stream(delivery_stream=events),
            events=kinds,
        )
        self.identity = self._identity(settings.identity) if settings.create_identity else None

    def _identity(self, domain: str) -> ses.EmailIdentity:
        """A new identity; only a deployment that fails at once takes it along."""
        identity = ses.EmailIdentity(
            self,
            "Identity",
            identity=ses.Identity.domain(domain),
            # Not left to the switch, which can't attach a set before the domain is verified.
            configuration_set=self.configuration_set,
        )
        identity.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        return identity
