"""README and docs agree with the code: transcripts are run, names looked up, links followed."""

import io
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import boto3
import pytest

from bouncer import journal
from bouncer.errors import BouncerError
from bouncer.metric_names import Metric
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.sending.ending import Failure, failed, sent, withheld
from bouncer_cli import command_line as cli
from bouncer_cli.commands.demo_command import SAMPLES
from tests.embedded_aws import embedded_aws

ROOT = Path(cli.__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FLOW = (ROOT / "docs" / "flow.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def transcripts() -> list[str]:
    """Return the blocks of README that show commands with their output."""
    return re.findall(r"```console\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("transcript", transcripts())
def test_readme_transcripts_are_what_is_printed(
    transcript: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command prints exactly the lines below it, in the folder of the transcript."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(ROOT)
    ran = 0
    for block in transcript.split("$ ")[1:]:
        command, _, expected = block.partition("\n")
        words = [
            str(name)
            for word in shlex.split(command)
            for name in (sorted(Path().glob(word)) if "*" in word else [word])
        ]
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
            continue
        assert words[0] == "bouncer"
        assert cli.main(words[1:]) == 0
        captured = capsys.readouterr()
        assert captured.out + captured.err == expected
        ran += 1
    assert ran


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_commands_shown_with_their_path_run(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that begins with .venv/bin/bouncer runs as it stands, from the top folder."""
    monkeypatch.chdir(ROOT)
    text = Path(name).read_text(encoding="utf-8")
    commands = re.findall(r"^    \.venv/bin/bouncer (.+?)(?:  +#.*)?$", text, re.MULTILINE)
    assert commands
    for command in commands:
        assert cli.main(shlex.split(command)) == 0
        assert capsys.readouterr().out


@pytest.fixture
def own_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to a folder that has the files which the README's examples name."""
    mail = (SAMPLES / "02-left-the-company.eml").read_bytes()
    (tmp_path / "rules").symlink_to(ROOT / "rules")
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "1.eml").write_bytes(mail)
    (tmp_path / "mail.eml").write_bytes(mail)
    separator = b"From tom@bakery.example Mon Nov  2 08:00:00 2026\n"
    (tmp_path / "inbox.mbox").write_bytes(separator + mail + b"\n")
    monkeypatch.chdir(tmp_path)


@contextmanager
def rules_in_ssm() -> Iterator[None]:
    """Serve one rule from an embedded SSM."""
    with embedded_aws():
        boto3.client("ssm").put_parameter(
            Name="/ses-auto-bouncer/main/rules/200-departed",
            Value=(ROOT / "rules" / "200-departed.yaml").read_text(encoding="utf-8"),
            Type="String",
        )
        yield


def replays() -> list[str]:
    """Return the README's examples of `bouncer replay`."""
    return re.findall(r"^    bouncer (replay .+?)  +#", README, re.MULTILINE)


@pytest.mark.usefixtures("own_mail")
@pytest.mark.parametrize("command", replays())
def test_replay_commands_of_the_readme_run(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each example decides about the mails in a folder that has the files it names."""
    with rules_in_ssm() if "ssm:" in command else nullcontext():
        assert cli.main(shlex.split(command)) == 0
    assert "200-departed" in capsys.readouterr().out


def test_the_readmes_tree_is_the_tree() -> None:
    """Every file and folder in the tree exists, and every room of lambda/bouncer is in it."""
    section = README.partition("## Where things are\n")[2].partition("\n| page")[0]
    rooms, named = ROOT / "lambda" / "bouncer", set[str]()
    for indent, paths in re.findall(r"^    ( *)(\S+(?:, \S+)*)  ", section, re.MULTILINE):
        for path in paths.split(", "):
            assert ((rooms if indent else ROOT) / path).exists(), path
            named.add(path.strip("/"))
    kept = (path.parent.name for path in rooms.glob("*/__init__.py"))
    assert set(kept) <= named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_words_named_exist(page: Path) -> None:
    """Every `make word` in code or at the start of an indented line is a target."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"(?:`|^ {4,})make ([a-z0-9-]+)", text, re.MULTILINE)
    assert targets or page.name != "README.md"
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def calls() -> dict[str, set[str]]:
    """Return the options that the pages give to each command of `bouncer`, verbs included."""
    found: dict[str, set[str]] = {}
    command = r"bouncer ((?:jobs |rules |lists |mail )?[a-z]+)((?: [^\n`#]*)?)"
    for page in PAGES:
        for word, rest in re.findall(command, page.read_text("utf-8")):
            if options := re.findall(r"(?<!\S)--[a-z-]+", rest):
                found.setdefault(word, set()).update(options)
    return found


@pytest.mark.parametrize(("word", "options"), calls().items())
def test_docs_give_options_that_exist(
    word: str, options: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every option is in the help of that very command."""
    with pytest.raises(SystemExit):
        cli.main([*word.split(), "--help"])
    assert options <= set(re.findall(r"--[a-z-]+", capsys.readouterr().out))


def test_readme_counts_the_samples() -> None:
    """The number of mails in the README is the number of samples."""
    (number,) = re.findall(r"# (\d+) mails judged", README)
    assert int(number) == len(list(SAMPLES.glob("*.eml")))


def events_of_ends() -> set[str]:
    """Return the events of the lines that the journal writes for every possible end of a job."""
    stream = io.StringIO()
    for ending in (
        sent("bounce-1"),
        *map(withheld, Reason),
        *(failed(reason, BouncerError()) for reason in Failure),
    ):
        journal.Journal("worker", "main", stream=stream).ended(
            ending, None, Settings(), record="message-1"
        )
    return {json.loads(line)["message"] for line in stream.getvalue().splitlines()}


def test_the_journey_names_every_reason_event_and_metric() -> None:
    """docs/flow.md names every reason, failure, event of the journal and metric."""
    source = Path(journal.__file__).read_text(encoding="utf-8")
    events = set(re.findall(r'_write\(\s*"([a-z_]+)"', source)) | events_of_ends()
    metrics = set(map(str, Metric))
    assert {"mail", "sent", "unreadable_job", "documents_stale"} <= events
    assert {"Mails", "Sent", "Queued"} <= metrics
    words = events | set(Failure)
    for name in {f"`{word}`" for word in words} | {str(reason) for reason in Reason}:
        assert name in FLOW or name == "capped", name
    for name in metrics:
        assert f"`{name}`" in FLOW, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file, and every anchor a heading."""
    for link in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
        target = (page.parent / link[0]).resolve() if link[0] else page
        assert target.exists(), link[0]
        if link[1]:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
            assert link[1] in {heading.replace(" ", "-") for heading in plain}, link[1]


def glossary_terms() -> list[str]:
    """Return the headings of the glossary, which are its anchors."""
    return re.findall(r"^### (.+)$", GLOSSARY, re.MULTILINE)


def test_the_glossary_is_in_alphabetical_order() -> None:
    """Each word stands once, where a reader looks for it."""
    terms = glossary_terms()
    assert len(terms) > 30
    assert terms == sorted(set(terms), key=str.lower)


def test_the_glossary_explains_each_word_in_one_sentence() -> None:
    """A definition is one paragraph that ends as a sentence."""
    for entry in GLOSSARY.split("\n### ")[1:]:
        term, _, text = entry.partition("\n")
        assert re.fullmatch(r"\n[^\n].*[.)]\n?", text, re.DOTALL), term
        assert "\n\n" not in text.strip(), term


def test_the_policy_names_the_present_version_of_jobs() -> None:
    """CONTRIBUTING.md shows the member `v` as the queue's messages have it today."""
    room = Path(journal.__file__).parent / "jobs"
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name, words in (("job_json", "A job carries its version,"), ("reply_json", "A reply has")):
        source = (room / f"{name}.py").read_text(encoding="utf-8")
        (version,) = re.findall(r"^VERSION = (\d+)", source, re.MULTILINE)
        assert f'{words} `"v":{version}`' in page


def test_readme_names_every_command_and_every_folder_of_tests(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The tree under "Where things are" is complete."""
    tree = README.partition("\n## Where things are\n")[2].partition("\n| page")[0]
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    commands = re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.MULTILINE)
    listed = tree.partition("the `bouncer` command: ")[2].partition(" local/")[0].lower()
    assert set(commands) <= set(re.findall(r"[a-z]+", listed))
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    listed = tree.partition(" tests/ ")[2].partition(" bench/ ")[0]
    assert {name for name in folders if name[0] not in "._"} <= set(re.findall("[a-z_]+", listed))
