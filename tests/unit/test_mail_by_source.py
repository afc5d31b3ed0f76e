"""Mails are found by their paths, and by the sources that a replay prints."""

from pathlib import Path

import pytest

from bouncer_cli.mail_by_source import read_named_items
from bouncer_cli.mail_item import Item
from bouncer_cli.passed_over import PassedOver
from bouncer_cli.raw_mail import Envelope

MAIL = "From: Bob <bob@sender.example>\nTo: ann@example.com\nSubject: A\n\nHello.\n"


def named(*paths: str) -> list[Item]:
    return list(read_named_items(list(paths), Envelope(), PassedOver()))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with a mail, and another one in a folder below."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a.eml").write_text(MAIL)
    (tmp_path / "a" / "a.eml").write_text(MAIL)
    monkeypatch.chdir(tmp_path)


def test_name_that_is_too_long_does_not_stop_the_others() -> None:
    """A path to nothing, however long, yields the system's reason; the others are read."""
    errors = [item.error for item in named("x" * 5000, "a.eml")]
    assert errors == ["can't be read (File name too long)", None]


@pytest.mark.parametrize("path", ["a.eml", "./a.eml", ".//a.eml", "a/./a.eml", "a//a.eml"])
def test_sources_are_written_as_paths(path: str) -> None:
    """However a file is named, its source is the path without what means nothing."""
    (item,) = named(path)
    assert item.source == str(Path(path))
    (missing,) = named(f"{path}x")
    assert missing.source == f"{Path(path)}x"


def test_mail_is_found_by_its_number(tmp_path: Path) -> None:
    """A number behind a file's name means one of its mails; one too many is an error."""
    separator = "From bob@sender.example Tue Dec  1 12:00:00 2026\n"
    (tmp_path / "box.mbox").write_text(separator + MAIL + "\n" + separator + MAIL)
    (second, third) = named("box.mbox#2", "./box.mbox#3")
    assert (second.source, second.error) == ("box.mbox#2", None)
    assert third.error == (
        "found no such mail in ./box.mbox, expected one of it (the last one is box.mbox#2)"
    )
