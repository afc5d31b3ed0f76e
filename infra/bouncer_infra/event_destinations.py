"""The event destinations of a configuration set that cdk.json names, one resource for each name.

A resource is found again by the destination's name: one of them is changed, disabled or removed
without touching the others.
"""

import re
from collections.abc import Iterable, Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from constructs import Construct

from bouncer.errors import BouncerError
from bouncer_infra.archive_writer import ArchiveWriter
from bouncer_infra.destination_settings import ARCHIVE, Destination, Dimension, Kind
from bouncer_infra.feedback_function import default_bus

_SOURCES = {
    "messageTag": ses.CloudWatchDimensionSource.MESSAGE_TAG,
    "emailHeader": ses.CloudWatchDimensionSource.EMAIL_HEADER,
    "linkTag": ses.CloudWatchDimensionSource.LINK_TAG,
}


class EventDestinations(Construct):
    """The destinations of `configuration_set`; `archive` is the deployment's, if it has one."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        configuration_set: ses.IConfigurationSet,
        destinations: Sequence[Destination],
        archive: ArchiveWriter | None,
    ) -> None:
        super().__init__(scope, id_)
        self._archive = archive
        self._bus = default_bus(self)
        for each in destinations:
            # A prefix, as CDK gives the ids Default and Resource a meaning.
            made = ses.ConfigurationSetEventDestination(
                self,
                f"Destination-{each.name}",
                configuration_set=configuration_set,
                configuration_set_event_destination_name=each.name,
                destination=self._target(each),
                events=event_types(each.events),
                enabled=each.enabled,
            )
            if each.stream == ARCHIVE and archive:
                archive.wait(made)

    def _target(self, each: Destination) -> ses.EventDestination:
        match each.kind:
            case Kind.CLOUDWATCH:
                return ses.EventDestination.cloud_watch_dimensions(
                    [_dimension(dimension) for dimension in each.dimensions]
                )
            case Kind.FIREHOSE:
                return self._stream(each)
            case Kind.SNS:
                topic = sns.Topic.from_topic_arn(self, f"Topic-{each.name}", each.topic or "")
                return ses.EventDestination.sns_topic(topic)
            case Kind.EVENTBRIDGE:
                return ses.EventDestination.event_bus(self._bus)

    def _stream(self, each: Destination) -> ses.EventDestination:
        if each.stream != ARCHIVE:
            stream = firehose.DeliveryStream.from_delivery_stream_arn(
                self, f"Stream-{each.name}", each.stream or ""
            )
            role = iam.Role.from_role_arn(self, f"Role-{each.name}", each.role or "", mutable=False)
            return ses.EventDestination.firehose_delivery_stream(delivery_stream=stream, role=role)
        if self._archive is None:  # settings that were read say so earlier
            raise BouncerError(f"destination {each.name}: found no archive, expected archive: true")
        return self._archive.target


def _dimension(dimension: Dimension) -> ses.CloudWatchDimension:
    return ses.CloudWatchDimension(
        name=dimension.name,
        source=_SOURCES[dimension.source],
        default_value=dimension.default,
    )


def event_types(names: Iterable[str]) -> list[ses.EmailSendingEvent]:
    """Return CDK's constants, such as DELIVERY_DELAY, for SES's words, such as deliveryDelay."""
    return [ses.EmailSendingEvent[re.sub(r"(?=[A-Z])", "_", name).upper()] for name in names]
