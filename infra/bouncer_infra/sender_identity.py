"""Warns at synth of what a deployment means for other senders of its identity.

Whether SES has verified the identity is not asked here: `cdk synth` asks AWS nothing. The doctor
reports it, and the deployment itself refuses an identity that is missing or not verified.
"""

from aws_cdk import Annotations, Stack

from bouncer_infra.deployment_settings import DeploymentSettings


def warn_of_other_senders(stack: Stack, settings: DeploymentSettings) -> None:
    """Say who else is affected by our set, unless that was asked for or there is nobody else.

    SES asks whoever sends from an identity for permission on its default set, too.
    """
    own = settings.create_identity or "@" in settings.identity
    if own or settings.attach_configuration_set is not None:
        return
    Annotations.of(stack).add_warning_v2(
        "ses-auto-bouncer:other-senders",
        f"{settings.full_name} becomes the default configuration set of "
        f"{settings.identity}, so SES will refuse mail from roles that may use that identity only; "
        f"allow them configuration-set/{settings.full_name} as well, or name the "
        "sender's own address as identity, then set attach_configuration_set: true, see "
        "docs/deploy.md#the-senders-identity",
    )
