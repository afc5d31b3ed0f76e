"""Wrong usage is one sentence; help, version and examples are what they say."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from bouncer_cli import command_line as cli
from bouncer_cli.commands.demo_command import SAMPLES
from tests.functions.cli.command_runs import ROOT, Run, sample, serving


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--send", "x"], "--send: found no --out, expected --out DIR to write the bounces to"),
        (["--out", "d", "x"], "--out: found no --send, expected --send --out DIR"),
        (
            ["--real-time", "x"],
            "--real-time: found no --send, expected --send --out DIR --real-time",
        ),
        (
            ["--explain", "--send", "--out", "d", "x"],
            "--explain: found --send beside it, expected one of the two",
        ),
        (
            ["--explain=full", "--only", "shadow", "x"],
            "--explain: found --only beside it, expected one of the two",
        ),
        (
            ["--explain", "--format", "json", "x"],
            "--explain: found --format json beside it, expected --explain alone",
        ),
        (["--verdict", "spf", "x"], "--verdict: found 'spf', expected NAME=WORD with"),
        (["--verdict", "spf=good", "x"], "--verdict spf: found 'good', expected one of pass, fail"),
        (["--rules", "nowhere", "x"], "--rules: found no folder nowhere, expected one with rules"),
        (["--rules", "docs", "x"], "--rules: found no rule in force, expected at least one"),
        (["--rules", "ssm:x", "x"], "--rules: found 'ssm:x', expected ssm:/PREFIX"),
        (
            ["--rules", "ssm:/p", "--settings", "f", "x"],
            "--settings: found --rules ssm: beside it, expected one of them",
        ),
        (
            ["--settings", "nowhere.yaml", "x"],
            "nowhere.yaml: can't be read (No such file or directory)",
        ),
        (
            ["--explain", "rules/../README.md", "rules/../README.md"],
            "--explain: found several mails, expected one",
        ),
        (["--recipient", "", "x"], "--recipient: found nothing, expected an address"),
        (["--verified", "a.example", "x"], "--verified: found no --send"),
        (
            ["--verdict", "spf=pass", "--verdict", "spf=fail", "x"],
            "--verdict spf: found pass and fail, expected one",
        ),
        (["--format", "xml", "x"], "invalid choice"),
        ([], "required"),
    ],
)
def test_wrong_usage_is_one_sentence(run: Run, arguments: list[str], says: str) -> None:
    """The sentence says what was found and expected, on stderr, and the status is 2."""
    status, out, err = run("replay", *arguments)
    assert status == 2
    assert says in err
    assert out == ""
    assert "Traceback" not in err


def test_invalid_rules_are_named_all_at_once(run: Run, tmp_path: Path) -> None:
    """Every problem of every rule has a line of its own, and the status is 2."""
    (tmp_path / "a.yaml").write_text("dorp: {}")
    (tmp_path / "b.yaml").write_text("when: {spf: bad}\ndrop: {}")
    status, _, err = run("replay", "--rules", tmp_path, sample("01-"))
    assert status == 2
    assert len(err.splitlines()) == 3
    assert f"{tmp_path}/b.yaml:1: when.spf: found" in err


def test_an_out_folder_that_cannot_be_made_is_one_sentence(run: Run, tmp_path: Path) -> None:
    """The error names a file that stands where the folder should be."""
    (tmp_path / "file").touch()
    status, _, err = run("replay", "--send", "--out", tmp_path / "file", sample("01-"))
    assert status == 2
    assert "can't be made" in err


def example(run: Run, *command: str) -> list[str]:
    """Return the words of the example that ends the help of a command."""
    _, out, _ = run(*command, "--help")
    (line,) = re.findall(r"^example: bouncer (.+)$", out, re.MULTILINE)
    return shlex.split(line)


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("init",),
        ("replay",),
        ("demo",),
        ("rules",),
        ("rules", "check"),
        ("lists",),
        ("lists", "check"),
    ],
)
def test_the_example_in_the_help_works(
    run: Run, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The help of each command ends with an example that runs as it stands."""
    words = example(run, *command)
    assert words[: len(command)] == list(command)
    monkeypatch.chdir(tmp_path)
    for folder in ("rules", "lists"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "settings.yaml").write_text("mode: shadow")
    (tmp_path / "inbox.mbox").write_text(
        "From a@b.example Mon\nTo: ann@example.com\nSubject: x\n\ny\n"
    )
    assert cli.main(words) == 0


def test_the_example_of_the_fake_ses_works(run: Run, tmp_path: Path) -> None:
    """The example serves the mails of a folder until it is stopped."""
    words = example(run, "ses")
    (tmp_path / "mails").symlink_to(SAMPLES)
    with serving(words, tmp_path) as ready:
        assert len(ready["message_ids"]) == len(list(SAMPLES.glob("*.eml")))


def test_every_command_has_an_example(run: Run) -> None:
    """No command escapes the tests of the examples: doctor's runs beside its other tests."""
    _, out, _ = run("--help")
    names = re.findall(r"^    ([a-z]+) ", out, re.MULTILINE)
    testing = ["init", "replay", "demo", "rules", "lists", "ses"]
    operating = ["doctor", "report", "pause", "resume", "jobs", "mail", "forget", "hash"]
    assert names == [*testing, *operating]
    for name in names:
        assert example(run, name)[0] == name


@pytest.mark.parametrize(
    "command",
    [
        *("", "init", "replay", "demo", "rules", "rules check", "ses", "doctor", "report"),
        *("pause", "resume", "hash", "forget"),
        *("jobs", "jobs list", "jobs show", "jobs retry", "jobs drop"),
    ],
)
def test_the_help_fits_a_terminal(run: Run, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every help fits in 80 columns, and describes each argument and option."""
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run(*command.split(), "--help")
    assert all(len(line) <= 80 for line in out.splitlines())
    _, _, listed = out.partition("\n\n")
    options = re.findall(r"^  (\S.*(?:\n {8,}.*)?)", listed, re.MULTILINE)
    assert options
    words = {"COMMAND", "VERB"}
    assert all(re.search(r"\s{2,}\w", option) for option in options if option not in words)


def test_the_version_is_that_of_the_package(run: Run) -> None:
    """`bouncer --version` prints the version in pyproject.toml, where alone it is written."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert run("--version") == (0, f"bouncer {project['version']}\n", "")


def test_the_command_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The list of commands is on stderr, and the status is that of wrong usage."""
    assert cli.main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert all(f"    {name} " in err for name in ("replay", "demo", "ses", "doctor"))
