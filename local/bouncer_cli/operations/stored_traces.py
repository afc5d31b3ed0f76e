"""The mails in the mail bucket whose sender or recipient an address is.

Of a stopped mail the metadata names the envelope; of others the headers do, as far as SES wrote it
down. Nobody but the mail itself is looked at: an address in a text or a signature is not found.
"""

from collections.abc import Iterator
from functools import partial

from bouncer.mail.rewritten_sender import normal_sender
from bouncer.sources.stopped_mail import STOPPED, with_metadata
from bouncer_cli.operations.operated_deployment import OperatedDeployment
from bouncer_cli.operations.stopped_mails import (
    StoredObject,
    at_once,
    body_of,
    get_object,
    stored_objects,
)
from bouncer_cli.raw_mail import Envelope, RawMailError, read_raw_mail
from bouncer_infra.deployment_settings import DeploymentSettings

_HEAD = 65_536  # bytes of a mail that are looked at


def traces(
    deployment: OperatedDeployment, settings: DeploymentSettings, address: str
) -> Iterator[StoredObject]:
    """Yield the stored and stopped mails of an address; raises what `OperatedAccount.do` raises."""
    if not deployment.mail_bucket or settings.store is None:
        return
    account, bucket = deployment.account, deployment.mail_bucket
    for prefix in (settings.store.prefix, STOPPED):
        found = list(stored_objects(account, bucket, prefix))
        ours = at_once(partial(_is_about, deployment, normal_sender(address)), found)
        yield from (each for each, is_about in zip(found, ours, strict=True) if is_about)


def delete_mail(deployment: OperatedDeployment, key: str) -> None:
    """Delete one mail; one that is gone already makes no difference."""
    deployment.account.do("s3", "delete_object", Bucket=deployment.mail_bucket, Key=key)


def _is_about(deployment: OperatedDeployment, wanted: str, found: StoredObject) -> bool:
    answer = get_object(deployment.account, deployment.mail_bucket, found.key, size=_HEAD)
    if answer is None:
        return False
    names: list[str] = []
    if found.mail:
        mail = with_metadata(found.mail, answer.get("Metadata", {}))
        names = [mail.sender, *mail.recipients]
    names += _in_headers(body_of(deployment.account, answer))
    return wanted in {normal_sender(name) for name in names if name}


def _in_headers(head: bytes) -> list[str]:
    try:
        envelope = read_raw_mail(head, Envelope()).envelope
    except RawMailError:
        return []
    return [envelope.sender or "", *envelope.recipients]
