"""Rules and settings: from files and SSM, cached, last good kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from bouncer.operator_settings import Settings
from bouncer.sources.loaded import Loaded
from bouncer.sources.parameters import ParameterSource
from bouncer.sources.source import SourceError
from bouncer_cli.rule_files import FileSource
from bouncer_sim.document_bucket import document_loader
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
        document_loader(source, Settings(), now=Ticks()).load()
        for source in (FileSource(tmp_path, settings), ParameterSource(ssm, PREFIX))
    ]
    assert [names(each) for each in loaded] == [["100-a", "200-b"]] * 2
    assert loaded[0].settings == loaded[1].settings


def test_a_change_applies_when_the_cache_is_over(ssm: "SSMClient") -> None:
    """Until then nothing is read; the same documents are not compiled again."""
    ticks = Ticks()
    loader = document_loader(ParameterSource(ssm, PREFIX), Settings(cache_s=60), now=ticks)
    put(ssm, "rules/a", "drop: {}")
    first = loader.load()
    put(ssm, "rules/b", "drop: {}")
    ticks.now = 59.0
    assert loader.load() is first
    ticks.now = 61.0
    second = loader.load()
    assert names(second) == ["a", "b"]
    ticks.now = 200.0
    assert loader.load() is second


def test_settings_that_were_never_valid_are_no_settings(ssm: "SSMClient") -> None:
    """Nothing is decided by defaults when the operator's settings can't be understood."""
    put(ssm, "rules/a", "drop: {}")
    put(ssm, "settings", "mood: shadow")
    with pytest.raises(SourceError, match="mood"):
        document_loader(ParameterSource(ssm, PREFIX), Settings(), now=Ticks()).load()


def test_the_last_good_set_stays_when_the_source_fails(tmp_path: Path) -> None:
    """It says so, asks again soon, and is itself again when the source is back."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "a.yaml").write_text("drop: {}")
    ticks = Ticks()
    loader = document_loader(FileSource(rules), Settings(cache_s=60), now=ticks)
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
