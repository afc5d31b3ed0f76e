"""Sending is held by a document: read with the others, and held even if it can't be read."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from bouncer.held_document import held_document
from bouncer.operator_settings import Settings
from bouncer.sources.loaded import Loaded
from bouncer.sources.parameters import ParameterSource, SettingsSource
from bouncer.sources.source import SourceError
from bouncer_sim.document_bucket import document_loader, load_documents
from tests.embedded_aws import embedded_aws

PREFIX = "/ses-auto-bouncer/test"
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
TEXT = held_document(since=NOW, by="ann", why="a bad rule")
PAUSED = Settings(sending=False)

Kind = Callable[[Any, str], ParameterSource | SettingsSource]
BOTH = pytest.mark.parametrize("kind", [ParameterSource, SettingsSource])


class CountingSsm:
    """A client of SSM that counts what it is asked."""

    def __init__(self) -> None:
        self.client: Any = boto3.client("ssm")
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self.client, name)

    def put(self, name: str, text: str, kind: str = "String") -> None:
        self.client.put_parameter(Name=f"{PREFIX}/{name}", Value=text, Type=kind, Overwrite=True)

    def delete(self, name: str) -> None:
        self.client.delete_parameter(Name=f"{PREFIX}/{name}")


@pytest.fixture
def ssm() -> Iterator[CountingSsm]:
    """SSM in this process."""
    with embedded_aws():
        yield CountingSsm()


def load(kind: Kind, ssm: CountingSsm, defaults: Settings | None = None) -> Loaded:
    return load_documents(kind(ssm, PREFIX), defaults or Settings())


@BOTH
def test_without_a_cause_bounces_are_sent(kind: Kind, ssm: CountingSsm) -> None:
    """Nothing is reported where the document does not exist."""
    loaded = load(kind, ssm)
    assert (loaded.held, loaded.sending_held, loaded.problems) == (None, False, ())
    assert not loaded.goes_on(NOW)


@BOTH
def test_the_document_holds_sending(kind: Kind, ssm: CountingSsm) -> None:
    """Both functions read it in the one call that they make anyway."""
    ssm.put("held", TEXT)
    ssm.put("settings", "cache: 60")
    loaded = load(kind, ssm)
    assert loaded.held
    assert str(loaded.held) == "sending is held since 2026-11-27 08:00 UTC by ann (a bad rule)"
    assert loaded.sending_held
    assert not loaded.goes_on(NOW + timedelta(hours=11, minutes=59))
    assert loaded.goes_on(NOW + timedelta(hours=12))
    assert len(ssm.asked) == 1


@BOTH
@pytest.mark.parametrize(
    ("text", "kind_of_parameter"), [("since: soon", "String"), (TEXT, "SecureString")]
)
def test_a_document_that_cannot_be_read_holds_too(
    kind: Kind, ssm: CountingSsm, text: str, kind_of_parameter: str
) -> None:
    """No bounce is sent, the problem is reported, and the 12 hours begin when it was written."""
    ssm.put("held", text, kind_of_parameter)
    loaded = load(kind, ssm)
    assert loaded.sending_held
    assert f"{PREFIX}/held" in loaded.problems[0]
    assert not loaded.goes_on(datetime.now(UTC))
    assert loaded.goes_on(datetime.now(UTC) + timedelta(hours=12))


@BOTH
def test_paused_settings_hold_since_they_were_written(kind: Kind, ssm: CountingSsm) -> None:
    """SSM knows when; so they are one state with `bouncer pause`."""
    ssm.put("settings", "sending: paused")
    loaded = load(kind, ssm)
    assert loaded.sending_held
    assert loaded.held
    assert loaded.held.document == f"{PREFIX}/settings"
    assert not loaded.goes_on(datetime.now(UTC))
    assert loaded.goes_on(datetime.now(UTC) + timedelta(hours=12))


@BOTH
@pytest.mark.parametrize("document", [None, "cache: 60", "sending: paused"])
def test_a_deployment_that_is_paused_has_no_start(
    kind: Kind, ssm: CountingSsm, document: str | None
) -> None:
    """Nobody knows when it was deployed so: mail goes on, rather than waiting for nothing."""
    if document:
        ssm.put("settings", document)
    loaded = load(kind, ssm, PAUSED)
    assert loaded.sending_held
    assert loaded.goes_on(datetime.now(UTC))


@BOTH
def test_settings_may_resume_a_paused_deployment(kind: Kind, ssm: CountingSsm) -> None:
    """The document stands over the deployment's own settings, here as everywhere."""
    ssm.put("settings", "sending: on")
    assert not load(kind, ssm, PAUSED).sending_held


@BOTH
def test_the_cause_that_began_first_counts(kind: Kind, ssm: CountingSsm) -> None:
    """Pausing by both does not begin the 12 hours anew; both must go before bounces are sent."""
    ssm.put("held", TEXT)
    ssm.put("settings", "sending: paused")
    loaded = load(kind, ssm)
    assert loaded.held
    assert loaded.held.by == "ann"
    assert len(loaded.causes) == 2
    ssm.delete("held")
    assert load(kind, ssm).sending_held


@BOTH
def test_invalid_settings_keep_their_pause(kind: Kind, ssm: CountingSsm) -> None:
    """The version in force says since when, not the one that was refused."""
    ssm.put("settings", "sending: paused")
    loader = document_loader(kind(ssm, PREFIX), Settings(cache_s=0), now=lambda: 0.0)
    held = loader.load().held
    ssm.put("settings", "sendign: paused")
    assert held
    assert loader.load().held == held


def test_a_source_that_fails_later_stays_held() -> None:
    """The documents read last stay in force, the hold included, and are marked as stale."""
    with embedded_aws():
        ssm, ticks = CountingSsm(), [0.0]
        ssm.put("held", TEXT)
        source = ParameterSource(ssm, PREFIX)
        loader = document_loader(source, Settings(cache_s=1), now=lambda: ticks[0])
        loader.load()

        def fail() -> Any:
            raise SourceError("down")

        source.read = fail  # type: ignore[method-assign]  # SSM fails
        ticks[0] = 2.0
        loaded = loader.load()
    assert (loaded.stale, loaded.sending_held) == (True, True)
