"""The `bouncer` command as a user types it: outputs, errors, exit statuses."""

import email
import re
from pathlib import Path

from bouncer_cli.commands.demo_command import SAMPLES
from tests.functions.cli.command_runs import Run, objects, sample


def test_json_is_the_contract(run: Run) -> None:
    """Each mail is one object with exactly the documented members."""
    status, out, err = run("replay", "--format", "json", sample("02-"))
    assert (status, err) == (0, "")
    assert objects(out) == [
        {
            "source": str(sample("02-")),
            "message_id": "9faq1i44m2dl3nhsa74qgvoo9aqd2ojfr4tjp8g1",
            "sender": "tom.baker@bakery.example",
            "assumed": [],
            "subject": "Re: Invoice 2026-0417",
            "disposition": "STOP_RULE_SET",
            "decisions": [
                {
                    "recipient": "ann@example.com",
                    "action": "reject",
                    "rule": "200-departed",
                    "shadow": [],
                }
            ],
            "bounce": {"status": "queued", "reason": None, "recipients": ["ann@example.com"]},
            "error": None,
        }
    ]


def test_every_input_yields_one_line(run: Run, tmp_path: Path) -> None:
    """Bad input is one line too, the other inputs are still read, and the status is 1."""
    (tmp_path / "empty.eml").touch()
    (tmp_path / "event.json").write_text(
        '{"Type": "SubscriptionConfirmation", "SubscribeURL": "x"}'
    )
    status, out, _ = run("replay", "--format", "json", tmp_path, "missing.eml", sample("01-"))
    assert status == 1
    found = objects(out)
    assert [line["error"] for line in found] == [
        "found an empty file, expected a mail or an SES event",
        "found an SNS subscription confirmation, expected a record with ses.mail",
        "can't be read (No such file or directory)",
        None,
    ]
    assert found[0]["bounce"] == {"status": "none", "reason": None, "recipients": []}


def test_the_table_shows_each_mail_on_one_line(run: Run) -> None:
    """Every sample has its row, bad input its whole sentence, and a summary ends the table."""
    paths = sorted(SAMPLES.glob("*.eml"))
    status, out, err = run("replay", *paths, "missing.eml")
    assert status == 1
    assert len(out.splitlines()) == 1 + len(paths) + 1
    assert "not read: can't be read (No such file or directory)" in out
    assert err.startswith(f"{len(paths) + 1} mails: ")
    assert out.isprintable() or set(re.findall(r"[^\x20-\x7e]", out)) <= {"\n", "\u2026"}


def test_sending_writes_one_notification_for_each_bounce(run: Run, tmp_path: Path) -> None:
    """Queue, mapping, worker and fake SES do their work, and each bounce is a file."""
    status, out, _ = run(
        "replay",
        "--format",
        "json",
        "--send",
        "--out",
        tmp_path / "out",
        *sorted(SAMPLES.glob("*.eml")),
    )
    assert status == 0
    sent = [line for line in objects(out) if line["bounce"]["status"] == "sent"]
    files = sorted((tmp_path / "out").glob("*.eml"))
    assert len(sent) == len(files) >= 12
    assert {line["bounce"]["status"] for line in objects(out)} == {"none", "withheld", "sent"}
    for line, file in zip(sent, files, strict=True):
        notification = email.message_from_bytes(file.read_bytes())
        assert notification["Return-Path"] == "<>"
        assert notification["To"] == line["sender"]
        assert notification.get_content_type() == "multipart/report"


def test_the_same_mail_is_bounced_once(run: Run, tmp_path: Path) -> None:
    """A mail replayed twice is a duplicate the second time."""
    mail = sample("02-")
    _, out, _ = run("replay", "--format", "json", "--send", "--out", tmp_path, mail, mail)
    bounces = [(line["bounce"]["status"], line["bounce"]["reason"]) for line in objects(out)]
    assert bounces == [("sent", None), ("withheld", "duplicate")]
    assert len(list(tmp_path.glob("*.eml"))) == 1


def test_sending_withholds_bounces_beyond_at_most(run: Run, tmp_path: Path) -> None:
    """The limit is read from the rules that are replayed, and the table names the reason."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "a.yaml").write_text(
        "at_most: {bounces: 1, per: 24h}\nwhen: {recipient_domain: example.com}\n"
        "reject: {type: DoesNotExist}"
    )
    mails = [next(SAMPLES.glob(f"{number}-*.eml")) for number in ("02", "03", "49")]
    options = ("--format", "json", "--send", "--out", tmp_path / "out", "--rules", rules)
    _, out, _ = run("replay", *options, *mails)
    bounces = [line["bounce"] for line in objects(out)]
    assert [bounce["status"] for bounce in bounces] == ["sent", "withheld", "withheld"]
    assert [bounce["reason"] for bounce in bounces] == [None, "braked", "braked"]


def test_a_sender_nobody_verified_is_refused_as_ses_would(run: Run, tmp_path: Path) -> None:
    """A sender in a domain that receives no mail here fails before it is deployed."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "a.yaml").write_text("reject: {type: Undefined, sender: a@elsewhere.example}")
    status, out, _ = run(
        "replay",
        "--rules",
        rules,
        "--format",
        "json",
        "--send",
        "--out",
        tmp_path / "o",
        sample("01-"),
    )
    bounce = objects(out)[0]["bounce"]
    assert (status, bounce["status"]) == (0, "failed")
    assert "not verified" in bounce["reason"]


def test_the_demo_shows_all_its_mails(run: Run, tmp_path: Path) -> None:
    """Every sample is judged, at least a dozen are bounced, and their folder is named."""
    status, out, err = run("demo", "--out", tmp_path / "demo")
    assert status == 0
    assert len(out.splitlines()) == 1 + len(list(SAMPLES.glob("*.eml")))
    assert len(list((tmp_path / "demo").glob("*.eml"))) >= 12
    assert str(tmp_path / "demo") in err


def test_samples_do_what_their_readme_says(run: Run) -> None:
    """The table in samples/README.md has the results that replay prints."""
    told = {}
    for row in (SAMPLES / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if re.match(r"`\d\d-", cells[0]):
            told[cells[0].strip("`")] = cells[3].replace("`", "")
    _, out, _ = run("replay", "--format", "json", *sorted(SAMPLES.glob("*.eml")))
    found = {}
    for line in objects(out):
        bounce = line["bounce"]
        text = f"{bounce['status']}: {bounce['reason']}" if bounce["reason"] else bounce["status"]
        found[Path(line["source"]).stem] = text
    assert found == told
    assert len(told) >= 30
