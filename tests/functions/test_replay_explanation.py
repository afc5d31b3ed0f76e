"""`bouncer replay --explain`: the answer first, everything on request, any mail by its name."""

import json
from pathlib import Path

import pytest

from bouncer_cli import command_line as cli
from bouncer_cli.commands.demo_command import SAMPLES, SHIPPED_RULES
from tests.functions.pseudo_terminal import shown_at


def explained(
    capsys: pytest.CaptureFixture[str],
    mail: str,
    *,
    rules: Path = SHIPPED_RULES,
    full: bool = False,
) -> list[str]:
    """Return the lines that explain a mail."""
    option = "--explain=full" if full else "--explain"
    assert cli.main(["replay", "--rules", str(rules), option, mail]) == 0
    return capsys.readouterr().out.splitlines()


def sample(name: str) -> str:
    return str(next(SAMPLES.glob(f"{name}*.eml")))


def test_the_answer_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Decision, rule and the conditions that held begin the explanation; the rest are numbers."""
    assert explained(capsys, sample("02-"))[:6] == [
        "recipient ann@example.com: reject by 200-departed",
        "  yes 200-departed: reject",
        '    yes recipient equals "ann@example.com"',
        "  no  4 rules before it",
        "  guard: may be answered",
        "disposition: STOP_RULE_SET",
    ]


def test_a_brief_explanation_collapses_lists(capsys: pytest.CaptureFixture[str]) -> None:
    """Of long lists it has the first parts and the number; it fits a screen."""
    lines = explained(capsys, sample("40-"))
    assert (
        '    yes not (any of 7: recipient equals "info@example.com"; '
        'recipient equals "hello@example.com"; ...)'
    ) in lines
    assert "  guard: withheld, unauthenticated" in lines
    assert "    no  15 other reasons" in lines
    assert lines[-1] == "--explain=full shows every rule, condition and reason."
    assert len(lines) < 24


def test_recipients_decided_alike_are_explained_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Of twenty-five recipients, twenty-four have one answer."""
    lines = explained(capsys, sample("06-"))
    assert lines[0] == "recipient info@example.com and 23 more: reject by 310-too-many-recipients"
    assert [line for line in lines if line.startswith("recipient ")][1:] == [
        "recipient ann@example.com: reject by 200-departed"
    ]


def test_rules_in_shadow_mode_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """A rule that matched and was passed over has its conditions, too."""
    lines = explained(capsys, sample("45-"))
    assert lines[1:4] == [
        "  yes 400-spam: drop (shadow)",
        "    yes spam is fail",
        "    yes not (dmarc is pass)",
    ]


def test_a_waived_reason_that_stops_the_mail_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With headers beyond all bounds `answer: spam` bounces nothing; it is stopped as spam."""
    (tmp_path / "100-all.yaml").write_text("reject: {type: DoesNotExist, answer: spam}")
    raw = Path(sample("19-")).read_bytes().replace(b"Spam-Verdict: PASS", b"Spam-Verdict: FAIL")
    raw = raw.replace(b"\nList-Id:", b"\nX-Pad: " + b"x" * 300_000 + b"\nList-Id:")
    mail = tmp_path / "padded.eml"
    mail.write_bytes(raw)
    lines = explained(capsys, str(mail), rules=tmp_path)
    assert "  guard: withheld, spam" in lines
    assert (
        "    yes spam: spam verdict fail (the rule or settings answer it, unless something else "
        "withholds the bounce)"
    ) in lines
    assert "disposition: STOP_RULE_SET" in lines


def test_a_full_explanation_names_every_condition(capsys: pytest.CaptureFixture[str]) -> None:
    """It shows each rule with its conditions, and each of the guard's checks."""
    lines = explained(capsys, sample("25-"), full=True)
    assert lines[0] == "recipient ann@example.com: reject by 200-departed"
    for text in (
        "  no  060-partners: accept",
        '          no  sender_domain is a subdomain of "partner.example"',
        "  yes 200-departed: reject",
        '    yes recipient equals "ann@example.com"',
        "    yes lists: header list-id (the rule or settings answer it)",
        "    no  spam",
        "disposition: STOP_RULE_SET",
    ):
        assert text in lines
    assert len(lines) > 50


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a rule of three hundred addresses, a rule of the past, and three events."""
    rules = tmp_path / "rules"
    rules.mkdir()
    names = [f"a{number}@example.com" for number in range(300)]
    (rules / "100-many.yaml").write_text(
        f"when: {{recipient: {json.dumps(names)}, subject: [{{contains: hel}}, Hello]}}\ndrop: {{}}"
    )
    (rules / "050-past.yaml").write_text("until: 2020-01-01\ndrop: {}")
    headers = [{"name": "Subject", "value": "Hello"}]
    mail = {"messageId": "x", "source": "b@b.example", "headers": headers}
    lines = [
        json.dumps({"ses": {"mail": mail, "receipt": {"recipients": [name]}}})
        for name in ("a7@example.com", "other@example.com", "a299@example.com")
    ]
    (tmp_path / "box.jsonl").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_mail_is_explained_by_the_name_that_was_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`box.jsonl#3` is the third mail of the file; so is `./box.jsonl#3`."""
    for name in ("box.jsonl#3", "./box.jsonl#3"):
        lines = explained(capsys, name, rules=Path("rules"))
        assert lines[0] == "recipient a299@example.com: drop by 100-many"
    cli.main(["replay", "--format", "json", "box.jsonl#2"])
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["source"] == "box.jsonl#2"


