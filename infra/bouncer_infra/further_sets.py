"""Configuration sets beside the deployment's own, as cdk.json names them, with their destinations.

They serve other mail of the account: bounces are sent with the deployment's own set.
"""

from collections.abc import Sequence

from aws_cdk import aws_ses as ses
from constructs import Construct

from bouncer_infra.archive_writer import ArchiveWriter
from bouncer_infra.configuration_set_settings import SUPPRESSED, FurtherSet
from bouncer_infra.event_destinations import EventDestinations

_REASONS = {
    frozenset(SUPPRESSED): ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS,
    frozenset(("BOUNCE",)): ses.SuppressionReasons.BOUNCES_ONLY,
    frozenset(("COMPLAINT",)): ses.SuppressionReasons.COMPLAINTS_ONLY,
}


class FurtherSets(Construct):
    """The sets by their names in `by_name`; the arguments are those of `EventDestinations`."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        sets: Sequence[FurtherSet],
        archive: ArchiveWriter | None,
    ) -> None:
        super().__init__(scope, id_)
        self.by_name: dict[str, ses.ConfigurationSet] = {}
        for each in sets:
            made = _configuration_set(self, each)
            EventDestinations(
                made,
                "Destinations",
                configuration_set=made,
                destinations=each.destinations,
                archive=archive,
            )
            self.by_name[each.name] = made


def _configuration_set(scope: Construct, each: FurtherSet) -> ses.ConfigurationSet:
    policies = ses.ConfigurationSetTlsPolicy
    return ses.ConfigurationSet(
        scope,
        f"Set-{each.name}",
        configuration_set_name=each.name,
        tls_policy=policies.REQUIRE if each.tls == "require" else policies.OPTIONAL,
        reputation_metrics=each.reputation_metrics,
        sending_enabled=each.sending,
        custom_tracking_redirect_domain=each.redirect_domain,
        # Without a word about suppression the account's own list applies.
        suppression_reasons=_REASONS.get(frozenset(each.suppression or ())),
        disable_suppression_list=each.suppression == () or None,
    )
