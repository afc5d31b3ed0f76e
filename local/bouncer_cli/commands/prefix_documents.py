"""Reads the parameters below a prefix, with the uploads that their lists name."""

from bouncer.sources.source import Documents, SourceError
from bouncer_cli.commands.usage import UsageError
from bouncer_cli.deployed_settings import DeployedSettings, deployed_settings


def read_parameters(
    prefix: str, named: str, region: str | None
) -> tuple[Documents, DeployedSettings]:
    """Return the documents below a prefix, and the settings that its functions have.

    `region` None is that of the environment or profile; `named` is the argument that names the
    prefix, for an error. Raises `UsageError`, and `SourceError` if the parameters can't be read.
    """
    import boto3  # noqa: PLC0415  # a second that nobody else has to wait for

    from bouncer.sources.parameters import ParameterSource, no_bucket  # noqa: PLC0415
    from bouncer.sources.uploads import Uploads  # noqa: PLC0415
    from bouncer_cli.doctor.account import Account  # noqa: PLC0415
    from bouncer_cli.operations.operated_account import sentence  # noqa: PLC0415

    session = boto3.Session(region_name=region)
    if session.region_name is None:
        raise UsageError(
            f"{named}: found no region, expected --region REGION or AWS_DEFAULT_REGION to name one"
        )
    account = Account(session, session.region_name)
    deployed = deployed_settings(account, prefix)
    bucket = deployed.bucket
    fetch = Uploads(account.client("s3"), bucket).fetch if bucket else no_bucket
    try:
        return ParameterSource(account.client("ssm"), prefix, fetch).read(), deployed
    except SourceError as error:
        meant = account.meaning("ssm", "get_parameters_by_path", error.__cause__)
        raise SourceError(f"{prefix}: {sentence(meant)}") from error
