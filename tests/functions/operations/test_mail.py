"""`bouncer mail`: stopped mail is listed, printed, and released once, byte for byte."""

import io
import json
import mailbox
import os
import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.jobs.reference import reference
from bouncer.sources.stopped_mail import StoppedFor, StoppedMail, metadata, stopped_key
from bouncer_cli import command_line as cli
from bouncer_cli.mbox import split_mails
from bouncer_cli.operations.operated_account import OperatedAccount
from bouncer_cli.operations.release_target import mbox_entry
from tests.functions.operations.deployed import REGION, Deployed, Operate
from tests.functions.operations.test_jobs import refuse

BUCKET = "mails"
THEIRS = "their-bucket"
NOW = datetime.now(UTC).replace(microsecond=0)
HOSTILE = b"From: eve\r\nSubject: \x1b[2J\r\n\r\nFrom here on\r\n>From there\r\n\x00\xff\r\n"


def mail(number: int, *, rule: str = "200-departed", age_h: float = 1) -> StoppedMail:
    recipient = f"box{number}@example.com"
    message_id = f"{number:040d}"
    bounced = rule != "300-trash"
    return StoppedMail(
        message_id=message_id,
        received_at=NOW - timedelta(hours=age_h),
        references=(reference(message_id, [recipient]),) if bounced else (),
        sender=f"eve{number}@partner.example",
        stopped_for=(StoppedFor(rule, "reject" if bounced else "drop", "", (recipient,)),),
    )


def raw(number: int) -> bytes:
    return b"Subject: mail %d\r\n\r\n" % number + HOSTILE


@pytest.fixture
def s3(deployed: Deployed) -> Any:
    """The mail bucket with four stopped mails, and a bucket to release into."""
    deployed.outputs["MailBucket"] = BUCKET
    client: Any = boto3.client("s3")
    for bucket in (BUCKET, THEIRS):
        place = {"LocationConstraint": REGION}
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
    for number, age_h in ((1, 30), (2, 3), (3, 2)):
        keep(client, mail(number, age_h=age_h), raw(number))
    keep(client, mail(4, rule="300-trash"), raw(4))
    client.put_object(Bucket=BUCKET, Key="stopped/by-hand.txt", Body=b"x")
    client.put_object(Bucket=BUCKET, Key="mail/0a1b", Body=b"Subject: went on\r\n\r\n")
    return client


def keep(client: Any, mail: StoppedMail, body: bytes) -> None:
    client.put_object(Bucket=BUCKET, Key=stopped_key(mail), Body=body, Metadata=metadata(mail))


def keys(client: Any, bucket: str) -> list[str]:
    return [each["Key"] for each in client.list_objects_v2(Bucket=bucket).get("Contents", [])]


pytestmark = pytest.mark.usefixtures("s3")


def test_the_list_has_all_that_identifies_a_mail(operate: Operate) -> None:
    """The oldest first; a mail without a bounce has the beginning of its message id."""
    status, out, err = operate("mail", "list")
    assert (status, err) == (0, "")
    head, *rows = out.splitlines()
    assert head.split() == ["RECEIVED", "(UTC)", "MAIL", "RULE", "FROM", "TO"]
    assert [row.split()[2] for row in rows] == [
        *(mail(number).references[0] for number in (1, 2, 3)),
        mail(4).message_id[:20],
    ]
    assert rows[1].split()[3:] == ["200-departed", "eve2@partner.example", "box2@example.com"]


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        (("--since", "4h"), [2, 3, 4]),
        (("--since", "2d", "--until", "4h"), [1]),
        (("--rule", "300-trash"), [4]),
        (("--rule", "200-departed", "--since", "1d"), [2, 3]),
        (("--since", f"{NOW - timedelta(hours=2, minutes=30):%Y-%m-%dT%H:%M}"), [3, 4]),
        ((mail(2).references[0],), [2]),
        ((mail(3).message_id, mail(1).message_id), [1, 3]),
        (("--rule", "nobody"), []),
    ],
)
def test_a_choice_is_made_by_time_rule_and_name(
    operate: Operate, choice: tuple[str, ...], found: list[int]
) -> None:
    """In every combination."""
    lines = operate("mail", "list", "--format", "json", *choice)[1].splitlines()
    assert {json.loads(line)["message_id"] for line in lines} == {
        mail(number).message_id for number in found
    }


