"""The rules and settings that a deployment has in force, or an earlier revision of its rules."""

import re
from pathlib import Path

from bouncer.rules.rule import limits_of
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.bucket_source import BucketSource
from bouncer.sources.loaded import Loaded
from bouncer.sources.revision_loader import braked_rules
from bouncer_cli.commands.usage import UsageError

REVISION = "revision:"
_CURRENT = "current"


def load_revision(named: str) -> tuple[Loaded, str]:
    """Return what to judge by, and a sentence that names it.

    `named` is `revision:current` or `revision:ID`; the deployment is that of `cdk.json` here. An
    earlier revision is judged with the settings of today. Raises `UsageError` for any other name,
    `SourceError` if it can't be read, and what `find_deployment` raises.
    """
    wanted = named.removeprefix(REVISION)
    if wanted != _CURRENT and not re.fullmatch("[0-9a-f]{64}", wanted):
        raise UsageError(
            f"--rules: found {named!r}, expected revision:current, or revision: and the 64 digits "
            "of an id, as `mail` lines in the journal have it"
        )
    source, bucket = _bucket()
    found = source.pointer("")
    if found is None:
        raise AssertionError  # never: no ETag is known
    pointer = found[0]
    current = wanted in (_CURRENT, pointer.revision)
    revision_id = pointer.revision if current else wanted
    rules = source.revision(revision_id).rules
    ruleset = Ruleset(braked_rules(rules, pointer.braked if current else ()))
    loaded = Loaded(
        ruleset,
        pointer.settings,
        causes=pointer.causes,
        revision=revision_id,
        limits=limits_of(rules),
    )
    of = "in force" if current else "not in force, with the settings in force"
    return loaded, f"rules: revision {revision_id} of s3://{bucket}, {of}"


def _bucket() -> tuple[BucketSource, str]:
    from bouncer_cli.operations.operated_deployment import find_deployment  # noqa: PLC0415  # boto3

    deployment = find_deployment(Path("cdk.json"), None)
    if not deployment.bucket:
        raise UsageError(
            f"stack {deployment.stack.name}: found no output RulesBucket, expected a version that "
            "publishes revisions: run cdk deploy, or name --rules ssm:/PREFIX"
        )
    return BucketSource(deployment.account.client("s3"), deployment.bucket), deployment.bucket
