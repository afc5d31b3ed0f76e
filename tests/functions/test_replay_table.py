"""The table of `bouncer replay` and the counts below it, on terminals and in pipes."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from bouncer.rules.rule_reader import read_rule
from bouncer_cli import command_line as cli
from bouncer_cli.commands.demo_command import SAMPLES, SHIPPED_RULES
from bouncer_cli.replay import Bounce, Result
from bouncer_cli.replay_layout import COLUMNS
from bouncer_cli.replay_table import TableReport
from bouncer_cli.rule_counts import RuleCounts
from bouncer_cli.short_form import ShortForms, cut_source
from tests.functions.pseudo_terminal import shown_at
from tests.functions.replay_results import result_of

RULES = {
    "100-left": "when: {recipient: ann@example.com}\nreject: {type: DoesNotExist}",
    "200-trial": "mode: shadow\nwhen: {sender_domain: b.example}\ndrop: {}",
    "300-idle": "when: {subject: nothing}\ndrop: {}",
    "900-unknown-mailbox": (
        "when: {recipient_domain: example.com}\nunless: {recipient: bob@example.com}\n"
        "reject: {type: DoesNotExist}"
    ),
}
LONG = "a-name-that-goes-on-and-on-for-nearly-sixty-four-characters"


def event(sender: str, recipient: str) -> str:
    """Return an SES event as one line; a sender that is called forged did not pass SPF."""
    spf = "FAIL" if "forged" in sender else "PASS"
    headers = [{"name": "From", "value": sender}, {"name": "Subject", "value": "Hello"}]
    return json.dumps(
        {
            "ses": {
                "mail": {"messageId": f"m{sender}", "source": sender, "headers": headers},
                "receipt": {"recipients": [recipient], "spfVerdict": {"status": spf}},
            }
        }
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with rules and six events in one file."""
    (tmp_path / "rules").mkdir()
    for name, text in RULES.items():
        (tmp_path / "rules" / f"{name}.yaml").write_text(text)
    pairs = [
        ("tom.baker@bakery.example", "ann@example.com"),
        ("tom.baker@bakery.example", "bob@example.com"),
        ("forged@bank.example", "nobody-of-this-name@example.com"),
        ("carla@b.example", "ann@example.com"),
        ("carla@b.example", "bob@example.com"),
        (f"{LONG}@sub.b.example", "ann@example.com"),
    ]
    (tmp_path / "inbox.jsonl").write_text("\n".join(event(*pair) for pair in pairs))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("columns", "rule"), [(72, "900-u…box"), (80, "900-u…box"), (130, "900-unknown-mailbox")]
)
def test_a_terminal_shows_every_decision_and_reason(folder: Path, columns: int, rule: str) -> None:
    """No line is wider than the terminal; each mail keeps its number, decision and reason."""
    lines = shown_at(columns, "replay", "inbox.jsonl", folder=folder)
    rows = lines[: next(at for at, line in enumerate(lines) if line.startswith("6 mails"))]
    assert all(len(line) <= columns for line in rows)
    shown = "\n".join(rows)
    for number in range(1, 7):
        assert re.search(rf"^inbo\S+#{number} ", shown, re.MULTILINE)
    assert re.search(r"#1 .* reject 100-left +queued$", shown, re.MULTILINE)
    assert re.search(rf"#3 .* reject {rule} +withheld: unauthenticated$", shown, re.MULTILINE)


def test_addresses_shrink_first(folder: Path) -> None:
    """In 80 columns both addresses are cut, and begin and end as they do in a wide terminal."""
    lines = shown_at(80, "replay", "inbox.jsonl", folder=folder)
    assert lines[0].split() == list(COLUMNS)
    sender, recipient = lines[1].split()[1:3]
    assert re.fullmatch("tom.+xample", sender)
    assert re.fullmatch("ann.+com", recipient)
    assert "too narrow" not in " ".join(lines)
    wide = shown_at(200, "replay", "inbox.jsonl", folder=folder)
    assert wide[0].split() == list(COLUMNS)
    assert f"{LONG}@sub.b.example" in wide[6]


