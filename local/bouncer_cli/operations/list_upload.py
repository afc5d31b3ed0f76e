"""Uploads the lists that are too large for a parameter, each once: an object never changes."""

from collections.abc import Iterable

from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.operations.list_parameter import ListParameter
from bouncer_cli.operations.operated_account import OperationError
from bouncer_cli.operations.push_target import PushTarget


def missing_uploads(target: PushTarget, lists: Iterable[ListParameter]) -> list[ListParameter]:
    """Return the lists whose objects are not there, or may not be looked for.

    Raises `UnavailableError` if S3 can't be reached.
    """
    return [each for each in lists if each.key and not _is_there(target, each.key)]


def upload(target: PushTarget, lists: Iterable[ListParameter]) -> None:
    """Write the objects of these lists; raises what `OperatedAccount.do` raises."""
    for each in lists:
        if not target.bucket:
            raise OperationError(f"{each.key}: found no bucket, expected one: run cdk deploy")
        target.account.do(
            "s3",
            "put_object",
            Bucket=target.bucket,
            Key=each.key,
            Body=each.data,
            ContentType="text/csv; charset=utf-8",
        )


def _is_there(target: PushTarget, key: str) -> bool:
    try:
        target.account.do("s3", "head_object", Bucket=target.bucket, Key=key)
    except NotFoundError:
        return False
    except UnavailableError as error:  # without ListBucket S3 answers 403 for a missing object
        if error.unreachable or error.hopeless:
            raise
        return False
    return True
