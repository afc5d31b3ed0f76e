"""Checks the lists that rules name, as the publisher reads them: in parameters and uploads."""

from collections.abc import Callable, Iterable
from datetime import datetime

from bouncer.operator_settings import Settings
from bouncer.publishing.list_choice import InForceBefore, chosen_lists
from bouncer.publishing.list_forms import FormsInMemory
from bouncer.publishing.publication import revision_warnings
from bouncer.rules.list_reader import UploadError
from bouncer.rules.list_warnings import named_lists
from bouncer.rules.rule import Rule
from bouncer.sources.parameters import no_bucket
from bouncer.sources.revision import revision_of
from bouncer.sources.source import Documents, SourceError
from bouncer.sources.uploads import Uploads
from bouncer_cli.doctor.check_context import CheckContext
from bouncer_cli.doctor.finding import Findings, ok, problem, warning

_LIST = "list"
_BUCKET = "Revisions"  # in the logical id of the bucket of revisions
_CORRECT = "correct this list; until then what was in force before, if anything, stays so"


def fetch_upload(context: CheckContext) -> Callable[[str], bytes]:
    """Return the function that fetches an upload; it raises what the account means by a refusal."""
    buckets = (
        resource.name
        for resource in context.stack.resources
        if resource.kind == "AWS::S3::Bucket" and _BUCKET in resource.logical
    )
    bucket = next(buckets, None)
    if bucket is None:
        return no_bucket
    account = context.account

    def fetch(key: str) -> bytes:
        try:
            return Uploads(account.client("s3"), bucket).fetch(key)
        except SourceError as error:
            raise account.meaning("s3", "get_object", error.__cause__) from error
        except UploadError as error:
            if "AccessDenied" in str(error):  # to us, which says nothing about the publisher
                raise account.meaning("s3", "get_object", error.__cause__) from error
            raise

    return fetch


def lists_and_doubts(
    rules: Iterable[Rule], documents: Documents, settings: Settings, now: datetime
) -> Findings:
    """Check the lists that valid rules name, and report what is hardly meant so in both."""
    rules = tuple(rules)
    names = named_lists(rules)
    chosen = chosen_lists(names, documents.lists, InForceBefore(), FormsInMemory())
    for said in chosen.problems.values():
        for sentence in said:
            yield problem(_LIST, sentence, _CORRECT)
    if chosen.lists and not chosen.problems:
        entries = sum(found.about.entries for found in chosen.lists.values())
        count = "1 list" if len(chosen.lists) == 1 else f"{len(chosen.lists)} lists"
        yield ok(_LIST, f"{count} that rules name, all valid, with {entries:,} entries")
    for doubt in revision_warnings(revision_of(rules, chosen.lists), settings, now):
        remedy = "change this rule or its list, or leave it if it is meant so"
        yield warning("rules", doubt, remedy)
