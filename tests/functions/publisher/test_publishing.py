"""The publisher: parameters become a revision and the pointer, whatever it finds in the bucket."""

from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from bouncer.operator_settings import Settings
from bouncer.publishing.occasion import Scope
from bouncer.publishing.publication import PublishingError
from bouncer.publishing.revision_store import ConflictError, RevisionStore, StoreError
from bouncer.rules.rule import Mode
from bouncer.sources.pointer import POINTER_KEY, Pointer
from bouncer.sources.revision import NO_RULES, RevisionError, revision_key
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.s3_service import S3Service
from bouncer_sim.world.service_error import service_error
from tests.embedded_aws import embedded_aws
from tests.functions.publisher.published_world import PublishedWorld


@pytest.fixture
def world() -> PublishedWorld:
    return PublishedWorld()


def names(world: PublishedWorld) -> list[str]:
    return [rule.name for rule in world.revision().rules]


def test_the_first_run_publishes_everything(world: PublishedWorld) -> None:
    """Also one that was asked for the settings alone: no revision is there to keep."""
    for number in range(25):  # several pages of SSM
        world.put(f"rules/{number:03d}", "drop: {}")
    world.put("settings", "mode: shadow")
    pointer = world.publish(Scope.SETTINGS)
    assert len(names(world)) == 25
    (line,) = world.lines("published")
    assert (line["revision"], line["mode"], line["Published"]) == (pointer.revision, "shadow", [1])


def test_no_rules_are_a_revision_too(world: PublishedWorld) -> None:
    """A stack without parameters has a pointer, so that its functions know that it has no rules."""
    assert world.publish().revision == NO_RULES.id
    assert names(world) == []


def test_nothing_is_written_when_nothing_changed(world: PublishedWorld) -> None:
    """Neither run moves the pointer, which functions would have to read again."""
    world.put("rules/a", "drop: {}")
    before = world.publish()
    written = list(world.bucket.written)
    for scope in Scope:
        assert world.publish(scope) == before
    assert world.bucket.written == written
    assert len(world.lines("published")) == 1


def test_the_revision_is_there_before_the_pointer_names_it(world: PublishedWorld) -> None:
    """A reader never meets a pointer without its revision."""
    world.put("rules/a", "drop: {}")
    first = world.publish()
    world.put("rules/a", "accept: {}")
    second = world.publish()
    assert world.bucket.written == [
        revision_key(first.revision),
        POINTER_KEY,
        revision_key(second.revision),
        POINTER_KEY,
    ]


def test_settings_alone_do_not_read_rules(world: PublishedWorld) -> None:
    """The run of every minute makes one call of SSM, however many rules there are."""
    world.put("rules/a", "drop: {}")
    world.publish()
    world.put("rules/a", "accept: {}")
    world.put("settings", "mode: 'off'")
    world.put("held", '{"since": "2026-11-27T07:00:00+00:00", "by": "ann"}')
    calls: list[str] = []

    class Counting(DirectClient):
        def __getattr__(self, operation: str):  # type: ignore[no-untyped-def]  # noqa: ANN204  # as its base has it
            calls.append(operation)
            return super().__getattr__(operation)

    pointer = world.publisher(parameters=Counting(world.parameters)).publish(Scope.SETTINGS)
    assert calls == ["get_parameters"]
    assert pointer.settings.mode is Mode.OFF
    assert [cause.by for cause in pointer.causes] == ["ann"]
    assert [rule.action for rule in world.revision().rules] == ["drop"]


def test_a_refused_document_is_reported_by_every_run(world: PublishedWorld) -> None:
    """Its alarm stays in ALARM until it is corrected, and no longer."""
    world.put("rules/a", "drop: {}")
    world.publish()
    world.put("rules/a", "dorp: {}")
    for scope in (Scope.EVERYTHING, Scope.SETTINGS, Scope.SETTINGS):
        world.publish(scope)
    lines = world.lines("documents_invalid")
    assert len(lines) == 3
    assert all(line["InvalidDocuments"] == [1] for line in lines)
    assert '/p/rules/a:1: dorp: found unknown key "dorp", expected drop' in lines[0]["problems"]
    assert [rule.action for rule in world.revision().rules] == ["drop"]
    world.put("rules/a", "accept: {}")
    world.publish()
    assert len(world.lines("documents_invalid")) == 3


def test_doubts_are_reported(world: PublishedWorld) -> None:
    """A valid rule that is hardly meant so is in force, and its doubt in the journal."""
    world.put("rules/a", "drop: {}")
    world.put("rules/b", "until: 2026-11-01\naccept: {}")
    world.put("rules/c", "mode: 'off'\ndrop: {}")
    world.publish()
    (line,) = world.lines("documents_doubtful")
    assert [warning.partition(":")[0] for warning in line["warnings"]] == [
        "/p/rules/a",
        "/p/rules/b",
    ]
    assert line["DocumentWarnings"] == [2]


def test_settings_that_were_never_valid_publish_nothing(world: PublishedWorld) -> None:
    """It is an error of each run, until they are corrected."""
    world.put("settings", "mode: moon")
    with pytest.raises(PublishingError):
        world.publisher().publish(Scope.EVERYTHING)
    assert world.bucket.objects == {}
    (line,) = world.lines("publishing_failed")
    assert line["PublisherErrors"] == [1]
    assert '/p/settings:1: mode: found "moon"' in line["error"]
    world.put("settings", "mode: shadow")
    assert world.publish().settings.mode is Mode.SHADOW


