"""Refuses at synth an identity that does not exist, where there is an account to ask.

Nothing else comes of the answer: the template fits every account, and is made without one. A
refusal stops `cdk synth`, `diff` and `deploy`, not `destroy`.
"""

from collections.abc import Mapping

from aws_cdk import Annotations, Stack
from boto3 import Session

from bouncer.errors import BouncerError
from bouncer_local.doctor.account import Account, NotFoundError
from infra.settings import Settings


def target_account(environ: Mapping[str, str]) -> Account | None:
    """The account CDK's command line will deploy into; None if it is not known, or not ours to ask.

    A profile named to CDK is not told to us, so another account's credentials may be at hand.
    """
    region, number = environ.get("CDK_DEFAULT_REGION"), environ.get("CDK_DEFAULT_ACCOUNT")
    if not region or not number:
        return None
    account = Account(Session(), region)
    try:
        asked = account.ask("sts", "get_caller_identity")
    except BouncerError:
        return None
    return account if asked.get("Account") == number else None


def refuse_missing_identity(stack: Stack, settings: Settings, account: Account | None) -> None:
    """Say so if SES does not know the identity our configuration set is to be attached to."""
    if account is None or settings.create_identity or not settings.attach_configuration_set:
        return
    try:
        account.ask("sesv2", "get_email_identity", EmailIdentity=settings.identity)
    except NotFoundError:
        Annotations.of(stack).add_error(
            f"cdk.json: context.bouncer.identity: found no {settings.identity} in SES in "
            f"{account.region}, expected an identity that is verified there; verify it, or set "
            "create_identity: true"
        )
    except BouncerError:
        return  # no answer is no refusal: the deployment itself will tell
