"""`bouncer replay --rules ssm:PREFIX` judges as the intake would, and says what differs."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from bouncer.held import Held
from bouncer.held_document import held_document
from bouncer.operator_settings import Settings
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.loaded import Loaded
from bouncer_cli import command_line as cli
from bouncer_cli.commands.demo_command import SAMPLES
from bouncer_cli.commands.mail_run import run_mails
from bouncer_cli.mail_files import read_items
from bouncer_cli.raw_mail import Envelope
from bouncer_sim.clock import SimulatedClock, SystemClock
from tests.embedded_aws import embedded_aws

PREFIX = "/ses-auto-bouncer/main"
GOOD = "when: {recipient: ann@example.com}\nreject: {type: DoesNotExist}"
MAIL = str(next(SAMPLES.glob("02-*.eml")))

Put = Callable[[str, str], None]
Replayed = Callable[..., tuple[int, str, list[str]]]


@pytest.fixture
def put() -> Iterator[Put]:
    """Write a parameter below the prefix of an embedded SSM, as a new version of it."""
    with embedded_aws():
        client: Any = boto3.client("ssm")

        def parameter(name: str, text: str) -> None:
            client.put_parameter(Name=f"{PREFIX}/{name}", Value=text, Type="String", Overwrite=True)

        yield parameter


@pytest.fixture
def replayed(capsys: pytest.CaptureFixture[str]) -> Replayed:
    """Replay one mail by the rules in SSM: exit status, stdout, the lines of stderr."""

    def replay(*options: str) -> tuple[int, str, list[str]]:
        status = cli.main(["replay", "--rules", f"ssm:{PREFIX}", *options, MAIL])
        out, err = capsys.readouterr()
        return status, out, err.splitlines()

    return replay


def test_a_broken_rule_is_left_out(put: Put, replayed: Replayed) -> None:
    """The other rules decide, and the replay says where the form in force is found."""
    put("rules/100-left", GOOD)
    put("rules/100-left", "rejcet: {}")
    put("rules/200-all", "drop: {}")
    status, out, err = replayed()
    assert (status, "drop 200-all" in out) == (0, True)
    assert any("rules/100-left:1: rejcet: found unknown key" in line for line in err)
    left_out = next(line for line in err if "this rule is left out" in line)
    assert "the form that was in force before, which --rules revision:current has" in left_out


def test_without_valid_settings_nothing_is_judged(put: Put, replayed: Replayed) -> None:
    """The publisher keeps those before, which nobody knows here."""
    put("rules/100-left", GOOD)
    put("settings", "mode: shaddow")
    status, out, err = replayed()
    assert (status, out) == (2, "")
    said = "settings: correct the parameter, or judge by --rules revision:current"
    assert err[-1] == said


def test_without_settings_the_deployments_own_are_named(put: Put, replayed: Replayed) -> None:
    """The replay cannot know what the functions were deployed with, and says what it takes."""
    put("rules/100-left", GOOD)
    status, _, err = replayed()
    assert status == 0
    assert err[0].startswith("settings: found no parameter, so the intake has those that it was")


@pytest.mark.parametrize(
    ("settings", "remark"),
    [
        (
            "sending: paused",
            "settings: sending is paused, so no bounce is sent until the settings say sending: on",
        ),
        ("mode: 'off'", "settings: mode is off, so nothing is stopped or bounced"),
    ],
)
def test_settings_that_hold_bounces_back_are_remarked_on(
    put: Put, replayed: Replayed, settings: str, remark: str
) -> None:
    """Below the table stands what keeps its bounces from being sent."""
    put("rules/100-left", GOOD)
    put("settings", settings)
    assert remark in replayed()[2]


def test_files_are_refused_while_one_is_invalid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operator who replays files can correct them: nothing stands in for an invalid one."""
    (tmp_path / "a.yaml").write_text("rejcet: {}")
    (tmp_path / "b.yaml").write_text("drop: {}")
    assert cli.main(["replay", "--rules", str(tmp_path), MAIL]) == 2
    assert "in force instead" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("hours", "bounce", "then"),
    [
        (
            1,
            "queued",
            "mail is stopped as ever, and the jobs of its bounces wait in the queue",
        ),
        (
            13,
            "withheld: held",
            "mail goes on that would be bounced, and the rest is stopped as ever",
        ),
    ],
)
def test_held_sending_is_remarked_on(
    put: Put, replayed: Replayed, hours: int, bounce: str, then: str
) -> None:
    """The replay decides as the intake does now, and says who has held sending since when."""
    since = datetime.now(UTC) - timedelta(hours=hours)
    put("rules/100-left", GOOD)
    put("held", held_document(since=since, by="ann", why="a bad rule"))
    status, out, err = replayed("--verdict", "spf=pass", "--verdict", "dmarc=pass")
    assert (status, bounce in out) == (0, True)
    (remark,) = [line for line in err if "held since" in line]
    assert remark.startswith(f"{PREFIX}/held: sending is held since {since:%Y-%m-%d %H:%M} UTC by")
    assert then in remark


def test_an_explanation_names_the_hold(put: Put, replayed: Replayed) -> None:
    """`held` is one of the guard's findings, and the reason why the mail goes on."""
    put("rules/100-left", GOOD)
    put("held", "since: 2026-01-01T00:00:00Z\nby: ann")
    _, out, _ = replayed("--verdict", "spf=pass", "--verdict", "dmarc=pass", "--explain")
    assert "guard: withheld, held" in out
    assert "yes held: sending is held for 12 hours or more" in out
    assert "disposition: CONTINUE (held says nothing about the sender, so the mail goes on)" in out


def test_jobs_stay_queued_while_a_document_holds_sending(tmp_path: Path) -> None:
    """The replay does not sit out a hold, whichever document it comes from."""
    held = Held(since=datetime.now(UTC), by="ann", why="", document="held")
    loaded = Loaded(Ruleset([read_rule("100-left", GOOD)]), Settings(), causes=(held,))
    envelope = Envelope(verdicts={"spf": "pass", "dmarc": "pass"})
    clock = SimulatedClock(SystemClock().time())
    summary = run_mails(read_items([MAIL], envelope), loaded, [], clock=clock, out=tmp_path)
    assert "bounces: 1 queued (1 held)" in str(summary)
    assert not list(tmp_path.glob("*.eml"))


def test_a_folder_that_is_paused_has_no_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files do not say since when sending is paused: the replay takes it for long."""
    (tmp_path / "100-left.yaml").write_text(GOOD)
    settings = tmp_path / "settings"
    settings.write_text("sending: paused")
    passed = ["--verdict", "spf=pass", "--verdict", "dmarc=pass"]
    rules = ["--rules", str(tmp_path), "--settings", str(settings)]
    assert cli.main(["replay", *rules, *passed, MAIL]) == 0
    out, err = capsys.readouterr()
    assert "withheld: held" in out
    assert "mail goes on that would be bounced, as after 12 hours of it" in err
