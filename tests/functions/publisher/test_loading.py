"""Intake and worker load what the publisher put in force, and keep the last good."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

from bouncer.publishing.occasion import Scope
from bouncer.publishing.revision_store import RevisionStore, StoreError
from bouncer.rules.bounce_limit import BounceLimit
from bouncer.rules.rule import Mode
from bouncer.settings_reader import overlaid
from bouncer.sources.bucket_source import BucketSource
from bouncer.sources.loaded import Loaded
from bouncer.sources.pointer import POINTER_KEY, pointer_text
from bouncer.sources.revision import revision_key
from bouncer.sources.revision_loader import PointerLoader, RevisionLoader
from bouncer.sources.source import SourceError
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.service_error import service_error
from tests.functions.publisher.published_world import PublishedWorld

CACHE_S = 60
RETRY_S = 15


class BrokenBody:
    """The body of an answer whose connection ends before it."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self) -> bytes:
        raise self._error


class Reading(PublishedWorld):
    """A function beside the publisher; `asked` has the keys of its calls.

    `fails` is raised by each call, `breaks` by reading what a call returned.
    """

    def __init__(self, kind: type[PointerLoader] = RevisionLoader) -> None:
        super().__init__()
        self.ticks = 0.0
        self.asked: list[str] = []
        self.fails: Exception | None = None
        self.breaks: Exception | None = None
        self.loader = kind(BucketSource(self, "rules"), now=lambda: self.ticks)

    @property
    def get_object(self) -> Callable[..., dict[str, Any]]:
        def call(**arguments: Any) -> dict[str, Any]:
            self.asked.append(arguments["Key"])
            if self.fails:
                raise self.fails
            answer = DirectClient(self.bucket).__getattr__("get_object")(**arguments)
            return answer | {"Body": BrokenBody(self.breaks)} if self.breaks else answer

        return call

    def load(self, *, after_s: float = CACHE_S) -> Loaded:
        """Return what is in force after so many seconds."""
        self.ticks += after_s
        return self.loader.load()


@pytest.fixture
def world() -> Reading:
    found = Reading()
    found.put("rules/a", "drop: {}")
    found.publish()
    return found


def names(loaded: Loaded) -> list[str]:
    return [rule.name for rule in loaded.ruleset.rules]


def test_what_was_published_is_in_force(world: Reading) -> None:
    """Rules, settings and what holds sending, under the revision's name."""
    world.put("settings", "mode: shadow\nsending: paused")
    published = world.publish()
    loaded = world.load()
    assert (names(loaded), loaded.settings) == (["a"], published.settings)
    assert loaded.revision == published.revision
    assert loaded.sending_held
    assert [cause.by for cause in loaded.causes] == ["the settings"]


def test_one_small_request_in_cache_seconds(world: Reading) -> None:
    """Two for the first mail; then the pointer alone, and a revision only when it changed."""
    world.load()
    assert world.asked == [POINTER_KEY, revision_key(world.pointer().revision)]
    world.asked.clear()
    first = world.load(after_s=CACHE_S - 1)
    assert world.asked == []
    assert world.load(after_s=1) is first
    world.put("settings", "mode: 'off'")
    world.publish(Scope.SETTINGS)
    changed = world.load()
    assert changed.settings.mode is Mode.OFF
    assert changed.ruleset is first.ruleset
    assert world.asked == [POINTER_KEY] * 2
    world.put("rules/b", "accept: {}")
    world.publish()
    assert names(world.load()) == ["a", "b"]
    assert world.asked == [*[POINTER_KEY] * 3, revision_key(world.pointer().revision)]


def test_the_pointers_own_cache_counts(world: Reading) -> None:
    """An operator who sets `cache` sets how soon a change is in force."""
    world.put("settings", "cache: 5")
    world.publish()
    world.load()
    world.put("settings", "cache: 5\nmode: shadow")
    world.publish()
    assert world.load(after_s=4.9).settings.mode is Mode.ENFORCE
    assert world.load(after_s=0.1).settings.mode is Mode.SHADOW


def test_the_worker_reads_the_pointer_alone() -> None:
    """It needs no rules, and may not read them."""
    world = Reading(PointerLoader)
    world.put("rules/a", "drop: {}")
    world.put("settings", "rate: 0.5")
    world.publish()
    loaded = world.load()
    assert (loaded.settings.rate, names(loaded)) == (0.5, [])
    assert world.asked == [POINTER_KEY]


