"""A push makes all changes, never over another's, and is completed by the next one."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bouncer.publishing.pushing import LONGEST, Pushing, pushing_document, pushing_state
from bouncer.sources.source import PUSHING
from bouncer_cli.doctor.account import UnavailableError
from bouncer_cli.operations.push import ChangedMeanwhileError
from bouncer_cli.operations.pushing_claim import ClaimError
from bouncer_sim.clock import now
from bouncer_sim.world.service_error import service_error
from tests.functions.operations.pushed_world import PREFIX, PushedWorld

FILES = {"rules/a": "drop: {}", "rules/b": "accept: {}", "rules/c": "drop: {}"}
NEW = {**FILES, "rules/a": "accept: {}", "rules/b": "drop: {}"}


@pytest.fixture
def world() -> PushedWorld:
    return PushedWorld()


def test_rules_are_held_while_they_are_written(world: PushedWorld) -> None:
    """The claim is there before the first document and after the last, and then it is gone."""
    for name, text in (("rules/a", "accept: {}"), ("rules/b", "accept: {}"), ("rules/z", "x")):
        world.put(name, text)
    before = len(world.parameters.changes)
    plan = world.plan(FILES, prune=True)
    assert (plan.unchanged, plan.left) == (1, ())
    world.push().run(plan.changes, None)
    names = [change.name.removeprefix("/p/") for change in world.parameters.changes[before:]]
    assert names == ["pushing", "rules/a", "rules/c", "rules/z", "pushing"]
    assert world.texts() == FILES


def test_rules_without_a_file_stay_unless_pruned(world: PushedWorld) -> None:
    """A push says which they are."""
    world.put("rules/z", "accept: {}")
    plan = world.plan(FILES)
    assert plan.left == ("rules/z",)
    world.push().run(plan.changes, None)
    assert world.texts() == {**FILES, "rules/z": "accept: {}"}


def test_two_thousand_rules_keep_within_the_limits(world: PushedWorld) -> None:
    """They take eleven minutes at SSM's 3 writes a second; the claim outlives them all."""
    files = {f"rules/{number:04}": f"description: {number}\ndrop: {{}}" for number in range(2000)}
    begun = world.clock.time()
    plan = world.plan(files)
    push = world.push()
    push.run(plan.changes, None)
    minutes = (world.clock.time() - begun) / 60
    assert world.texts() == files
    assert push.written == 2000
    assert not world.ssm.throttled
    assert 11.0 < minutes < 11.5
    assert world.ssm.calls["get_parameters"] == 224  # nine documents and the claim at a time
    renewals = [each for each in world.parameters.changes if each.name == "/p/pushing"]
    assert len(renewals) == 3  # taken, renewed after ten minutes, given back


def test_throttling_is_waited_for(world: PushedWorld) -> None:
    """Others write as well: SSM throttles, and the push is slower and complete."""
    world.ssm.writes_a_second = 2
    files = {f"rules/{number:02}": "drop: {}" for number in range(60)}
    world.push().run(world.plan(files).changes, None)
    assert world.ssm.throttled["put_parameter"] > 5
    assert world.texts() == files


def test_throttling_without_end_is_an_error(world: PushedWorld) -> None:
    """After some minutes of one call the command says so; what is written stays held."""
    push = world.push()
    plan = world.plan(FILES)

    def throttle(operation: str, arguments: Mapping[str, Any]) -> None:
        if operation == "put_parameter" and arguments["Name"].endswith("/b"):
            raise service_error("ThrottlingException")

    world.ssm.before = throttle
    begun = world.clock.time()
    with pytest.raises(UnavailableError, match="ThrottlingException"):
        push.run(plan.changes, None)
    assert 200 < world.clock.time() - begun < 320
    assert set(world.texts()) == {"rules/a", "pushing"}
    assert list(push.stopped(3)) == [
        "1 of 3 changes are written, and none of them is in force",
        "push again to complete them; until then the rules stay as they are, for 30 minutes",
    ]


