"""What is said at synth of the identity that gets our configuration set.

One that SES has not verified is refused, where there is an account to ask. Nothing else comes of
the answer: the template fits every account, and is made without one. A refusal stops `cdk synth`,
`diff` and `deploy`, not `destroy`.
"""

from collections.abc import Mapping

from aws_cdk import Annotations, Stack
from boto3 import Session

from bouncer.errors import BouncerError
from bouncer_local.doctor.account import Account, NotFoundError
from bouncer_local.doctor.sending import verified_identity
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
    """Say so if SES has not verified the identity our configuration set is to be attached to."""
    if account is None or settings.create_identity or not settings.attaches:
        return
    try:
        obstacle = _obstacle(settings, account)
    except BouncerError:
        return  # no answer is no refusal: the deployment itself will tell
    if obstacle:
        Annotations.of(stack).add_error(f"cdk.json: context.bouncer.identity: {obstacle}")


def _obstacle(settings: Settings, account: Account) -> str | None:
    name, remedy = settings.identity, "verify it, or set create_identity: true"
    try:
        answer = account.ask("sesv2", "get_email_identity", EmailIdentity=name)
        if answer.get("VerifiedForSendingStatus"):
            return None
        found, remedy = f"{name} not verified", "publish the DNS records SES shows for it"
    except NotFoundError:
        found = f"no {name}"
        sender = settings.sender_addresses[0]
        other = verified_identity(account, sender)
        if other:
            remedy = f"set identity: {other}, by which SES verifies {sender}"
    return (
        f"found {found} in SES in {account.region}, expected an identity that is verified there; "
        f"{remedy}"
    )


def warn_of_other_senders(stack: Stack, settings: Settings) -> None:
    """Say who else is affected by our set, unless that was asked for or there is nobody else.

    SES asks whoever sends from an identity for permission on its default set, too.
    """
    own = settings.create_identity or "@" in settings.identity
    if own or settings.attach_configuration_set is not None:
        return
    Annotations.of(stack).add_warning_v2(
        "ses-auto-bouncer:other-senders",
        f"ses-auto-bouncer-{settings.name} becomes the default configuration set of "
        f"{settings.identity}, so SES will refuse mail from roles that may use that identity only; "
        f"allow them configuration-set/ses-auto-bouncer-{settings.name} as well, or name the "
        "sender's own address as identity, then set attach_configuration_set: true, see "
        "docs/deploy.md#the-senders-identity",
    )