def test_programs_get_an_object_for_each_mail(operate: Operate) -> None:
    """With the envelope that the mail itself does not name."""
    out = operate("mail", "list", mail(4).message_id[:39] + "4", "--format", "json")[1]
    assert json.loads(out) == {
        "message_id": mail(4).message_id,
        "references": [],
        "received_at": mail(4).received_at.isoformat(),
        "sender": "eve4@partner.example",
        "stopped_for": [
            {
                "rule": "300-trash",
                "action": "drop",
                "reason": "",
                "recipients": ["box4@example.com"],
            }
        ],
        "recipients_left_out": 0,
        "size": len(raw(4)),
        "key": stopped_key(mail(4, rule="300-trash")),
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("list", "bnc-aaaaaaaaaaaaaaaa"), "found no such stopped mail, expected the reference"),
        (("list", "0" * 20), "found 4 stopped mails, expected one: write more of its message id"),
        (("list", "0" * 7), "found no such stopped mail, expected the reference of a bounce, or "),
        (("list", "0" * 7), "the beginning (8 characters or more) of a message id"),
        (("list", "--since", "yesterday"), "--since: found yesterday, expected a time such as 12h"),
        (("release", "--to", "x"), "found nothing that chooses mail, expected REFERENCE, or any"),
        (("release", "x", "--rule", "y", "--to", "x"), "found both, expected REFERENCE, or any of"),
        (("release", mail(1).message_id, "--to", "s3:x"), "--to: found s3:x, expected one such as"),
        (("release", mail(1).message_id, "--to", "cdk.json"), "found the file cdk.json, expected"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    operate: Operate, words: tuple[str, ...], says: str
) -> None:
    """With the next step, and nothing is written."""
    status, out, err = operate("mail", *words, *(["--yes"] if words[0] == "release" else []))
    assert (status, says in err, len(err.splitlines())) == (2, True, 1)
    assert "released" not in out


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("", '--to: found "", expected FILE.mbox, a folder, or s3://bucket/prefix/'),
        (" ", '--to: found " ", expected FILE.mbox, a folder, or s3://bucket/prefix/'),
        ("gs://x/y", "--to: found gs://x/y, expected FILE.mbox, a folder, or s3://bucket/prefix/"),
        ("S3:x", "--to: found S3:x, expected one such as s3://bucket/prefix/"),
        ("no/x.mbox", "--to: found no folder no, expected one"),
        ("folder.mbox", "--to: found folder.mbox, which is not a file, expected an mbox"),
        (
            "bad.mbox",
            'bad.mbox: found a file that does not begin with "From ", expected an mbox',
        ),
    ],
)
def test_a_place_that_cannot_be_one_is_refused(
    operate: Operate, tmp_path: Path, place: str, says: str
) -> None:
    """Before anything is written, and in a dry run too."""
    (tmp_path / "bad.mbox").write_text("Subject: x\n\nFrom here on\n")
    (tmp_path / "folder.mbox").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for consent in ("--yes", "--dry-run"):
        words = ("mail", "release", "--rule", "200-departed", "--to", place, consent)
        assert operate(*words) == (2, "", f"{says}\n")
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "bad.mbox").read_text() == "Subject: x\n\nFrom here on\n"


