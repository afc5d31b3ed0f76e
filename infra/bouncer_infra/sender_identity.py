"""Warns at synth that other senders of this identity need a new permission.

`cdk synth` asks AWS nothing, so it does not know whether SES has verified the identity: the doctor
reports that, and the deployment itself refuses an identity that is missing or not verified.
"""

from aws_cdk import Annotations
from constructs import Construct

from bouncer.function_limits import PRODUCT
from bouncer_infra.deployment_settings import DeploymentSettings


def warn_of_other_senders(scope: Construct, settings: DeploymentSettings) -> None:
    """Warn that our set will apply to other senders' mail, unless the settings accept it.

    SES asks everybody who sends from an identity for permission on its default set, too.
    """
    alone = settings.create_identity or "@" in settings.identity
    if alone or settings.attach_configuration_set is not None:
        return
    Annotations.of(scope).add_warning_v2(
        f"{PRODUCT}:other-senders",
        f"{settings.full_name} becomes the default configuration set of {settings.identity}, so "
        "SES will refuse mail from roles that may use that identity only. Allow those roles "
        f"configuration-set/{settings.full_name} as well, or name the sender's own address as "
        "identity; then set attach_configuration_set: true. "
        "See docs/deploy.md#the-senders-identity",
    )
