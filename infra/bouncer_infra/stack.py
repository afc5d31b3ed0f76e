"""One deployment, as the CDK's command line asks for it: by cdk.json and its environment."""

import os

import aws_cdk as cdk

from bouncer_infra.auto_bouncer import AutoBouncer
from bouncer_infra.bundle import function_code
from bouncer_infra.deployment_settings_reader import read_settings


def auto_bouncer(app: cdk.App) -> AutoBouncer:
    """The stack of the app's `bouncer` context; raises `DocumentError` with all that is wrong."""
    settings = read_settings(app.node.try_get_context("bouncer"))
    return AutoBouncer(
        app,
        settings.full_name,
        settings=settings,
        code=function_code(settings.architecture),
        target_region=os.environ.get("CDK_DEFAULT_REGION"),
    )