def test_no_pointer_changes_the_senders() -> None:
    """They are those of the deployment, also while the pointer can't be read."""
    world = Reading(PointerLoader)
    world.publish()
    senders = frozenset({"bounces@example.com"})
    source = BucketSource(world, "rules")
    loader = PointerLoader(source, now=lambda: world.ticks, senders=senders)
    assert loader.load().settings.senders == senders
    world.ticks, world.fails = CACHE_S, FAILURES[0]
    assert loader.load().settings.senders == senders


FAILURES = [
    service_error("AccessDenied", status=403),
    service_error("NoSuchKey", status=404),
    service_error("SlowDown", status=503),
    ReadTimeoutError(endpoint_url="https://rules.s3.eu-west-1.amazonaws.com"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda each: str(each)[:60])
def test_the_last_good_stays_in_force(world: Reading, failure: Exception) -> None:
    """It is asked for again after 15 seconds, and is stale until an answer comes."""
    good = world.load()
    world.fails = failure
    stale = world.load()
    assert stale.stale
    assert (names(stale), stale.settings) == (names(good), good.settings)
    (problem,) = stale.problems
    assert problem.startswith("s3://rules/current-v1: ")
    world.fails = None
    assert world.load(after_s=RETRY_S - 1).stale
    assert not world.load(after_s=1).stale


BREAKS = [
    ReadTimeoutError(endpoint_url="https://rules.s3.eu-west-1.amazonaws.com"),
    ResponseStreamingError(error="Connection broken"),
    IncompleteReadError(actual_bytes=1, expected_bytes=2),
]


@pytest.mark.parametrize("kind", [PointerLoader, RevisionLoader])
@pytest.mark.parametrize("error", BREAKS, ids=lambda each: type(each).__name__)
def test_a_body_that_breaks_off_is_a_failure_too(
    kind: type[PointerLoader], error: Exception
) -> None:
    """boto3 raises it only when the body is read; the last good stays in force."""
    world = Reading(kind)
    world.put("settings", "rate: 0.5")
    world.publish()
    good = world.load()
    world.put("settings", "rate: 0.6")
    world.publish()
    world.breaks = error
    stale = world.load()
    assert (stale.stale, stale.settings) == (True, good.settings)
    assert stale.problems == (f"s3://rules/current-v1: can't be read ({type(error).__name__})",)
    world.breaks = None
    assert world.load(after_s=RETRY_S).settings.rate == 0.6


@pytest.mark.parametrize("error", BREAKS, ids=lambda each: type(each).__name__)
def test_a_body_that_breaks_off_is_an_error_of_the_bucket(world: Reading, error: Exception) -> None:
    """The publisher's store names the object, as for a call that fails."""

    class Breaking(DirectClient):
        @property
        def get_object(self) -> Callable[..., dict[str, Any]]:
            return world.get_object

    world.breaks = error
    with pytest.raises(StoreError, match=r"s3://rules/current-v1: can't be read \([IR]"):
        RevisionStore(Breaking(world.bucket), "rules").read()


@pytest.mark.parametrize("failure", FAILURES, ids=lambda each: str(each)[:60])
def test_with_nothing_at_all_nothing_is_decided(world: Reading, failure: Exception) -> None:
    """The intake lets mail go on then, and the worker hands its jobs back."""
    world.fails = failure
    with pytest.raises(SourceError, match="s3://rules/current-v1: "):
        world.load()
    world.fails = None
    assert names(world.load(after_s=0)) == ["a"]


def test_a_missing_pointer_is_named_with_both_causes(world: Reading) -> None:
    """S3 answers 403 for it to whoever may not list the bucket."""
    world.fails = FAILURES[0]
    with pytest.raises(SourceError) as raised:
        world.load()
    assert str(raised.value) == (
        "s3://rules/current-v1: found no object that may be read (AccessDenied): allow "
        "s3:GetObject on it (and kms:Decrypt, with kms_key), or run bouncer doctor if it is missing"
    )


@pytest.mark.parametrize("text", [b"", b'{"format": 2}', b'{"format": 1}'])
def test_a_pointer_that_cannot_be_read_changes_nothing(world: Reading, text: bytes) -> None:
    """One of a newer version, or half of one."""
    world.load()
    world.bucket.objects[POINTER_KEY] = text
    stale = world.load()
    assert stale.stale
    assert names(stale) == ["a"]
    assert stale.problems[0].startswith("s3://rules/current-v1: found ")


@pytest.mark.parametrize("text", [None, b"", b"[]"])
def test_the_kill_switch_needs_no_revision(world: Reading, text: bytes | None) -> None:
    """Settings of a new pointer are in force although its revision is missing or changed."""
    world.load()
    world.put("rules/a", "accept: {}")
    world.put("settings", "mode: 'off'")
    world.publish()
    key = revision_key(world.pointer().revision)
    revision = world.bucket.objects.pop(key)
    if text is not None:
        world.bucket.objects[key] = text
    stale = world.load()
    assert stale.stale
    assert stale.settings.mode is Mode.OFF
    assert [rule.action for rule in stale.ruleset.rules] == ["drop"]
    world.bucket.objects[key] = revision
    mended = world.load(after_s=RETRY_S)
    assert not mended.stale
    assert [rule.action for rule in mended.ruleset.rules] == ["accept"]


def test_a_pointer_that_is_put_back_is_in_force_again(world: Reading) -> None:
    """Also one whose ETag is known, after a pointer whose revision could not be read."""
    world.load()
    before = world.bucket.objects[POINTER_KEY]
    broken = world.pointer()._replace(revision="0" * 64, serial=9)
    settings = broken.settings
    broken = broken._replace(settings=overlaid(settings, "mode: 'off'"))
    world.bucket.objects[POINTER_KEY] = pointer_text(broken).encode()
    assert world.load().settings.mode is Mode.OFF
    world.bucket.objects[POINTER_KEY] = before
    assert world.load(after_s=RETRY_S).settings.mode is Mode.ENFORCE


def test_a_braked_rule_is_only_recorded(world: Reading) -> None:
    """As in mode shadow, until the pointer no longer names it; a rule in mode off stays off."""
    world.put("rules/b", "mode: 'off'\ndrop: {}")
    pointer = world.publish()
    world.load()
    braked = pointer._replace(braked=("a", "b"), serial=7)
    world.bucket.objects[POINTER_KEY] = pointer_text(braked).encode()
    assert [(rule.name, rule.mode) for rule in world.load().ruleset.rules] == [("a", "shadow")]
    released = braked._replace(braked=(), serial=8)
    world.bucket.objects[POINTER_KEY] = pointer_text(released).encode()
    assert [rule.mode for rule in world.load().ruleset.rules] == ["enforce"]


def test_a_braked_rule_stops_no_mail_though_the_revision_is_missing(world: Reading) -> None:
    """The last rules act as the new pointer says, and again when it says that one is released."""
    first = world.publish()
    world.load()
    missing = first._replace(revision="0" * 64, braked=("a",), limits={"a": BounceLimit(9, 3600)})
    world.bucket.objects[POINTER_KEY] = pointer_text(missing._replace(serial=7)).encode()
    stale = world.load()
    assert [(rule.name, rule.mode) for rule in stale.ruleset.rules] == [("a", "shadow")]
    assert (stale.stale, stale.revision) == (True, first.revision)
    assert (stale.braked, stale.limits) == (missing.braked, missing.limits)
    released = missing._replace(braked=(), serial=8)
    world.bucket.objects[POINTER_KEY] = pointer_text(released).encode()
    assert [rule.mode for rule in world.load(after_s=RETRY_S).ruleset.rules] == ["enforce"]


@pytest.mark.parametrize("kind", [PointerLoader, RevisionLoader])
@pytest.mark.parametrize(
    ("rule", "braked", "in_use_s"),
    [
        ("at_most: {bounces: 9, per: 1h}\nreject: {type: DoesNotExist}", False, 60),
        ("reject: {type: DoesNotExist}", False, 86_400),
        ("reject: {type: DoesNotExist}", True, 60),
    ],
)
def test_a_brake_is_known_within_a_minute(
    kind: type[PointerLoader], rule: str, braked: bool, in_use_s: int
) -> None:
    """However long `cache` is: a tripped rule stops mail until its brake is known."""
    world = Reading(kind)
    world.put("rules/a", rule)
    world.put("settings", "cache: 86400")
    world.ledger.rules = {"a"} if braked else set()
    world.publish()
    world.load()
    for _ in range(2):  # after a new pointer, and after one that did not change
        world.asked.clear()
        world.load(after_s=in_use_s - 1)
        assert world.asked == []
        world.load(after_s=1)
        assert world.asked == [POINTER_KEY]


def test_12_hours_of_held_are_counted_from_the_pointer(world: Reading) -> None:
    """The intake lets mail go on then, by the time at which the cause began."""
    world.put("held", '{"since": "2026-11-27T08:00:00+00:00", "by": "ann"}')
    world.publish()
    loaded = world.load()
    assert not loaded.goes_on(world.now + timedelta(hours=11))
    assert loaded.goes_on(world.now + timedelta(hours=12))
