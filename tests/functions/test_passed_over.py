"""Files in a folder that are not mails are named in one line at the end of a replay."""

import shutil
from pathlib import Path

import pytest

from bouncer_cli import command_line as cli
from bouncer_cli.commands.demo_command import SAMPLES

RULES = Path(__file__).parents[2] / "rules"


def test_other_files_are_counted_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A README beside mails is not an error, and not silent."""
    (sample,) = SAMPLES.glob("02-*.eml")
    shutil.copy(sample, tmp_path)
    (tmp_path / "README.md").write_text("# My mail\n\nNothing to see.\n")
    assert cli.main(["replay", "--rules", str(RULES), str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2
    last = printed.err.splitlines()[-1]
    assert last == f"1 file is not a mail and was passed over: {tmp_path / 'README.md'}"
