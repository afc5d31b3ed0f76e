r"""Every source that replay prints explains its mail, exactly as it was printed."""

import gzip
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from bouncer_cli import command_line as cli
from tests.unit.mail_containers import outlook, zipped


class Mails:
    """Mails and events whose senders are numbered, so that each can be told from the others."""

    def __init__(self) -> None:
        self.number = 0

    def raw(self) -> bytes:
        self.number += 1
        sender = f"eve{self.number}@partner.example"
        return f"Return-Path: <{sender}>\nFrom: {sender}\nTo: ann@example.com\n\nHello\n".encode()

    def mbox(self) -> bytes:
        separator = b"From eve@partner.example Mon Nov  2 08:14:21 2026\n"
        return b"".join(separator + self.raw() + b"\n" for _ in range(2))

    def event(self) -> dict[str, Any]:
        self.number += 1
        mail = {"messageId": "m", "source": f"eve{self.number}@partner.example", "headers": []}
        return {"ses": {"mail": mail, "receipt": {"recipients": ["ann@example.com"]}}}

    def events(self) -> dict[str, Any]:
        return {"Records": [self.event(), self.event()]}

    def log(self) -> bytes:
        lines = (f"2026-11-02T09:00:00.000Z {json.dumps(self.events())}\n" for _ in range(2))
        return "".join(lines).encode()

    def notification(self) -> str:
        received = {"notificationType": "Received", **self.event()["ses"]}
        return json.dumps({"Type": "Notification", "Message": json.dumps(received)})

    def zipped(self) -> bytes:
        inner = zipped({"k.eml": self.raw(), "k.mbox": self.mbox()})
        entries = {
            "x.eml": self.raw(),
            "x.mbox": self.mbox(),
            "./y.eml": self.raw(),
            "/root.eml": self.raw(),
            "../up.eml": self.raw(),
            "sub//z.eml.gz": gzip.compress(self.raw()),
            "sub /box#1.mbox": self.mbox(),
            "t\tab\u202e.eml": self.raw(),
            "e.jsonl": json.dumps(self.events()).encode(),
            "in.zip": inner,
        }
        return zipped(entries)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with mails in every kind of file."""
    mails = Mails()
    queue = {"Messages": [{"MessageId": "1", "Body": mails.notification()} for _ in range(2)]}
    logs = {"events": [{"message": f"x {json.dumps(mails.event())}"} for _ in range(2)]}
    headers = mails.raw().decode().encode("utf-16-le")
    files = {
        "a.eml": mails.raw(),
        "odd\tname\u202e.eml": mails.raw(),
        "odd\u200bbox.mbox": mails.mbox(),
        "with space#1.eml": mails.raw(),
        "b.eml.gz": gzip.compress(mails.raw()),
        "c.mbox": mails.mbox(),
        "c#2": mails.mbox(),
        "d.mbox.gz": gzip.compress(mails.mbox()),
        "e.zip": mails.zipped(),
        "e.zip.gz": gzip.compress(mails.zipped()),
        "f.json": json.dumps(mails.events()).encode(),
        "g.jsonl": "\n\n".join(json.dumps(mails.events()) for _ in range(2)).encode(),
        "queue.json": json.dumps(queue).encode(),
        "logs.json": json.dumps(logs).encode(),
        "export.log": mails.log(),
        "export/000000.gz": gzip.compress(mails.log()),
        "message.msg": outlook("__substg1.0_007D001F", headers),
        "Maildir/cur/1793607261.7.host:2,S": mails.raw(),
        "Maildir/new/1793607262.8.host": mails.raw(),
        "Maildir/.Sent/cur/1793607263.9.host:2,S": mails.raw(),
        "Maildir/.Sent/new/.keep": b"",
        "bucket/inbox/9faq1i44m2dl3nhsa74qgvoo9aqd2ojfr4tjp8g1": mails.raw(),
    }
    for name, content in files.items():
        path = tmp_path / "mails" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "100-all.yaml").write_text("when: {recipient: '*'}\ndrop: {}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(path: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return the sender of each mail by the source that the table has for it."""
    cli.main(["replay", path])
    rows = (re.match(r"(.+?) +(eve\d+@)", line) for line in capsys.readouterr().out.splitlines())
    return {row[1]: row[2] for row in rows if row}


def explained(source: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the beginning of the sender in an explanation; the status must be 0."""
    assert cli.main(["replay", "--explain", source]) == 0, source
    (sender,) = re.findall(r"sender: +(eve\d+@)", capsys.readouterr().out)
    return str(sender)


@pytest.mark.parametrize("start", ["mails", "{folder}/mails", "mails/e.zip", "./mails/../mails"])
def test_each_source_explains_its_mail(
    start: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Members of archives, numbers in boxes, lines of logs, names with escapes: as printed."""
    sources = printed(start.format(folder=folder), capsys)
    assert len(sources) == (15 if start.endswith("zip") else 65)
    for source, sender in sources.items():
        assert explained(source, capsys) == sender, source


@pytest.mark.parametrize("name", ["e.zip", "c.mbox", "export.log"])
def test_a_mail_in_standard_input_has_a_name_too(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-#2` is not taken for an option."""
    content = (folder / "mails" / name).read_bytes()

    def restart() -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    restart()
    sources = printed("-", capsys)
    assert len(sources) > 1
    for source, sender in sources.items():
        restart()
        assert explained(source, capsys) == sender, source


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("mails/c.mbox#3", "found no such mail in mails/c.mbox, expected one of it (the last one"),
        ("mails/e.zip/none.eml", "found no such mail in mails/e.zip, expected one of it (the"),
        (r"mails/none\u202e.eml", "can't be read (No such file or directory)"),
        (r"none/none\u202e.eml", "can't be read (No such file or directory)"),
    ],
)
def test_a_source_that_no_mail_has_is_one_sentence(
    source: str, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what was looked through."""
    assert cli.main(["replay", "--explain", source]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"{source}: {error}")
