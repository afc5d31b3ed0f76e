"""The rules, lists and settings that a deployment has in force, or an earlier revision of them."""

import re
from typing import NamedTuple

from bouncer.publishing.publication import revision_warnings
from bouncer.rules.rule import limits_of
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.bucket_source import BucketSource
from bouncer.sources.loaded import Loaded
from bouncer.sources.pointer import Pointer
from bouncer.sources.revision import Revision
from bouncer.sources.revision_lists import RevisionLists
from bouncer.sources.revision_loader import braked_rules
from bouncer.sources.source import LISTS, SourceError
from bouncer_cli.commands.deployment_options import REVISION, DeploymentOptions
from bouncer_cli.commands.usage import UsageError
from bouncer_cli.documents_check import DocumentsCheck
from bouncer_sim.clock import SystemClock, now

_CURRENT = "current"


class _Found(NamedTuple):
    """A revision in a bucket, and the pointer of today, which may name another one."""

    pointer: Pointer
    revision: Revision
    source: BucketSource
    bucket: str

    @property
    def is_current(self) -> bool:
        return self.pointer.revision == self.revision.id

    def __str__(self) -> str:
        """Return the sentence that names it."""
        of = "in force" if self.is_current else "not in force, with the settings in force"
        return f"rules: revision {self.revision.id} of s3://{self.bucket}, {of}"


def load_revision(named: str, deployment: DeploymentOptions) -> tuple[Loaded, list[str]]:
    """Return what to judge by, and sentences that name it and what of it can't be read.

    `named` is `revision:current` or `revision:ID`. An earlier revision is judged with the settings
    of today. Raises `UsageError` for any other name, `SourceError` if it can't be read, and what
    `find_deployment` raises.
    """
    found = _find(named, "--rules", deployment)
    pointer = found.pointer
    lists, unread = RevisionLists(found.source.list_form).load(found.revision.lists)
    braked = pointer.braked if found.is_current else ()
    ruleset = Ruleset(braked_rules(found.revision.rules, braked), lists)
    loaded = Loaded(
        ruleset,
        pointer.settings,
        causes=pointer.causes,
        revision=found.revision.id,
        limits=limits_of(found.revision.rules),
    )
    return loaded, [str(found), *unread]


def check_revision(named: str, deployment: DeploymentOptions) -> tuple[DocumentsCheck, str]:
    """Return what a revision's rules and lists are worth, and the sentence that names it.

    The problems are those of documents that are refused today, and of lists that can't be read.
    Raises as `load_revision` does.
    """
    found = _find(named, "SOURCE", deployment)
    pointer, revision = found.pointer, found.revision
    _, unread = RevisionLists(found.source.list_form).load(revision.lists)
    problems = dict(pointer.problems) if found.is_current else {}
    if unread:
        problems[LISTS] = unread
    warnings = revision_warnings(revision, pointer.settings, now(SystemClock()))
    check = DocumentsCheck(revision, pointer.settings, pointer.causes, problems, warnings)
    return check, str(found)


def _find(named: str, argument: str, deployment: DeploymentOptions) -> _Found:
    wanted = named.removeprefix(REVISION)
    if wanted != _CURRENT and not re.fullmatch("[0-9a-f]{64}", wanted):
        raise UsageError(
            f"{argument}: found {named!r}, expected revision:current, or revision: and the 64 "
            "digits of an id, as `mail` lines in the journal have it"
        )
    source, bucket = _bucket(deployment)
    found = source.pointer("")
    if found is None:
        raise AssertionError  # never: no ETag is known
    pointer = found[0]
    revision = source.revision(pointer.revision if wanted == _CURRENT else wanted)
    return _Found(pointer, revision, source, bucket)


def _bucket(options: DeploymentOptions) -> tuple[BucketSource, str]:
    from bouncer_cli.doctor.account import UnavailableError  # noqa: PLC0415  # boto3
    from bouncer_cli.operations.operated_account import sentence  # noqa: PLC0415
    from bouncer_cli.operations.operated_deployment import find_deployment  # noqa: PLC0415

    try:
        deployment = find_deployment(
            options.cdk_json, options.region, option="--cdk-json", name=options.name
        )
    except UnavailableError as error:
        raise SourceError(sentence(error)) from error
    if not deployment.bucket:
        raise UsageError(
            f"stack {deployment.stack.name}: found no output RulesBucket, expected a version that "
            "publishes revisions: run cdk deploy, or name --rules ssm:/PREFIX"
        )
    return BucketSource(deployment.account.client("s3"), deployment.bucket), deployment.bucket
