"""`bouncer lists check` says what is in a list, and what is wrong with it."""

import json
from pathlib import Path

from bouncer.rules.list_warnings import list_warnings
from bouncer.rules.rule_reader import read_rule
from bouncer_cli.commands.demo_command import SHIPPED_RULES
from bouncer_cli.list_files import ListFolder
from tests.functions.cli.command_runs import Run

LISTS = SHIPPED_RULES.parent / "lists"


def test_the_lists_beside_the_starter_rules_are_sound(run: Run) -> None:
    """They can be copied; the document and the file it names are the same list."""
    status, out, err = run("lists", "check", *map(str, sorted(LISTS.iterdir())))
    assert (status, err) == (0, "")
    shown = [line.rpartition("/")[2] for line in out.splitlines()]
    assert shown == [
        "blocked-domains.csv: 200 domains with reason",
        "blocked-domains.yaml: 200 domains with reason",
        "departed.csv: 3 addresses with successor, subject",
        "mailboxes.txt: 7 addresses",
    ]


def test_the_starter_rules_fit_their_lists() -> None:
    """No question of theirs is unknown as soon as their mode is enforce."""
    texts = {path.stem: path.read_text("utf-8") for path in SHIPPED_RULES.glob("*.yaml")}
    asking = [
        read_rule(name, text.replace("mode: off\n", ""))
        for name, text in texts.items()
        if "{in: " in text
    ]
    assert len(asking) == 3
    lists = {name: found.read().about for name, found in ListFolder(LISTS).items()}
    assert not list(list_warnings(asking, lists))
    assert len(list(list_warnings(asking, {}))) == 3


def test_a_wrong_list_is_told_by_line(run: Run, tmp_path: Path) -> None:
    """Its problems stand on stderr, and the status is 1; other lists are still checked."""
    wrong, doubtful = tmp_path / "wrong.csv", tmp_path / "doubtful.txt"
    wrong.write_text("address\nann@example.com\nnobody\n", encoding="utf-8")
    doubtful.write_text("ann@example.com\nAnn@example.com\n", encoding="utf-8")
    assert run("lists", "check", str(wrong), str(doubtful))[0] == 1
    status, out, err = run("lists", "check", str(wrong), str(doubtful), str(tmp_path / "none.csv"))
    assert status == 2  # as for every command with a file that is missing
    assert out == f"{doubtful}: 1 address\n"
    first, second, third = err.splitlines()
    assert first.startswith(f'{wrong}:3: found "nobody", expected an address')
    assert second.startswith(f'warning: {doubtful}:2: found "Ann@example.com" again')
    assert third == f"{tmp_path / 'none.csv'}: can't be read (No such file or directory)"


def test_a_folder_is_all_its_lists(run: Run, tmp_path: Path) -> None:
    """As a push takes them: a document and its file are one; an empty folder is a mistake."""
    status, out, err = run("lists", "check", str(LISTS))
    assert (status, err) == (0, "")
    assert [line.rpartition("/")[2] for line in out.splitlines()] == [
        "blocked-domains.yaml: 200 domains with reason",
        "departed.csv: 3 addresses with successor, subject",
        "mailboxes.txt: 7 addresses",
    ]
    (tmp_path / "a.csv").write_text("a.example\n")
    (tmp_path / "a.txt").write_text("a.example\n")
    assert run("lists", "check", str(tmp_path)) == (
        1,
        "",
        f"{tmp_path / 'a.txt'}: found a second list of this name, expected one\n",
    )
    (tmp_path / "none").mkdir()
    status, _, err = run("lists", "check", str(tmp_path / "none"))
    assert (status, err) == (2, f"{tmp_path / 'none'}: found no list, expected at least one\n")


def test_json_has_what_the_table_has(run: Run, tmp_path: Path) -> None:
    """One object for each list, with exactly the documented members."""
    path = tmp_path / "a.csv"
    path.write_text("domain,why\nexample.com,spam\nexample.com,spam\n", encoding="utf-8")
    doubt = f'{path}:3: found "example.com" again (first: "example.com" in line 2), expected '
    _, out, _ = run("lists", "check", "--format", "json", str(path))
    assert json.loads(out) == {
        "file": str(path),
        "kind": "domains",
        "entries": 1,
        "columns": ["why"],
        "problems": [],
        "warnings": [f"{doubt}each entry once"],
    }


def test_a_rule_asks_the_lists_that_replay_names(run: Run, tmp_path: Path) -> None:
    """`--lists DIR`; an invalid list ends the command, a missing one is a warning."""
    rules, lists = tmp_path / "rules", tmp_path / "elsewhere"
    rules.mkdir()
    lists.mkdir()
    (rules / "100-a.yaml").write_text("when: {recipient: {in: gone}}\ndrop: {}\n")
    mail = str(tmp_path / "a.eml")
    Path(mail).write_text("From: a@b.example\nTo: ann@example.com\n\nHello\n")
    words = ("replay", "--format", "json", "--rules", str(rules), "--lists", str(lists), mail)
    status, out, err = run(*words)
    assert (status, json.loads(out)["decisions"][0]["unknown"]) == (0, ["100-a"])
    assert "recipient.in: found no list gone" in err
    (lists / "gone.txt").write_text("ann@example.com\n")
    status, out, err = run(*words)
    assert (status, err, json.loads(out)["decisions"][0]["rule"]) == (0, "", "100-a")
    (lists / "gone.txt").write_text("nobody\n")
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert err.startswith(f'{lists / "gone.txt"}:1: found "nobody"')
    (lists / "gone.csv").write_text("ann@example.com\n")
    assert "found a second list of this name" in run(*words)[2]
    assert "found no folder" in run(*words[:-2], str(tmp_path / "none"), mail)[2]


def test_a_text_is_never_sent_with_a_gap(run: Run, tmp_path: Path) -> None:
    """`bob@example.com,` without a successor: the rule is unknown, and --explain says why."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "gone.csv").write_text("address,successor\nbob@example.com,\n")
    rule = 'when: {recipient: {in: gone}}\nreject: {type: Undefined, message: "{gone.successor}."}'
    (tmp_path / "rules" / "100-gone.yaml").write_text(rule)
    mail = tmp_path / "a.eml"
    mail.write_text("From: a@b.example\nTo: bob@example.com\n\nHello\n")
    words = ("replay", "--rules", str(tmp_path / "rules"), "--explain", str(mail))
    status, out, _ = run(*words, "--recipient", "bob@example.com")
    assert (status, out.splitlines()[0]) == (0, "recipient bob@example.com: no rule matches")
    assert "100-gone: reject (unknown, so passed over)" in out
    assert "(the row of bob@example.com in list gone has no successor)" in out