@pytest.mark.parametrize("calls", range(1, 9))
def test_a_push_that_is_stopped_anywhere_is_completed_by_the_next(
    world: PushedWorld, calls: int
) -> None:
    """Ctrl-C before any call: the claim stays if a document may be written, and goes if not."""
    for name, text in (("a", "accept: {}"), ("z", "accept: {}")):
        world.put(f"rules/{name}", text)
    plan, claim = world.plan(FILES, prune=True), world.claim()
    push = world.push(claim)
    left = calls

    def interrupt(*_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt

    world.ssm.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        push.run(plan.changes, None)
    world.ssm.before = lambda *_: None
    assert push.begun == (calls > 2)
    assert (PUSHING in world.texts()) == (calls > 2)
    found = world.stored().pushing
    again = world.claim(name="r2")  # the files may have changed since then
    assert len(list(again.expect_free(found))) == (1 if found else 0)
    world.push(again).run(world.plan(FILES, prune=True).changes, found)
    assert world.texts() == FILES


def test_a_stop_after_a_write_that_nobody_heard_of(world: PushedWorld) -> None:
    """Ctrl-C while the claim itself is written: it is deleted, as no document can follow."""

    def interrupt(operation: str, _: object) -> None:
        if operation == "put_parameter":
            raise KeyboardInterrupt

    world.ssm.after = interrupt
    with pytest.raises(KeyboardInterrupt):
        world.push().run(world.plan(FILES).changes, None)
    assert world.texts() == {}


def test_a_claim_that_cannot_be_given_back_is_said(world: PushedWorld) -> None:
    """Without the permission to read it nobody may delete it: it may be another's."""
    push = world.push()

    def refuse(operation: str, _: object) -> None:
        if operation == "get_parameters":
            raise service_error("AccessDeniedException")

    world.ssm.before = refuse
    with pytest.raises(UnavailableError, match="AccessDenied"):
        push.run(world.plan(FILES).changes, None)
    assert set(world.texts()) == {PUSHING}
    (said,) = push.stopped(3)
    assert said == (
        "no rule or list was changed, but /p/pushing is still there: push again, or run aws ssm "
        "delete-parameter --name /p/pushing"
    )


def test_another_push_is_refused(world: PushedWorld) -> None:
    """By whom, since when, and what to do if nobody will end it."""
    world.put(PUSHING, pushing_document(Pushing("r9", "bob", now(world.clock) + LONGEST)))
    with pytest.raises(ClaimError) as refused:
        list(world.claim().expect_free(world.stored().pushing))
    assert str(refused.value) == (
        "/p/pushing: found a push by bob, at work at 2026-11-27 08:00 UTC, expected none: wait "
        "until it ends, at the latest 30 minutes after that; if it was given up, run aws ssm "
        "delete-parameter --name /p/pushing"
    )


@pytest.mark.parametrize(
    ("name", "by", "caller", "free"),
    [
        ("r1", "bob", "ann", True),  # the same rules
        ("r9", "ann", "ann", True),
        ("r9", "bob", "ann", False),
        ("r9", "", "", False),  # nobody knows who either is
    ],
)
def test_a_push_of_ours_or_of_the_same_rules_goes_on(
    world: PushedWorld, name: str, by: str, caller: str, free: bool
) -> None:
    """Its claim is taken over; any other one is only when its time is over."""
    world.put(PUSHING, pushing_document(Pushing(name, by, now(world.clock) + LONGEST)))
    claim = world.claim(by=caller)
    if not free:
        with pytest.raises(ClaimError):
            list(claim.expect_free(world.stored().pushing))
        world.clock.sleep(LONGEST.total_seconds())
    found = world.stored().pushing
    assert len(list(claim.expect_free(found))) == 1
    world.push(claim).run(world.plan(FILES).changes, found)
    assert world.texts() == FILES


@pytest.mark.parametrize("text", ["half of", "{}", '{"id": 1, "expires": "now"}'])
def test_a_claim_that_nobody_can_read_holds_for_its_time(world: PushedWorld, text: str) -> None:
    """It may be another's push; after 30 minutes it is taken over."""
    world.put(PUSHING, text)
    with pytest.raises(ClaimError, match="a push by somebody"):
        list(world.claim().expect_free(world.stored().pushing))
    world.clock.sleep(LONGEST.total_seconds())
    found = world.stored().pushing
    claim = world.claim()
    assert list(claim.expect_free(found))
    world.push(claim).run(world.plan(FILES).changes, found)
    assert world.texts() == FILES


@pytest.mark.parametrize("there", [True, False])
def test_of_two_pushes_that_begin_at_once_one_is_refused(world: PushedWorld, there: bool) -> None:
    """Both found no claim, or the same old one; the other one's is written first."""
    if there:
        world.put(PUSHING, "old")
        world.clock.sleep(LONGEST.total_seconds())
    plan, found = world.plan(FILES), world.stored().pushing
    text = pushing_document(Pushing("r9", "bob", now(world.clock) + LONGEST))
    others = [text]

    def other(operation: str, _: object) -> None:
        if operation == "put_parameter" and others:
            world.put(PUSHING, others.pop(), "bob")

    world.ssm.before = other
    with pytest.raises(ClaimError, match="changed or deleted meanwhile"):
        world.push().run(plan.changes, found)
    assert set(world.texts()) == {PUSHING}


@pytest.mark.parametrize("gone", [True, False])
def test_a_claim_that_is_taken_away_stops_the_push(world: PushedWorld, gone: bool) -> None:
    """Nothing more is written, as the other one's documents would be mixed with ours."""
    files = {f"rules/{number:02}": "drop: {}" for number in range(20)}
    plan, push = world.plan(files), world.push()

    def take(operation: str, arguments: Mapping[str, Any]) -> None:
        if operation == "put_parameter" and arguments["Name"] == "/p/rules/04":
            if gone:
                world.parameters.delete("/p/pushing")
            else:
                world.put(PUSHING, "{}", "bob")

    world.ssm.before = take
    with pytest.raises(ClaimError, match="changed or deleted meanwhile"):
        push.run(plan.changes, None)
    assert push.written == 9
    assert len(world.texts()) == (9 if gone else 10)


def test_a_document_changed_since_it_was_shown_is_not_overwritten(world: PushedWorld) -> None:
    """All of them are named, with who changed them; nothing is written."""
    for name, text in FILES.items():
        world.put(name, text)
    plan = world.plan({**NEW, "rules/d": "accept: {}"})
    world.put("rules/a", "mode: off\ndrop: {}", "bob")
    world.put("rules/d", "mode: off\ndrop: {}", "eve")
    push = world.push()
    with pytest.raises(ChangedMeanwhileError) as found:
        push.run(plan.changes, None)
    assert str(found.value).splitlines() == [
        "/p/rules/a: found a change by bob since it was compared, expected version 1",
        "/p/rules/d: found a change by eve since it was compared, expected no such parameter",
    ]
    assert list(push.stopped(3)) == ["nothing was changed"]
    assert PUSHING not in world.texts()
    assert world.texts()["rules/a"] == "mode: off\ndrop: {}"


def test_a_document_changed_to_what_is_pushed_counts_as_written(world: PushedWorld) -> None:
    """Somebody put the same text by hand, or removed what is to be removed."""
    world.put("rules/z", "x")
    plan = world.plan(FILES, prune=True)
    world.put("rules/b", FILES["rules/b"])
    world.parameters.delete("/p/rules/z")
    push = world.push()
    push.run(plan.changes, None)
    assert (push.written, push.remarks) == (4, [])
    assert world.texts() == FILES


def test_a_change_at_the_same_moment_is_reported(world: PushedWorld) -> None:
    """PutParameter has no condition: between reading and writing somebody may write, too."""
    for name, text in FILES.items():
        world.put(name, text)
    plan, push = world.plan(NEW), world.push()

    def other(operation: str, arguments: Mapping[str, Any]) -> None:
        if operation == "put_parameter" and arguments["Name"] == "/p/rules/b":
            world.put("rules/b", "mode: off\ndrop: {}", "bob")

    world.ssm.before = other
    push.run(plan.changes, None)
    assert world.texts() == NEW
    (remark,) = push.remarks
    assert remark == (
        "/p/rules/b: version 2 by bob was written at the same moment, and this push wrote over it; "
        "its text is in aws ssm get-parameter-history --name /p/rules/b"
    )


def test_a_new_document_at_the_same_moment_is_not_overwritten(world: PushedWorld) -> None:
    """A parameter that did not exist is created, never overwritten."""
    plan, push = world.plan(FILES), world.push()

    def other(operation: str, arguments: Mapping[str, Any]) -> None:
        if operation == "put_parameter" and arguments["Name"] == "/p/rules/b":
            world.put("rules/b", "mode: off\ndrop: {}", "bob")

    world.ssm.before = other
    with pytest.raises(ChangedMeanwhileError, match="rules/b: found a change by bob"):
        push.run(plan.changes, None)
    assert (push.written, push.begun) == (1, True)


@pytest.mark.parametrize("lost", ["pushing", "rules/a", "rules/c"])
def test_a_write_whose_answer_is_lost_is_made_once(world: PushedWorld, lost: str) -> None:
    """The SDK repeats it; the second one finds its own text, and nobody is blamed."""
    world.put("rules/a", "accept: {}")
    plan, push = world.plan(FILES), world.push()
    repeated: list[str] = []

    def repeat(operation: str, arguments: Mapping[str, Any]) -> None:
        parameter = f"{PREFIX}/{lost}"
        if operation == "put_parameter" and arguments["Name"] == parameter and not repeated:
            repeated.append(lost)
            world.put(lost, arguments["Value"], "caller")

    world.ssm.before = repeat
    push.run(plan.changes, None)
    assert (push.remarks, repeated) == ([], [lost])
    assert world.texts() == FILES


def test_without_the_history_somebody_is_named(world: PushedWorld) -> None:
    """The permission to read it may be missing."""
    for name, text in FILES.items():
        world.put(name, text)
    plan, push = world.plan(NEW), world.push()

    def other(operation: str, arguments: Mapping[str, Any]) -> None:
        if operation == "get_parameter_history":
            raise service_error("AccessDeniedException")
        if operation == "put_parameter" and arguments["Name"] == "/p/rules/b":
            world.put("rules/b", "mode: off\ndrop: {}", "bob")

    world.ssm.before = other
    push.run(plan.changes, None)
    (remark,) = push.remarks
    assert remark.startswith("/p/rules/b: version 2 by somebody was written at the same moment")
    world.put("rules/b", "x")
    plan = world.plan(NEW)
    world.put("rules/b", "y")
    with pytest.raises(ChangedMeanwhileError, match="found a change by somebody"):
        world.push().run(plan.changes, None)


def test_a_slow_push_holds_the_rules_all_the_time(world: PushedWorld) -> None:
    """At every write the publisher would see a push that is under way, however long it takes."""
    world.ssm.call_s = 20
    files = {f"rules/{number:03}": "drop: {}" for number in range(200)}
    plan, push = world.plan(files), world.push()
    held: list[bool] = []

    def look(operation: str, _: object) -> None:
        if operation == "put_parameter" and "pushing" in world.texts():
            (found,) = world.parameters.get_parameters({"Names": ["/p/pushing"]})["Parameters"]
            expires = json.loads(found["Value"])["expires"]
            held.append(now(world.clock).isoformat() < expires)

    world.ssm.before = look
    push.run(plan.changes, None)
    assert len(held) > 200
    assert all(held)
    assert pushing_state(world.stored().pushing, now(world.clock)) == (False, ())
