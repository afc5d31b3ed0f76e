"""A flood is answered for all of its jobs, and others hardly wait for it."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from bouncer.sending import gate
from bouncer.sending.counters import Capped
from bouncer_sim.world.flood_figures import FLOOD, OTHERS, flood, one_domain, several_domains
from bouncer_sim.world.flood_tally import SENT
from bouncer_sim.world.intake_load import intake_load


@pytest.mark.threat
def test_others_wait_a_quarter_of_an_hour_and_every_job_is_reported() -> None:
    """The flood is capped once its jobs are 15 minutes old, and no sooner."""
    found = flood(0.1, 1_500.0)
    assert found.reported == found.queued.total() == 15_025
    assert found.ended(OTHERS, SENT) == 25
    assert 900 < found.longest_wait_s(OTHERS) < 1_500
    assert found.expired(FLOOD) == 0
    assert found.ended(FLOOD, SENT) + found.ended(FLOOD, "capped") == 15_000
    assert found.lasted_s < 2_700


def test_without_caps_others_wait_behind_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures show what the caps are for."""
    monkeypatch.setattr(gate, "capped", lambda *_, **__: Capped())
    found = flood(0.5, 1_500.0)
    assert found.ended(FLOOD, SENT) == 3_000
    assert found.lasted_s > 3_000


@pytest.mark.parametrize("measure", [partial(one_domain, 0.002), partial(several_domains, 3, 0.01)])
def test_the_figures_name_what_is_promised(measure: Callable[[], Iterator[str]]) -> None:
    """A title, and below it what happened to others and to the flood."""
    title, *figures = measure()
    assert title.startswith("two rejected mails a second from")
    assert all(line.startswith("  ") for line in figures)
    assert figures[-1].endswith("(equal)")
    queued, reported = (int(word.strip(",")) for word in figures[-1].split() if word[0].isdigit())
    assert queued == reported > 300


def test_the_intake_keeps_its_memory_under_load() -> None:
    """Half of the mails are bounced, at 500 a second, and nothing of them is kept."""
    found = intake_load(2.0)
    assert (found.mails, found.queued) == (1_000, 500)
    assert found.late_mb - found.early_mb < 5
    assert found.cpu_s < found.lasted_s
    assert [line.partition(":")[0].strip() for line in found.lines()] == [
        "intake in this process",
        "rate",
        "intake CPU per mail",
        "memory",
    ]