def test_get_prints_a_mail_byte_for_byte(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into a pipe; a terminal would do what the mail says."""
    assert deployed
    piped = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(piped))
    assert cli.main(["mail", "get", mail(2).references[0]]) == 0
    assert piped.getvalue() == raw(2)


def test_get_refuses_a_terminal(operate: Operate, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says what to add."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    status, _, err = operate("mail", "get", mail(2).references[0])
    assert (status, "add > mail.eml" in err) == (2, True)


def release_rule(operate: Operate, place: str) -> tuple[int, str, str]:
    return operate("mail", "release", "--rule", "200-departed", "--to", place, "--yes")


def read_folder(path: Path) -> list[bytes]:
    return [each.read_bytes() for each in sorted(path.glob("*.eml"))]


def read_maildir(path: Path) -> list[bytes]:
    return [each.read_bytes() for each in sorted((path / "new").iterdir())]


def read_mbox(path: Path) -> list[bytes]:
    """Undo mboxrd, as a mail program does."""
    found = re.split(rb"(?m)^From .*\n", path.read_bytes())[1:]
    return [re.sub(rb"(?m)^>(>*From )", rb"\1", each).removesuffix(b"\n") for each in found]


def python_reads(path: Path) -> list[str]:
    """The subjects that Python's own reader finds."""
    with closing(mailbox.mbox(path)) as box:
        return [str(each["subject"]) for each in box]


PLACES: list[tuple[str, str, Callable[[Path], list[bytes]]]] = [
    ("out.mbox", "mbox", read_mbox),
    ("out", "folder of .eml files", read_folder),
    ("Maildir", "Maildir", read_maildir),
]


@pytest.mark.parametrize(("place", "form", "read"), PLACES, ids=[each[0] for each in PLACES])
def test_a_rules_mail_is_released_byte_for_byte(
    operate: Operate, tmp_path: Path, place: str, form: str, read: Callable[[Path], list[bytes]]
) -> None:
    """Each mail once, however often the command is run; what comes later is added."""
    for folder in ("cur", "new"):
        (tmp_path / "Maildir" / folder).mkdir(parents=True)
    status, out, err = operate("mail", "release", mail(1).message_id, "--to", place)
    assert (status, err) == (0, f"1 released into {place} ({form}), 0 were there already\n")
    assert out.splitlines()[-1] == f"{mail(1).references[0]}: released"
    for _ in range(2):
        assert release_rule(operate, place)[0] == 0
    assert sorted(read(tmp_path / place)) == [raw(number) for number in (1, 2, 3)]
    assert not list(tmp_path.rglob("*.part"))


def test_a_released_mail_is_not_released_again(operate: Operate) -> None:
    """The second run says so."""
    release_rule(operate, "out.mbox")
    _, out, err = release_rule(operate, "out.mbox")
    assert out.count("is there already") == 3
    assert err == "0 released into out.mbox (mbox), 3 were there already\n"
    assert ": released" not in out


def test_an_mbox_is_read_by_others(operate: Operate, tmp_path: Path) -> None:
    """Python's reader splits it alike; our replay gets the mails as they were."""
    release_rule(operate, "out.mbox")
    assert python_reads(tmp_path / "out.mbox") == ["mail 1", "mail 2", "mail 3"]
    whole = (tmp_path / "out.mbox").read_bytes()
    for number, found in enumerate(split_mails([whole]), 1):
        assert found is not None
        assert found.partition(b"\n")[2].removesuffix(b"\n") == raw(number)


@pytest.mark.parametrize(
    "before", [b"", b"From x\n\nHello", b"From x\n\nHello\n", b"From x\n\nHello\n\n"]
)
def test_an_mbox_of_others_is_kept(operate: Operate, tmp_path: Path, before: bytes) -> None:
    """Mails are added behind what it has, however that ends."""
    (tmp_path / "out.mbox").write_bytes(before)
    for _ in range(2):
        release_rule(operate, "out.mbox")
    text = (tmp_path / "out.mbox").read_bytes()
    assert text.startswith(before)
    assert len(python_reads(tmp_path / "out.mbox")) == 3 + bool(before)


@given(
    body=st.lists(
        st.sampled_from([b"From ", b">From ", b">>From x", b"From", b" From ", b"x", b""]),
        max_size=12,
    ),
    end=st.sampled_from([b"\r\n", b"\n"]),
)
def test_mboxrd_can_be_undone(body: list[bytes], end: bytes) -> None:
    """For every line that a mail can have."""
    text = end.join(body) + end
    entry = mbox_entry(mail(1), text)
    separator, _, quoted = entry.partition(b"\n")
    assert separator.startswith(b"From eve1@partner.example ")
    assert not re.search(rb"(?m)^From ", quoted)
    assert re.sub(rb"(?m)^>(>*From )", rb"\1", quoted).removesuffix(b"\n") == text


@pytest.mark.parametrize(("scheme", "slash"), [("s3", ""), ("s3", "/"), ("S3", "/")])
def test_a_mail_is_copied_into_a_bucket(operate: Operate, s3: Any, scheme: str, slash: str) -> None:
    """By S3, under its message id, and once; `--yes` stands for the answer."""
    place = f"{scheme}://{THEIRS}/inbox{slash}"
    words = ("mail", "release", "--rule", "200-departed", "--to", place)
    status, _, err = operate(*words)
    assert (status, "expected --yes to do this" in err) == (2, True)
    assert operate(*words, "--dry-run")[0] == 0
    assert keys(s3, THEIRS) == []
    assert release_rule(operate, place)[0] == 0
    assert keys(s3, THEIRS) == [f"inbox/{mail(number).message_id}" for number in (1, 2, 3)]
    body = s3.get_object(Bucket=THEIRS, Key=f"inbox/{mail(1).message_id}")["Body"].read()
    assert body == raw(1)
    assert release_rule(operate, place)[1].count("is there already") == 3


def test_a_dry_run_writes_nothing(operate: Operate, tmp_path: Path) -> None:
    """It shows which mails would be released."""
    before = set(tmp_path.iterdir())
    words = ("mail", "release", "--rule", "200-departed", "--dry-run", "--to")
    for place, _, _ in PLACES:
        status, out, err = operate(*words, place)
        assert (status, err) == (0, "--dry-run: nothing was changed\n")
        assert len(out.splitlines()) == 4
    assert set(tmp_path.iterdir()) == before


def test_a_mail_kept_twice_is_released_once(operate: Operate, tmp_path: Path, s3: Any) -> None:
    """Two invocations with other recipients can have stopped it."""
    keep(s3, mail(1, age_h=30)._replace(references=()), raw(1))
    assert release_rule(operate, "out")[0] == 0
    assert len(read_folder(tmp_path / "out")) == 3


@pytest.mark.parametrize("place", ["out.mbox", "out", f"s3://{THEIRS}/"])
def test_a_release_that_was_stopped_is_completed(
    operate: Operate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, s3: Any
) -> None:
    """Ctrl-C leaves whole mails only; run again, the command writes the others."""
    do = OperatedAccount.do
    asked: list[str] = []

    def once(self: Any, service: str, operation: str, **more: Any) -> Any:
        whole = operation == "copy_object" or (operation == "get_object" and "Range" not in more)
        asked.append(operation) if whole else None
        if len(asked) == 2:
            raise KeyboardInterrupt
        return do(self, service, operation, **more)

    with monkeypatch.context() as patched:
        patched.setattr(OperatedAccount, "do", once)
        assert release_rule(operate, place)[::2] == (130, "stopped\n")
    status, out, _ = release_rule(operate, place)
    assert (status, out.count(": released"), out.count("already")) == (0, 2, 1)
    if place == "out.mbox":
        assert read_mbox(tmp_path / place) == [raw(number) for number in (1, 2, 3)]
    if place.startswith("s3:"):
        assert len(keys(s3, THEIRS)) == 3


def test_a_mail_that_fails_does_not_keep_the_others(
    operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its sentence, and the exit status says that something is left to do."""
    refuse(monkeypatch, "copy_object")
    status, out, err = release_rule(operate, f"s3://{THEIRS}/")
    assert (status, ": released" in out) == (1, False)
    assert err.count("not released: s3:PutObject was answered with AccessDenied") == 3
    assert err.endswith(" (bucket), 0 were there already, 3 not released\n")


@pytest.mark.parametrize("operation", ["list_objects_v2", "get_object"])
def test_a_missing_permission_is_one_sentence(
    operate: Operate, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """It names the action to allow."""
    refuse(monkeypatch, operation)
    status, _, err = operate("mail", "list")
    assert (status, len(err.splitlines())) == (1, 1)
    assert "allow s3:" in err


def test_a_mail_that_expires_meanwhile_is_left_out(
    operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was there when the bucket was listed."""
    refuse(monkeypatch, "get_object", "NoSuchKey")
    assert operate("mail", "list") == (0, "", "found no stopped mail\n")


def test_a_deployment_without_a_bucket_says_so(deployed: Deployed, operate: Operate) -> None:
    """With the setting that makes one."""
    del deployed.outputs["MailBucket"]
    status, _, err = operate("mail", "list")
    assert (status, "take store: false out of cdk.json" in err) == (2, True)


def test_hostile_text_is_shown_as_escapes(operate: Operate, s3: Any) -> None:
    """A stranger wrote sender and recipient."""
    hostile = "\x1b[2J\u202egnp.exe\n"
    group = StoppedFor("200-departed", "reject", "", (f"{hostile}@example.com",))
    keep(s3, mail(5)._replace(sender=f"{hostile}@x.example", stopped_for=(group,)), raw(5))
    _, out, _ = operate("mail", "list")
    assert "\\u001b[2J\\u202egnp.exe\\n@x.example" in out
    assert out.isascii()
    assert len(out.splitlines()) == 6


@pytest.mark.parametrize("verb", ["list", "get", "release"])
def test_the_examples_of_the_help_are_understood(
    operate: Operate, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a line that can be typed as it stands."""
    monkeypatch.setattr(os, "environ", {**os.environ, "COLUMNS": "200"})
    words = operate("mail", verb, "--help")[1].partition("example: bouncer ")[2].split(" > ")[0]
    status, _, err = operate(*words.split())
    assert status == (2 if verb == "get" else 0)
    assert "usage:" not in err