@pytest.mark.usefixtures("folder")
def test_a_number_that_no_mail_has_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence names the last mail of the file."""
    assert cli.main(["replay", "--explain", "box.jsonl#4"]) == 1
    *_, said = capsys.readouterr().err.splitlines()  # warnings about the rules stand above it
    assert said == (
        "box.jsonl#4: found no such mail in box.jsonl, expected one of it "
        "(the last one is box.jsonl#3)"
    )


@pytest.mark.usefixtures("folder")
def test_several_mails_are_refused_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence has the name of a mail that can be explained."""
    assert cli.main(["replay", "--explain", "box.jsonl"]) == 2
    *_, said = capsys.readouterr().err.splitlines()
    assert said == "--explain: found several mails, expected one, such as 'box.jsonl#1'"


def test_a_file_whose_name_has_a_number_sign_is_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`a#1.eml` is a file where there is one."""
    monkeypatch.chdir(tmp_path)
    Path("a#1.eml").write_bytes(Path(sample("02-")).read_bytes())
    assert explained(capsys, "a#1.eml")[0] == "recipient ann@example.com: reject by 200-departed"
    assert cli.main(["replay", "--rules", str(SHIPPED_RULES), "b#1.eml"]) == 1
    assert "can't be read (No such file or directory)" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_a_long_list_is_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """The address that matched is shown, the others counted; a rule of the past is named."""
    lines = explained(capsys, "box.jsonl#1", rules=Path("rules"))
    assert lines[1:7] == [
        "  yes 100-many: drop",
        '    yes recipient equals "a7@example.com"',
        "        (299 other conditions do not hold)",
        '    yes subject contains "hel"',
        '    yes subject equals "Hello"',
        "  no  050-past: drop (not in force when the mail was received)",
    ]
    assert len(lines) < 22


def test_an_explanation_fits_the_terminal(tmp_path: Path) -> None:
    """Long lines go on below, between words, further in; a pipe gets them whole."""
    lines = shown_at(
        80, "replay", "--rules", SHIPPED_RULES, "--explain", sample("40-"), folder=tmp_path
    )
    assert all(len(line) <= 80 for line in lines)
    at = lines.index("    yes unauthenticated: SPF fail, DMARC fail, envelope sender")
    assert lines[at + 1] == "      service@bank.example, From Your Bank <service@bank.example>"


@pytest.mark.parametrize("full", [False, True])
def test_a_rule_outside_its_share_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, *, full: bool
) -> None:
    """It is shown with its conditions, as a rule in mode shadow is."""
    (tmp_path / "200-trial.yaml").write_text("share: 0%\nwhen: {spam: pass}\ndrop: {}")
    lines = explained(capsys, sample("02-"), rules=tmp_path, full=full)
    assert lines[:3] == [
        "recipient ann@example.com: no rule matches",
        "  yes 200-trial: drop (outside its share of 0%)",
        "    yes spam is pass",
    ]


_SUCCESSOR = """when: {recipient: {in: departed}}
reject: {type: DoesNotExist, message: "Write to {departed.successor}."}"""


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("rule", "cause"),
    [
        ("when: {recipient: {in: partners}}\ndrop: {}", "found no list partners"),
        (_SUCCESSOR, "the row of ann@example.com in list departed has no successor"),
        (_SUCCESSOR.replace("successor", "phone"), "list departed has no column phone"),
        (
            "when: {source_ip: {in: departed}}\ndrop: {}",
            "list departed is one of addresses, which source_ip can't ask",
        ),
        (
            "when: {body: {in: words}}\ndrop: {}",
            "there is only the event: the content of the mail is not known",
        ),
    ],
)
def test_an_unknown_condition_names_its_one_cause(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, rule: str, cause: str, *, full: bool
) -> None:
    """The list that is missing or cannot answer, the row with a gap, or the content."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "200-trial.yaml").write_text(rule)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "departed.csv").write_text("email,successor\nann@example.com,\n")
    (tmp_path / "lists" / "words.txt").write_text("special offer\n")
    (tmp_path / "lists" / "words.yaml").write_text("kind: words\nfile: words.txt\n")
    mail = "tests/cases/10-wrapped-by-sns/event.json" if "body" in rule else sample("02-")
    lines = explained(capsys, mail, rules=tmp_path / "rules", full=full)
    assert [line for line in lines if line.rstrip().endswith(f"({cause})")]


@pytest.mark.parametrize(
    ("bound", "shown"),
    [
        ("over: 100KB", "size over 100KB (found 123KB)"),
        ("over: 100000, under: 0.5GB", "size over 100KB, under 500MB (found 123KB)"),
        ("over: 122999", "size over 122.999KB (found 123KB)"),
        ("over: 123000", "size over 123KB (found 123.004KB)"),
    ],
)
def test_sizes_are_shown_as_rules_write_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, bound: str, shown: str
) -> None:
    """A found size is rounded, but never to the other side of a bound."""
    head = "From: a@b.example\nTo: ann@example.com\n\n"
    mail = tmp_path / "large.eml"
    mail.write_text(head + "x" * (123_004 - len(head)))
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "100-large.yaml").write_text(f"when: {{size: {{{bound}}}}}\ndrop: {{}}")
    lines = explained(capsys, str(mail), rules=tmp_path / "rules")
    assert f"    yes {shown}" in lines
