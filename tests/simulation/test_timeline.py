"""Tasks on simulated time take turns in one order, and end where they wait."""

import pytest

from bouncer_sim.world.timeline import EndOfTask, Task, Timeline


def test_tasks_take_turns_by_time() -> None:
    """Two tasks that sleep are interleaved at each sleep."""
    timeline, seen = Timeline(0.0), list[tuple[str, float]]()

    def task(name: str, pause_s: float) -> None:
        for _ in range(3):
            timeline.sleep(pause_s)
            seen.append((name, timeline.now))

    timeline.spawn(lambda: task("a", 2.0))
    timeline.spawn(lambda: task("b", 3.0))
    timeline.run(until=100.0)
    assert [name for name, _ in seen] == ["a", "b", "a", "b", "a", "b"]
    assert [at for _, at in seen] == pytest.approx([2, 3, 4, 6, 6, 9], abs=1e-5)


def test_a_parked_task_goes_on_when_it_is_woken_and_only_once() -> None:
    """A wake-up ends the wait; the time-out of that wait then does nothing."""
    timeline, seen = Timeline(0.0), list[float]()
    tasks: list[Task] = []

    def waits() -> None:
        tasks.append(timeline.current)
        timeline.park(wake_at=50.0)
        seen.append(timeline.now)
        timeline.sleep(100.0)
        seen.append(timeline.now)

    timeline.spawn(waits)
    timeline.at(10.0, lambda: timeline.wake(tasks[0]))
    timeline.run(until=1_000.0)
    assert seen == pytest.approx([10.0, 110.0])


def test_a_task_that_is_ended_runs_no_further() -> None:
    """Not even code that catches every `Exception` goes on; what cleans up may still run."""
    timeline, seen = Timeline(0.0), list[str]()

    def stubborn() -> None:
        try:
            timeline.sleep(10.0)
        except Exception:  # noqa: BLE001  # as a careless function would
            seen.append("caught")
        finally:
            seen.append("cleaned up")

    task = timeline.spawn(stubborn)
    timeline.at(5.0, task.end)
    timeline.run(until=100.0)
    assert seen == ["cleaned up"]
    assert not task.alive


def test_the_end_of_a_run_ends_all_tasks() -> None:
    """Nothing of a run is left when it is over."""
    timeline, seen = Timeline(0.0), list[type[BaseException]]()

    def endless() -> None:
        try:
            while True:
                timeline.sleep(1.0)
        except EndOfTask as end:
            seen.append(type(end))
            raise

    timeline.spawn(endless)
    timeline.run(until=10.0)
    assert seen == [EndOfTask]
    assert timeline.now <= 10.0
