"""README and docs say what is so: transcripts are run, names looked up, links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from bouncer import journal
from bouncer.metric_names import Metric
from bouncer.reasons import Reason
from bouncer_cli import command_line as cli
from bouncer_cli.commands.demo_command import SAMPLES

ROOT = Path(cli.__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FLOW = (ROOT / "docs" / "flow.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def transcripts() -> list[str]:
    return re.findall(r"```console\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("transcript", transcripts())
def test_readme_transcripts_are_what_is_printed(
    transcript: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command is run where the transcript runs it, and prints the lines below it."""
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


def test_readme_names_make_targets_that_exist() -> None:
    """Every make target in the README is one."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"make ([a-z-]+)  ", README)
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def calls() -> dict[str, set[str]]:
    """The options that README and docs give to each word of `bouncer`."""
    found: dict[str, set[str]] = {}
    for page in PAGES:
        for word, rest in re.findall(r"bouncer ([a-z]+)((?: [^\n`#]*)?)", page.read_text("utf-8")):
            if options := re.findall(r"(?<!\S)--[a-z-]+", rest):
                found.setdefault(word, set()).update(options)
    return found


@pytest.mark.parametrize(("word", "options"), calls().items())
def test_docs_give_options_that_exist(
    word: str, options: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every option is one of that very word, as its help tells."""
    with pytest.raises(SystemExit):
        cli.main([word, "--help"])
    assert options <= set(re.findall(r"--[a-z-]+", capsys.readouterr().out))


def test_readme_counts_the_samples() -> None:
    """The number of mails the demo judges is the number of samples."""
    (number,) = re.findall(r"# (\d+) mails judged", README)
    assert int(number) == len(list(SAMPLES.glob("*.eml")))


def test_the_journey_names_every_reason_event_and_metric() -> None:
    """Nothing is withheld, logged or counted that docs/flow.md does not name."""
    source = Path(journal.__file__).read_text(encoding="utf-8")
    events = set(re.findall(r'_write\(\s*"([a-z_]+)"', source))
    metrics = set(map(str, Metric))
    assert {"mail", "sent", "documents_stale"} <= events
    assert {"Mails", "Sent", "Queued"} <= metrics
    for name in {f"`{event}`" for event in events} | {str(reason) for reason in Reason}:
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
