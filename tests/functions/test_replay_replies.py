"""Replay shows replies: in the table, as JSON, explained, and as files with --send."""

import json
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from bouncer_cli.command_line import main as bouncer

CASE = Path(__file__).parents[1] / "cases" / "36-reply"
MAILS = [json.loads(line) for line in (CASE / "events.jsonl").read_text("utf-8").splitlines()]


def mail(tmp_path: Path, number: int, **changes: str) -> str:
    """The path of one event of the case, with changes to its mail."""
    event = MAILS[number - 1]
    record = event["Records"][0]
    changed = record["ses"] | {"mail": record["ses"]["mail"] | changes}
    path = tmp_path / f"{number}{len(list(tmp_path.iterdir()))}.json"
    path.write_text(json.dumps({"Records": [record | {"ses": changed}]}), encoding="utf-8")
    return str(path)


def replay(*arguments: str, rules: Path = CASE / "rules") -> None:
    assert bouncer(["replay", "--rules", str(rules), *arguments]) == 0


def test_the_table_shows_replies(capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the bounce of another recipient, with the reason of one that is withheld."""
    replay(str(CASE / "events.jsonl"))
    shown = capsys.readouterr()
    rows = shown.out.splitlines()
    assert rows[1].endswith("reply 230-departed-with-reply" + " " * 29 + "reply queued")
    assert rows[5].endswith("reject 900-unknown         queued, reply queued")
    assert rows[7].rstrip().endswith("reply withheld: not_named")
    assert "13 mails: 11 replied, 1 mixed, 1 no rule; bounces: 1 queued; " in shown.err
    assert "replies: 6 queued, 7 withheld (1 not_named, 1 lists," in shown.err


@pytest.mark.parametrize(("only", "count"), [("replied", 12), ("withheld", 7), ("bounced", 1)])
def test_only_some_are_shown(capsys: pytest.CaptureFixture[str], only: str, count: int) -> None:
    """A choice of their own, and withheld replies are withheld."""
    replay("--only", only, str(CASE / "events.jsonl"))
    assert len(capsys.readouterr().out.splitlines()) == count + 1


def test_a_reply_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its subject and all lines of its text."""
    replay("--explain", mail(tmp_path, 2))
    out = capsys.readouterr().out
    assert "recipient Help+shop@example.com: reply by 250-ticket-received" in out
    assert "  guard: may be answered" in out
    assert "reply: from Example help desk <replies@example.com> to fay@garden.example" in out
    assert "\n  answers go to: help@example.com\n" in out
    assert "  subject: We have your request: Roses\n  Thank you. Your mail to Help+shop@" in out
    assert "\n\n  A machine wrote this; please answer to Help+shop@example.com.\n" in out


def test_a_withheld_reply_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what the guard found; reasons of replies are counted among the others."""
    replay("--explain", mail(tmp_path, 7))
    out = capsys.readouterr().out
    assert "guard: withheld, not_named" in out
    assert "not_named: recipient dora@example.com is not in To or Cc" in out
    assert "no  17 other reasons" in out
    assert "reply: from" not in out


def test_a_bounce_is_not_explained_by_reasons_of_replies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are not asked there."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "1.yaml").write_text("reject: {type: Undefined}\nwhen: {recipient: '*'}", "utf-8")
    replay("--explain=full", mail(tmp_path, 7), rules=rules)
    out = capsys.readouterr().out
    assert "no  lists" in out
    assert "not_named" not in out


def test_replies_are_sent_once_per_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the times of the mails; a sender's other form is the same sender."""
    out = tmp_path / "out"
    mails = [
        mail(tmp_path, 1),
        mail(tmp_path, 1, messageId="tag", source="fay+x@garden.example"),
        mail(tmp_path, 1, messageId="day", timestamp="2026-11-03T07:59:59.000Z"),
        mail(tmp_path, 1, messageId="later", timestamp="2026-11-03T08:00:01.000Z"),
        mail(tmp_path, 1, messageId="other", source="ben@garden.example"),
    ]
    replay("--format", "json", "--send", "--out", str(out), *mails)
    ends = [json.loads(line)["replies"][0] for line in capsys.readouterr().out.splitlines()]
    assert [(end["status"], end["reason"]) for end in ends] == [
        ("sent", None),
        ("withheld", "replied_before"),
        ("withheld", "replied_before"),
        ("sent", None),
        ("sent", None),
    ]
    files = sorted(out.glob("*.eml"))
    read = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    to = ["fay@garden.example", "fay@garden.example", "ben@garden.example"]
    assert [message["to"] for message in read] == to
    assert {message["auto-submitted"] for message in read} == {"auto-replied"}


def test_caps_hold_in_a_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An organisation gets no more replies in a day than the settings allow."""
    settings = tmp_path / "settings.yaml"
    settings.write_text("caps: {domain_replies: 1}\n", encoding="utf-8")
    mails = [mail(tmp_path, 1), mail(tmp_path, 1, messageId="b", source="ben@eu.garden.example")]
    out = ("--settings", str(settings), "--send", "--out", str(tmp_path / "out"))
    replay("--format", "json", *out, *mails)
    ends = [json.loads(line)["replies"][0] for line in capsys.readouterr().out.splitlines()]
    assert [end["reason"] for end in ends] == [None, "capped"]


def test_no_reply_is_sent_while_sending_is_paused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pause without a beginning counts as a long one."""
    settings = tmp_path / "settings.yaml"
    settings.write_text("sending: paused", encoding="utf-8")
    arguments = ["--settings", str(settings), "--send", "--out", str(tmp_path / "out")]
    replay("--format", "json", *arguments, mail(tmp_path, 1))
    (line,) = capsys.readouterr().out.splitlines()
    (end,) = json.loads(line)["replies"]
    assert (end["status"], end["reason"]) == ("withheld", "held")
    assert not list((tmp_path / "out").glob("*.eml"))


def test_nothing_is_sent_in_mode_shadow(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The decision is shown, and no reply."""
    settings = tmp_path / "settings.yaml"
    settings.write_text("mode: shadow", encoding="utf-8")
    replay("--format", "json", "--settings", str(settings), mail(tmp_path, 1))
    assert "replies" not in json.loads(capsys.readouterr().out)