@pytest.mark.parametrize("text", [None, b"", b'{"format": 99}'])
def test_the_serial_grows_when_the_pointer_was_lost(
    world: PublishedWorld, text: bytes | None
) -> None:
    """A command that waits for a greater serial than before does not wait for ever."""
    world.publish()
    for number in range(5):
        world.put("settings", f"cache: {number}")
        before = world.publish()
    world.bucket.change(POINTER_KEY, text)
    world.now += timedelta(seconds=1)
    assert world.publish().serial > before.serial


@pytest.mark.parametrize("text", [b"", b"{", b'{"format": 99}'])
def test_an_unreadable_pointer_is_written_anew(world: PublishedWorld, text: bytes) -> None:
    """From the documents alone, and the journal says what was found."""
    world.put("rules/a", "drop: {}")
    before = world.publish()
    world.bucket.objects[POINTER_KEY] = text
    after = world.publish(Scope.SETTINGS)
    assert after.revision == before.revision
    (line,) = world.lines("object_mended")
    assert line["error"].startswith("current-v1: found ")


@pytest.mark.parametrize("text", [None, b"", b"{}"])
def test_a_missing_or_changed_revision_is_written_anew(
    world: PublishedWorld, text: bytes | None
) -> None:
    """The pointer stays as it is: its revision has the same id."""
    world.put("rules/a", "drop: {}")
    before = world.publish()
    key = revision_key(before.revision)
    if text is None:
        del world.bucket.objects[key]
    else:
        world.bucket.objects[key] = text
    assert world.publish() == before
    assert names(world) == ["a"]
    assert len(world.lines("object_mended")) == 1


def test_an_emptied_bucket_is_filled_again(world: PublishedWorld) -> None:
    """The documents are in SSM: nothing is lost but the forms of refused ones."""
    world.put("rules/a", "drop: {}")
    world.put("rules/b", "accept: {}")
    world.publish()
    world.put("rules/b", "acept: {}")
    world.bucket.objects.clear()
    world.publish(Scope.SETTINGS)
    assert names(world) == ["a"]


def test_a_new_policy_that_is_not_known_yet_is_no_error(world: PublishedWorld) -> None:
    """The first revision of a stack waits for it, and no alarm is raised."""
    refusals = [service_error("AccessDenied", status=403)] * 3

    class Refusing(DirectClient):
        def get_object(self, **arguments: Any) -> dict[str, Any]:
            if refusals:
                raise refusals.pop()
            return self.__getattr__("get_object")(**arguments)

    publisher = world.publisher(bucket=Refusing(world.bucket))
    publisher.publish(Scope.EVERYTHING, refusals=3)
    assert [line["message"] for line in world.lines()] == ["published"]
    refusals += [service_error("AccessDenied", status=403)] * 3
    with pytest.raises(StoreError, match="can't be read \\(AccessDenied\\)"):
        publisher.publish(Scope.EVERYTHING, refusals=2)
    assert len(world.lines("publishing_failed")) == 1


LOST = [
    service_error("PreconditionFailed", status=412),  # the client's own second try
    ReadTimeoutError(endpoint_url="https://rules.s3.eu-west-1.amazonaws.com"),
]


@pytest.mark.parametrize("error", LOST, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("is_moved", [True, False])
def test_a_pointer_that_was_moved_without_an_answer_is_reported(
    world: PublishedWorld, error: Exception, *, is_moved: bool
) -> None:
    """Each revision in force has its line `published`, and no other one has it."""
    world.put("rules/a", "drop: {}")

    class Losing(DirectClient):
        def put_object(self, **arguments: Any) -> dict[str, Any]:
            if is_moved or arguments["Key"] != POINTER_KEY:
                self.__getattr__("put_object")(**arguments)
            if arguments["Key"] == POINTER_KEY:
                raise error
            return {}

    publisher = world.publisher(bucket=Losing(world.bucket))
    if is_moved:
        assert publisher.publish(Scope.EVERYTHING) == world.pointer()
        (line,) = world.lines("published")
        assert line["serial"] == world.pointer().serial
    else:
        with pytest.raises(StoreError):
            publisher.publish(Scope.EVERYTHING)
        assert world.lines("published") == []


def test_the_simulated_bucket_answers_as_moto_does() -> None:
    """Reading and writing, under each condition, whether it holds or not."""
    with embedded_aws():
        theirs = boto3.client("s3")
        theirs.create_bucket(Bucket="rules")
        for client in (theirs, DirectClient(S3Service())):
            store = RevisionStore(client, "rules")
            one, two = Pointer("1" * 64, Settings()), Pointer("2" * 64, Settings())
            assert store.read() == (None, "", "")
            with pytest.raises(RevisionError, match="found no object, expected one"):
                store.revision(NO_RULES.id)
            with pytest.raises(ConflictError):
                store.move(one, '"0"')
            store.move(one, "")
            with pytest.raises(ConflictError, match="s3://rules/current-v1: was moved meanwhile"):
                store.move(two, "")
            found = store.read()
            assert found.pointer == one
            store.move(two, found.etag)
            with pytest.raises(ConflictError):
                store.move(one, found.etag)
            store.keep(NO_RULES)
            store.keep(NO_RULES)
            assert store.revision(NO_RULES.id) == NO_RULES
        with pytest.raises(StoreError, match="s3://none/current-v1: can't be read"):
            RevisionStore(theirs, "none").read()
        with pytest.raises(StoreError, match="can't be written \\(NoSuchBucket\\)"):
            RevisionStore(theirs, "none").keep(NO_RULES)
