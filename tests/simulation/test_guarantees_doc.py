"""docs/guarantees.md names every law, story and planted mistake, and nothing else."""

import re
from inspect import getdoc
from pathlib import Path

from bouncer_sim.world.laws import LAWS
from bouncer_sim.world.mutants import MUTANTS

ROOT = Path(__file__).parents[2]
PAGE = " ".join((ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8").split())
STORIES = (Path(__file__).parent / "test_stories.py").read_text(encoding="utf-8")


def test_every_law_is_a_promise_and_every_promise_a_law() -> None:
    """Each promise is the first sentence of its law, word for word."""
    promised = re.findall(r"- \*\*([^*]+)\*\* Law `(\w+)`", PAGE)
    laws = [(" ".join((getdoc(law) or "").split("\n\n")[0].split()), law.__name__) for law in LAWS]
    assert sorted(promised) == sorted(laws)


def test_every_story_is_named() -> None:
    """A story stands with the law that it once broke."""
    assert set(re.findall(r"`(test_\w+)`", PAGE)) == set(re.findall(r"def (test_\w+)", STORIES))


def test_every_planted_mistake_stands_with_the_laws_that_find_it() -> None:
    """A mistake is named once for each of its laws, and only there."""
    entries = PAGE.split("Law `")[1:]
    named = {
        (mistake, entry.split("`")[0])
        for entry in entries
        for mistake in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", entry.partition("Planted")[2])
    }
    assert named == {(mutant.name, law) for mutant in MUTANTS for law in mutant.laws}
