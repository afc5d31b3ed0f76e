"""CDK's entry point: settings from cdk.json, one stack."""

import os
import sys

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from bouncer.errors import BouncerError
from infra.bundle import function_code
from infra.identity import refuse_missing_identity, target_account
from infra.settings import read_settings
from infra.stack import AutoBouncer

app = cdk.App()
try:
    settings = read_settings(app.node.try_get_context("bouncer"))
except BouncerError as error:
    sys.exit(str(error))
stack = AutoBouncer(
    app,
    f"ses-auto-bouncer-{settings.name}",
    settings=settings,
    code=function_code(settings.architecture),
    target_region=os.environ.get("CDK_DEFAULT_REGION"),
)
refuse_missing_identity(stack, settings, target_account(os.environ))
cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
app.synth()
