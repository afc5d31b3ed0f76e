"""Warns at synth of a region, where that is known, in which SES is not known to receive mail.

It is a warning only: AWS adds regions faster than this list is renewed.
"""

from aws_cdk import Annotations
from constructs import Construct

from bouncer.function_limits import PRODUCT

# The regions whose CloudFormation knows AWS::SES::ReceiptRule (CloudFormation resource schemas of
# October 2026, as cfn-lint carries them; a test holds the two together). AWS's own list is "Email
# receiving endpoints" on https://docs.aws.amazon.com/general/latest/gr/ses.html.
RECEIVING = frozenset(
    """
    af-south-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2
    ap-southeast-3 ca-central-1 eu-central-1 eu-north-1 eu-south-1 eu-west-1 eu-west-2 eu-west-3
    il-central-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2
    eu-isoe-west-1 eusc-de-east-1 us-iso-east-1 us-iso-west-1 us-isob-east-1 us-isob-west-1
    us-isof-east-1 us-isof-south-1
    """.split()  # noqa: SIM905  # 29 lines otherwise
)


def warn_without_receiving(scope: Construct, region: str | None) -> None:
    """Warn of a region that is not in the list; without a region nothing is said."""
    if region and region not in RECEIVING:
        Annotations.of(scope).add_warning_v2(
            f"{PRODUCT}:region",
            f"SES is not known to receive mail in {region}, so this deployment may fail, or get no "
            "mail. Deploy into a region with an email receiving endpoint: "
            "see docs/deploy.md#what-you-need",
        )
