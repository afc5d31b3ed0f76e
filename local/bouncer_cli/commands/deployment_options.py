"""The options that name a deployment to a command whose `--settings` is a settings document."""

import argparse
from pathlib import Path
from typing import NamedTuple

from bouncer_cli.commands.usage import UsageError

REVISION = "revision:"
SSM = "ssm:"
_CDK_JSON = Path("cdk.json")


class DeploymentOptions(NamedTuple):
    """The cdk.json of a deployment, its name there if there are several, and its region.

    Without a region that of the cdk.json holds, else that of the environment or profile.
    """

    cdk_json: Path = _CDK_JSON
    name: str | None = None
    region: str | None = None


def add_deployment_options(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.add_argument(
        "--cdk-json",
        type=Path,
        metavar="FILE",
        help="for revision: the cdk.json of the deployment (default: cdk.json)",
    )
    command.add_argument(
        "--deployment",
        metavar="NAME",
        help="for revision: the deployment's name, if the cdk.json has several",
    )
    command.add_argument(
        "--region",
        metavar="REGION",
        help="for ssm: and revision: the AWS region (default: the region of the environment or "
        "AWS profile)",
    )


def deployment_options(options: argparse.Namespace, source: str) -> DeploymentOptions:
    """Return the options for a source of rules; raises `UsageError` for one that has no use."""
    for option, given in (("--cdk-json", options.cdk_json), ("--deployment", options.deployment)):
        if given is not None and not source.startswith(REVISION):
            raise UsageError(f"{option}: found {source} beside it, expected revision:")
    if options.region is not None and not source.startswith((REVISION, SSM)):
        raise UsageError(f"--region: found {source} beside it, expected ssm: or revision:")
    return DeploymentOptions(
        options.cdk_json or _CDK_JSON, name=options.deployment, region=options.region
    )
