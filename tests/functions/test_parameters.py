"""Rules and settings: from files and SSM, cached, last good kept, broken rules replaced alone."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from bouncer.operator_settings import Settings
from bouncer.sources.loaded import Loaded
from bouncer.sources.loader import Loader
from bouncer.sources.parameters import ParameterSource
from bouncer.sources.source import Document, SourceError
from bouncer_cli.rule_files import FileSource
from tests.embedded_aws import embedded_aws

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

PREFIX = "/ses-auto-bouncer/test"


class Ticks:
    """A clock a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ssm() -> "Iterator[SSMClient]":
    """SSM in this process."""
    with embedded_aws():
        yield boto3.client("ssm")


def put(ssm: "SSMClient", name: str, text: str) -> None:
    ssm.put_parameter(Name=f"{PREFIX}/{name}", Value=text, Type="String", Overwrite=True)


def names(loaded: Loaded) -> list[str]:
    return [rule.name for rule in loaded.ruleset.rules]


def test_files_and_parameters_are_the_same_rules(ssm: "SSMClient", tmp_path: Path) -> None:
    """A rule is called after its file or its parameter, and settings come with it."""
    for name, text in (("100-a", "drop: {}"), ("200-b", "accept: {}")):
        (tmp_path / f"{name}.yaml").write_text(text)
        put(ssm, f"rules/{name}", text)
    (tmp_path / "README.md").write_text("no rule")
    settings = tmp_path / "mine"
    settings.write_text("mode: shadow")
    put(ssm, "settings", "mode: shadow")
    loaded = [
        Loader(source, Settings(), now=Ticks()).load()
        for source in (FileSource(tmp_path, settings), ParameterSource(ssm, PREFIX))
    ]
    assert [names(each) for each in loaded] == [["100-a", "200-b"]] * 2
    assert loaded[0].settings == loaded[1].settings


def test_a_change_applies_when_the_cache_is_over(ssm: "SSMClient") -> None:
    """Until then nothing is read; afterwards only what changed is compiled again."""
    ticks = Ticks()
    loader = Loader(ParameterSource(ssm, PREFIX), Settings(cache_s=60), now=ticks)
    put(ssm, "rules/a", "drop: {}")
    first = loader.load()
    put(ssm, "rules/b", "drop: {}")
    ticks.now = 59.0
    assert loader.load() is first
    ticks.now = 61.0
    second = loader.load()
    assert names(second) == ["a", "b"]
    assert second.ruleset.rules[0] is first.ruleset.rules[0]
    ticks.now = 200.0
    assert loader.load() is second


def test_a_rule_broken_later_keeps_its_last_good_form(ssm: "SSMClient") -> None:
    """A bad edit of one rule leaves that rule as it was, and says what is wrong."""
    ticks = Ticks()
    loader = Loader(ParameterSource(ssm, PREFIX), Settings(cache_s=1), now=ticks)
    put(ssm, "rules/a", "accept: {}")
    loader.load()
    put(ssm, "rules/a", "acept: {}")
    ticks.now = 2.0
    loaded = loader.load()
    assert [rule.action for rule in loaded.ruleset.rules] == ["accept"]
    assert f"{PREFIX}/rules/a" in loaded.problems[0]


def test_a_new_environment_finds_the_newest_valid_version(ssm: "SSMClient") -> None:
    """Without memory, history has the last good form; without one, the rule is left out."""
    put(ssm, "rules/a", "drop: {}")
    put(ssm, "rules/a", "accept: {}")
    put(ssm, "rules/a", "acept: {}")
    put(ssm, "rules/b", "dorp: {}")
    put(ssm, "settings", "mode: shadow")
    put(ssm, "settings", "mood: off")
    loaded = Loader(ParameterSource(ssm, PREFIX), Settings(), now=Ticks()).load()
    assert [(rule.name, rule.action) for rule in loaded.ruleset.rules] == [("a", "accept")]
    assert loaded.settings.mode == "shadow"
    assert len(loaded.problems) == 3


def test_a_history_that_cannot_be_read_is_asked_again(ssm: "SSMClient") -> None:
    """A passing failure must not leave an accept rule out for the life of the function."""
    put(ssm, "rules/050-accept", "accept: {}")
    put(ssm, "rules/050-accept", "acept: {}")

    class Stumbling(ParameterSource):
        stumbles = True

        def earlier(self, name: str) -> Iterable[Document]:
            if self.stumbles:
                raise SourceError("throttled")
            return super().earlier(name)

    source = Stumbling(ssm, PREFIX)
    loader = Loader(source, Settings(), now=Ticks())
    with pytest.raises(SourceError, match="throttled"):
        loader.load()
    source.stumbles = False
    assert names(loader.load()) == ["050-accept"]


def test_settings_that_were_never_valid_are_no_settings(ssm: "SSMClient") -> None:
    """Nothing is decided by defaults when the operator's settings can't be understood."""
    put(ssm, "rules/a", "drop: {}")
    put(ssm, "settings", "mood: shadow")
    with pytest.raises(SourceError, match="mood"):
        Loader(ParameterSource(ssm, PREFIX), Settings(), now=Ticks()).load()


def test_the_last_good_set_stays_when_the_source_fails(tmp_path: Path) -> None:
    """It says so, asks again soon, and is itself again when the source is back."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "a.yaml").write_text("drop: {}")
    ticks = Ticks()
    loader = Loader(FileSource(rules), Settings(cache_s=60), now=ticks)
    loader.load()
    rules.rename(tmp_path / "gone")
    ticks.now = 61.0
    stale = loader.load()
    assert stale.stale
    assert names(stale) == ["a"]
    (tmp_path / "gone").rename(rules)
    ticks.now = 80.0
    assert not loader.load().stale


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (
            lambda folder: folder / "none",
            r"--rules: found no folder .*none, expected one with rules",
        ),
        (lambda folder: folder, "found a second rule of this name, expected one"),
    ],
)
def test_what_cannot_be_read_at_all_is_one_sentence(
    tmp_path: Path, prepare: "type[Path]", says: str
) -> None:
    """A missing folder and two files of one name are named."""
    (tmp_path / "a.yaml").write_text("drop: {}")
    (tmp_path / "a.json").write_text('{"drop": {}}')
    with pytest.raises(SourceError, match=says):
        FileSource(prepare(tmp_path)).read()


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A rule file must be UTF-8."""
    (tmp_path / "a.yaml").write_bytes(b"description: \xff")
    with pytest.raises(SourceError, match="UTF-8"):
        FileSource(tmp_path).read()
