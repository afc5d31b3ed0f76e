"""One deployment, as the CDK's command line asks for it: by cdk.json and its environment."""

import os

import aws_cdk as cdk

from infra.bundle import function_code
from infra.identity import refuse_missing_identity, target_account
from infra.settings_reader import read_settings
from infra.stack import AutoBouncer


def auto_bouncer(app: cdk.App) -> AutoBouncer:
    """The stack of the app's `bouncer` context; raises `DocumentError` with all that is wrong."""
    settings = read_settings(app.node.try_get_context("bouncer"))
    stack = AutoBouncer(
        app,
        f"ses-auto-bouncer-{settings.name}",
        settings=settings,
        code=function_code(settings.architecture),
        target_region=os.environ.get("CDK_DEFAULT_REGION"),
    )
    refuse_missing_identity(stack, settings, target_account(os.environ))
    return stack
