"""`bouncer init` says what it chose and what is left, and its folder is ready for use."""

import json
from pathlib import Path

import pytest

from bouncer_cli import command_line as cli
from bouncer_infra.deployment_settings_reader import read_cdk_json
from tests.functions.cli.command_runs import Run, objects


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command line in an empty folder, where there are neither credentials nor a region."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def bouncer(*arguments: object) -> tuple[int, str, str]:
        status = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return bouncer


def test_it_says_what_it_chose_and_what_is_left(run: Run) -> None:
    """The answer is on stdout; remarks and the next step are on stderr."""
    options = ("--domain", "example.com", "--domain", ".example.org", "--name", "mail")
    status, out, err = run("init", "new", *options, "--region", "eu-west-1")
    assert (status, out.splitlines()[1:]) == (
        0,
        [
            "  deployment: mail in eu-west-1",
            "  recipients: example.com, .example.org",
            "  bounce sender: mailer-daemon@example.com",
        ],
    )
    first, second, third, last = err.splitlines()
    assert first.startswith(
        "not looked up in AWS: found no credentials: log in again, or set AWS_PR"
    )
    assert second.startswith("cdk.json: the active receipt rule set is not known")
    assert third.startswith("requirements.txt: names file:///")  # these tests run in a checkout
    assert last == "Next: read new/README.md"
    settings = read_cdk_json(Path("new/cdk.json"))
    assert (settings.name, settings.recipients) == ("mail", ("example.com", ".example.org"))
    readme = Path("new/README.md").read_text(encoding="utf-8")
    assert "/ses-auto-bouncer/mail/settings" in readme
    assert "AWS_DEFAULT_REGION=eu-west-1" in readme


def test_without_anything_known_it_writes_placeholders(run: Run) -> None:
    """They are plain, and a remark names each."""
    status, out, err = run("init", "new")
    assert (status, "  recipients: your-domain.example" in out.splitlines()) == (0, True)
    assert "recipients and bounce_sender have the placeholder your-domain.example" in err
    readme = Path("new/README.md").read_text(encoding="utf-8")
    assert "AWS_DEFAULT_REGION=YOUR-REGION" in readme


def test_a_program_gets_json(run: Run) -> None:
    """One object with all that the table says, and the remarks."""
    _, out, err = run("init", "new", "--format", "json", "--domain", "example.com")
    (answer,) = objects(out)
    assert answer["files"] == answer["written"] == len(list(_files(Path("new"))))
    assert (answer["recipients"], answer["rule_set"], answer["region"]) == (
        ["example.com"],
        None,
        None,
    )
    assert (len(answer["remarks"]), err) == (3, "")


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_replay_works_in_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rules are sound, with their lists, and judge its mails."""
    run("init", "new", "--domain", "example.com")
    monkeypatch.chdir("new")
    assert run("rules", "check", "rules")[0] == 0
    assert run("lists", "check", "lists")[0] == 0
    status, out, _ = run("replay", "--rules", "rules", "--settings", "settings.yaml", "mails")
    assert (status, "200-departed" in out) == (0, True)
    _, out, _ = run("replay", "--rules", "rules", "--explain", "mails/02-left-the-company.eml")
    assert out.startswith("recipient ann@example.com: reject by 200-departed\n")


def test_it_begins_in_shadow_mode(run: Run) -> None:
    """A deployment of it stops nothing before its owner says so."""
    run("init", "new", "--domain", "example.com")
    assert json.loads(Path("new/cdk.json").read_text())["context"]["bouncer"]["settings"] == {
        "mode": "shadow"
    }
    assert "mode: shadow" in Path("new/settings.yaml").read_text(encoding="utf-8")


def test_run_again_it_has_nothing_to_do(run: Run) -> None:
    """With other options it names each file that it would change, and changes none."""
    run("init", "new", "--domain", "example.com")
    _, out, _ = run("init", "new", "--domain", "example.com")
    assert out.splitlines()[0].startswith("new: 0 files written, ")
    status, out, err = run("init", "new", "--domain", "example.net")
    assert (status, out) == (2, "")
    assert err.splitlines() == [
        "new/README.md: exists, and nothing is overwritten",
        "new/cdk.json: exists, and nothing is overwritten",
        "new: nothing was written; name a new folder, or move these files away",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([""], "DIR: found nothing, expected the name of a folder"),
        (["new", "--region", "mars"], "--region: found 'mars', expected one such as eu-west-1"),
        (["new", "--domain", "a b"], '--domain: found "a b", expected a domain'),
        (["/proc/new"], "/proc/new: can't be written (No such file or directory), expected"),
    ],
)
def test_wrong_usage_is_one_sentence(run: Run, words: list[str], says: str) -> None:
    """Nothing is written, and the status is 2."""
    status, out, err = run("init", *words)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(says)
    assert not Path("new").exists()


def test_a_read_only_place_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, too, who may write anywhere else."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    status, _, err = run("init", "new", "--domain", "example.com")
    assert (status, "new: can't be written (Permission denied), expected" in err) == (2, True)
