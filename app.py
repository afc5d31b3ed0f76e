"""The CDK app: one stack for each deployment in cdk.json."""

import sys

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from bouncer.errors import BouncerError
from bouncer_infra.stack import auto_bouncers

app = cdk.App()
try:
    auto_bouncers(app)
except BouncerError as error:
    sys.exit(str(error))
cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
app.synth()