def test_a_very_narrow_terminal_says_what_it_leaves_out(folder: Path) -> None:
    """In 55 columns one address is left, in 45 none; a remark says so, and reasons stand whole."""
    for columns, names in ((55, ["MAIL", "FROM"]), (45, ["MAIL"])):
        lines = shown_at(columns, "replay", "inbox.jsonl", folder=folder)
        assert lines[0].split() == [*names, "DECISION", "BOUNCE"]
        assert "too narrow for addresses" in " ".join(lines)
        assert "unauthenticated" in "\n".join(lines)


def test_a_pipe_gets_every_character(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is cut where the output is not a terminal, however wide it is."""
    assert cli.main(["replay", "inbox.jsonl"]) == 0
    out = capsys.readouterr().out
    assert f"{LONG}@sub.b.example" in out
    assert "\u2026" not in out
    assert "..." not in out
    assert len(out.splitlines()) == 7
    assert folder.name not in out


def test_wide_letters_do_not_shift_the_columns() -> None:
    """A name in Japanese takes two places for each letter, on a terminal and in a pipe."""
    for terminal in (True, False):
        console = Console(force_terminal=terminal, width=80, no_color=True, file=io.StringIO())
        table = TableReport(console)
        for name in ("\u8acb\u6c42\u66f8.eml", "b.eml"):
            table.add(Result(source=name))
        table.close()
        assert isinstance(console.file, io.StringIO)
        lines = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue()).splitlines()
        assert {cell_len(line.partition("<>")[0]) for line in lines[1:]} == {12}


def test_a_reason_is_folded_and_never_cut() -> None:
    """A long reason of a failed bounce goes on below, in its column."""
    reason = "MessageRejected: " + " ".join(f"word{number}" for number in range(30))
    console = Console(force_terminal=True, width=80, no_color=True, file=io.StringIO())
    table = TableReport(console)
    table.add(Result(source="a.eml", bounce=Bounce(status="failed", reason=reason)))
    table.close()
    assert isinstance(console.file, io.StringIO)
    text = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())
    assert f"failed: {reason}".split() == [
        word for word in text.split() if word.startswith(("failed", "Message", "word"))
    ]
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize(
    ("source", "most", "shown"),
    [
        ("folder/box.mbox#12", 15, "\u2026/box.mbox#12"),
        ("some/folder/box.mbox#12", 22, "\u2026/folder/box.mbox#12"),
        ("17-german-umlauts-in-a-box.mbox#3", 15, "17-german-um\u2026#3"),
        ("events-of-november.jsonl#120#2", 15, "events-o\u2026#120#2"),
        ("folder/17-german-umlauts.eml", 12, "17-germ\u2026auts"),
        ("folder/08-bcc-only.eml", 12, "08-bcc-only"),
        ("folder/a.eml", 15, "folder/a.eml"),
        ("cur/1793607261.7.host:2,S", 12, "1793607\u2026:2,S"),
    ],
)
def test_a_source_keeps_what_identifies_it(source: str, most: int, shown: str) -> None:
    """A path loses its folders first, a long name its extension and its middle."""
    assert ShortForms(cut_source).of(source, most) == shown
    assert len(shown) <= most


def test_rows_of_a_long_run_appear_at_once() -> None:
    """A terminal shows its first rows after half a second, and from then on each at once."""
    console = Console(force_terminal=True, width=80, no_color=True, file=io.StringIO())
    assert isinstance(console.file, io.StringIO)
    moments = iter((0.0, 0.1, 0.6))
    table = TableReport(console, clock=lambda: next(moments))
    table.add(Result(source="1.eml"))
    assert console.file.getvalue() == ""
    table.add(Result(source="2.eml"))
    assert "2.eml" in console.file.getvalue()


def test_no_count_of_mails_stands_in_the_table(folder: Path) -> None:
    """On a terminal the output is the table and the lines below it, each once."""
    lines = shown_at(80, "replay", "inbox.jsonl", folder=folder)
    assert [line for line in lines if re.search(r"\d+ mails?", line)] == [
        line for line in lines if line.startswith("6 mails: ")
    ]


@pytest.mark.usefixtures("folder")
def test_a_replay_ends_with_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Each rule has its number of mails, in mode shadow too; idle rules and senders are named."""
    cli.main(["replay", "inbox.jsonl"])
    err = capsys.readouterr().err.splitlines()
    assert err[0].startswith("6 mails: 4 rejected, 2 no rule; bounces: 3 queued, 1 withheld")
    assert err[2:5] == [
        "  3  reject 100-left",
        "  1  drop 200-trial (shadow)",
        "  1  reject 900-unknown-mailbox",
    ]
    assert "rules that never matched, or only after one that decided: 300-idle" in err
    (senders,) = (line for line in err if line.startswith("top senders: "))
    assert "tom.baker@bakery.example (2, 1 rejected)" in senders


@pytest.mark.usefixtures("folder")
def test_a_rule_that_was_unknown_is_counted_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    """It may have matched, so it is not among those that never did."""
    asks = "when: {recipient: {in: departed}}\nreject: {type: DoesNotExist}"
    Path("rules/210-missing.yaml").write_text(asks)
    cli.main(["replay", "inbox.jsonl"])
    err = capsys.readouterr().err.splitlines()
    assert "rules that were unknown (?) for some mails: 210-missing (3)" in err
    assert "rules that never matched, or only after one that decided: 300-idle" in err


@pytest.mark.usefixtures("folder")
def test_a_share_counts_what_it_decided(capsys: pytest.CaptureFixture[str]) -> None:
    """And says how many mails were outside it; the table has the same words."""
    Path("rules/100-left.yaml").write_text(f"share: 60%\n{RULES['100-left']}")
    cli.main(["replay", "inbox.jsonl"])
    table, err = capsys.readouterr()
    outside = table.count("(outside its share of 60%: reject 100-left)")
    assert 0 < outside < 3
    line = f"  {3 - outside}  reject 100-left (and {outside} outside its share of 60%)"
    assert line in err.splitlines()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("only", "numbers"),
    [("rejected", "1346"), ("bounced", "146"), ("withheld", "3"), ("shadow", "5")],
)
def test_only_chosen_mails_are_shown(
    only: str, numbers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table and JSON have the chosen mails, the counts are those of all."""
    cli.main(["replay", "--only", only, "inbox.jsonl"])
    table, err = capsys.readouterr()
    assert "".join(re.findall(r"^inbox.jsonl#(\d)", table, re.MULTILINE)) == numbers
    assert err.startswith("6 mails: ")
    assert f"--only {only}: {len(numbers)} shown in the table" in err
    cli.main(["replay", "--only", only, "--format", "json", "inbox.jsonl"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["source"][-1] for line in lines] == list(numbers)


@pytest.mark.usefixtures("folder")
def test_an_unreadable_input_is_never_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence says what was not read, whatever is chosen."""
    assert cli.main(["replay", "--only", "shadow", "missing.eml"]) == 1
    assert "missing.eml  not read: " in capsys.readouterr().out


def test_countless_senders_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rare senders are forgotten, frequent ones keep their counts."""
    monkeypatch.setattr("bouncer_cli.rule_counts._MOST_SENDERS", 10)
    counts = RuleCounts([read_rule("a", "drop: {}")])
    for result in map(
        result_of, [*["often@a.example"] * 3, *(f"{n}@b.example" for n in range(40))]
    ):
        counts.add(result)
    assert any("often@a.example (3)" in line for line in counts.lines())


def test_the_samples_fit_eighty_columns(tmp_path: Path) -> None:
    """With the shipped rules and mails, too, every rule and every reason stands in full."""
    paths = sorted(SAMPLES.glob("*.eml"))
    lines = shown_at(80, "replay", "--rules", SHIPPED_RULES, *paths, folder=tmp_path)
    assert all(len(line) <= 80 for line in lines)
    shown = "\n".join(lines)
    for text in ("900-unknown-mailbox", "withheld: unauthenticated", "withheld: daemon_sender"):
        assert text in shown


def test_a_long_sentence_about_an_input_fits_the_terminal(folder: Path) -> None:
    """An input that was not read has a line, which goes on below further in."""
    (folder / "no-recipient.eml").write_text("From: tom@bakery.example\n\nHello\n")
    lines = shown_at(60, "replay", "no-recipient.eml", folder=folder)
    assert lines[:2] == [
        "no-recipient.eml  not read: found no recipient in the",
        "  mail, expected --recipient ADDR to name one",
    ]
