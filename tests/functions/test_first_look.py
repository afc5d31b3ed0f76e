"""The things a newcomer sees first: the README's first block, its pictures, the starter rules."""

import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bouncer.rules.rule import Action
from bouncer.rules.rule_reader import read_rule
from bouncer_cli.commands.demo_command import SHIPPED_RULES
from tests.pictures import DRAWN, PICTURES

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def first_block() -> str:
    """Return the first commands of the README."""
    block = re.search(r"(?:^    (?:make|\.venv/bin/bouncer) .+\n)+", README, re.MULTILINE)
    assert block
    return block[0]


def test_the_first_block_stands_on_the_first_screen() -> None:
    """The README shows commands to copy, and for whom the project is, before it is scrolled."""
    assert README.partition(first_block())[0].count("\n") < 20
    assert README.index("**It is for you**") < README.index("\n## ")
    assert README.index("**Cost**") < README.index("\n## ")


def test_the_first_block_runs_when_copied() -> None:
    """All its lines, as they stand, in the top folder of a checkout."""
    make, shell = shutil.which("make"), shutil.which("sh")
    if not make or not shell:
        pytest.skip("make is not installed")
    ready = subprocess.run([make, "-q", ".venv/ready"], cwd=ROOT, check=False)  # noqa: S603
    if ready.returncode:
        pytest.skip("make would install packages, as .venv is older than its lock or missing")
    done = subprocess.run(  # noqa: S603  # our own commands
        [shell, "-e"], input=first_block(), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "The bounces are in demo-out" in done.stderr
    assert "recipient accounting@example.com: reject by 900-unknown-mailbox" in done.stdout


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_shows_what_is_printed_today(name: str) -> None:
    """`make pictures` would change nothing."""
    assert (PICTURES / name).read_text(encoding="utf-8") == DRAWN[name]()
    assert f"docs/pictures/{name}" in README


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_loads_nothing(name: str) -> None:
    """It is well-formed and names no address outside, except its namespace."""
    text = (PICTURES / name).read_text(encoding="utf-8")
    ET.fromstring(text)  # noqa: S314  # our own file
    outside = set(re.findall(r"https?://[^\s\"')]+", text))
    assert outside <= {"http://www.w3.org/2000/svg", "https://www.textualize.io"}
    assert "@font-face" not in text


@pytest.mark.parametrize("path", sorted(Path(SHIPPED_RULES).glob("*.yaml")), ids=lambda p: p.stem)
def test_a_starter_rule_that_rejects_names_the_reference(path: Path) -> None:
    """A sender who asks about a bounce can quote it, and the operator finds the mail by it."""
    rule = read_rule(path.stem, path.read_text(encoding="utf-8"))
    if rule.action is not Action.REJECT:
        assert rule.rejection is None
        return
    assert rule.rejection is not None
    assert "{reference}" in str(rule.rejection.message)
