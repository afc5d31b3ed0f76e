"""`bouncer forget`: shows what is kept about a sender, deletes it, and says what else is kept."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from bouncer.mail.rewritten_sender import normal_sender
from bouncer.sending import counters, lease, suppression
from bouncer.sending.bounce_event import Kind
from bouncer.sending.digest import Salt
from bouncer.sending.write import text
from bouncer.sources.stopped_mail import StoppedFor, StoppedMail, metadata, stopped_key
from tests.functions.operations.deployed import CDK, REGION, Deployed, Operate
from tests.functions.operations.test_jobs import refuse

SALT = Salt("pepper")
EVE = "eve@partner.example"


@pytest.fixture
def known(deployed: Deployed) -> Deployed:
    """A deployment that suppresses Eve, and has counted three bounces to her and one to Bob."""
    item = {"id": text(lease.LEASE), "salt": text(SALT.value)}
    deployed.dynamodb.put_item(TableName="ledger", Item=item)
    now = datetime.now(UTC)
    write = suppression.suppress(SALT.digest(EVE), Kind.PERMANENT, now)
    deployed.dynamodb.update_item(**write.parameters("ledger"))
    for key, count in (
        (counters.sender_key(EVE, SALT), 2),
        (counters.log_keys(EVE, SALT)[7], 1),
        (counters.sender_key("bob@partner.example", SALT), 1),
    ):
        entries = {f"j{number}": {"N": "1"} for number in range(count)}
        item = {"id": text(key), "expires": {"N": "9"}, **entries}
        deployed.dynamodb.put_item(TableName="ledger", Item=item)
    return deployed


def keys(deployed: Deployed) -> list[str]:
    found = deployed.dynamodb.scan(TableName="ledger")["Items"]
    return sorted(item["id"]["S"] for item in found)


@pytest.mark.parametrize("form", [EVE, "Eve+shop@Partner.example", "prvs=0123456789=" + EVE])
def test_a_sender_is_forgotten_in_any_form(known: Deployed, operate: Operate, form: str) -> None:
    """All that is about Bob stays, and so does the lease with the salt."""
    status, out, err = operate("forget", form, "--yes")
    assert status == 0
    assert f"address:    {normal_sender(EVE)}" in out
    assert "suppressed: since " in out
    assert "as a bounce to it bounced for good\n            until " in out
    assert "counted:    3 entries in 2 items of the caps" in out
    assert err == "forgotten: 3 items of the ledger were deleted\n"
    assert keys(known) == sorted(["lease", counters.sender_key("bob@partner.example", SALT)])


@pytest.mark.parametrize("counted", ["news@shop.example", "news-ann=example.com@shop.example"])
def test_a_mailing_is_forgotten_by_its_address(
    deployed: Deployed, operate: Operate, counted: str
) -> None:
    """VERP names a recipient, whom the worker knows and the command has to guess."""
    sender, ann = "news-ann=example.com@shop.example", ("ann@example.com",)
    assert normal_sender(sender, ann) == "news@shop.example"
    items = [
        {"id": text(lease.LEASE), "salt": text(SALT.value)},
        {"id": text(counters.sender_key(counted, SALT)), "expires": {"N": "9"}, "j1": {"N": "1"}},
    ]
    for item in items:
        deployed.dynamodb.put_item(TableName="ledger", Item=item)
    write = suppression.suppress(SALT.digest(counted), Kind.PERMANENT, datetime.now(UTC))
    deployed.dynamodb.update_item(**write.parameters("ledger"))
    status, out, err = operate("forget", sender, "--yes")
    assert status == 0
    assert f"address:    {counted}\n" in out
    assert ("in mail to ann@example.com" in out) is (counted != sender)
    assert err == "forgotten: 2 items of the ledger were deleted\n"
    assert keys(deployed) == ["lease"]


def test_a_dry_run_says_whether_a_sender_is_suppressed(known: Deployed, operate: Operate) -> None:
    """It changes nothing, and nor does the command without a terminal to ask at."""
    before = keys(known)
    assert operate("forget", EVE, "--dry-run")[::2] == (0, "--dry-run: nothing was changed\n")
    status, _, err = operate("forget", EVE)
    assert (status, "expected --yes to do this" in err) == (2, True)
    assert keys(known) == before


def test_the_example_of_the_help_works(known: Deployed, operate: Operate) -> None:
    """It shows what is kept, and changes nothing."""
    before = keys(known)
    words = operate("forget", "--help")[1].partition("example: bouncer ")[2].split()
    assert operate(*words)[0] == 0
    assert keys(known) == before


def test_a_sender_that_is_not_known(known: Deployed, operate: Operate) -> None:
    """The command says so, and what else may have the address."""
    before = keys(known)
    status, out, err = operate("forget", "zoe@partner.example", "--yes")
    assert (status, err) == (0, "nothing was changed\n")
    assert "the ledger has nothing about it" in out
    assert keys(known) == before


def test_a_ledger_without_a_salt_has_nothing(deployed: Deployed, operate: Operate) -> None:
    """No job was ever worked on."""
    assert keys(deployed) == []
    status, out, _ = operate("forget", EVE, "--yes")
    assert (status, "the ledger has nothing about it" in out) == (0, True)


def test_it_says_until_when_other_places_have_the_address(
    known: Deployed, operate: Operate, tmp_path: Path
) -> None:
    """By the settings of the deployment, within 80 columns."""
    assert known
    chosen = {"log_days": 30, "store": {"prefix": "m/", "days": 7}, "invocation": "event"}
    settings = {**CDK["context"]["bouncer"], **chosen, "ledger_recovery": True}
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"bouncer": settings}}))
    _, out, _ = operate("forget", EVE, "--dry-run")
    assert "journal:    lines in the log groups go after 30 days" in out
    assert "archive:    journal and SES's events go after 400 days" in out
    assert (
        "mail:       stored mail goes after 7 days\n            stopped mail goes after 14" in out
    )
    assert "queues:     jobs go after 7 days\n            dead letters go after 14 days" in out
    assert "            failed events go after 14 days" in out
    assert "ledger:     dead jobs that their queue refused go after 14 days" in out
    assert "            copies of the table for recovery go after 35 days" in out
    assert "the setting journal masks or\n            hashes addresses" in out
    assert all(len(line) <= 80 for line in out.splitlines()[1:])


def test_it_names_no_place_that_a_deployment_lacks(known: Deployed, operate: Operate) -> None:
    """SES waits for the intake by default, and the table has no copies."""
    assert known
    _, out, _ = operate("forget", EVE, "--dry-run")
    assert "failed events" not in out
    assert "copies of the table" not in out


def test_with_suppression_off_it_says_that_the_item_has_no_effect(
    known: Deployed, operate: Operate
) -> None:
    """The event is kept all the same, should the setting be changed."""
    known.put("settings", "suppression: off")
    assert "without effect, as suppression is off" in operate("forget", EVE, "--dry-run")[1]


def test_what_is_not_an_address_is_refused(known: Deployed, operate: Operate) -> None:
    """One sentence, and no call of AWS."""
    assert known
    status, _, err = operate("forget", "eve", "--yes")
    assert (status, err) == (
        2,
        "ADDRESS: found eve, expected one such as ann@partner.example\n",
    )


def test_a_missing_table_is_one_sentence(known: Deployed, operate: Operate) -> None:
    """Somebody deleted it: the stack still names it."""
    known.dynamodb.delete_table(TableName="ledger")
    status, _, err = operate("forget", EVE, "--yes")
    assert status == 1
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err


def store(deployed: Deployed, **mails: bytes) -> Any:
    """Keep mails in the bucket; the name of a stopped one begins with `stopped`."""
    deployed.outputs["MailBucket"] = "mails"
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="mails", CreateBucketConfiguration={"LocationConstraint": REGION})
    for name, raw in mails.items():
        if not name.startswith("stopped"):
            s3.put_object(Bucket="mails", Key=f"mail/{name}", Body=raw)
            continue
        group = StoppedFor("200", "reject", "", ("ann@example.com",))
        mail = StoppedMail(name, datetime.now(UTC), (), raw.decode(), (group,))
        key = stopped_key(mail)
        s3.put_object(Bucket="mails", Key=key, Body=b"Subject: x\r\n\r\n", Metadata=metadata(mail))
    return s3


def stored(s3: Any) -> list[str]:
    found = s3.list_objects_v2(Bucket="mails").get("Contents", [])
    return [each["Key"].rpartition("/")[2].rpartition("_")[2] for each in found]


def ses_mail(sender: str, recipient: str, **more: str) -> bytes:
    """A mail as SES stores it."""
    received = "from x (x [192.0.2.1]) by inbound-smtp.eu-west-1.amazonaws.com with SMTP id m1"
    headers = {"Return-Path": f"<{sender}>", "Received": f"{received} for {recipient}; x", **more}
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n"


@pytest.mark.parametrize(
    ("address", "left"),
    [
        (EVE, ["m2", "m3", "m4", "stopped2"]),
        ("Eve+shop@Partner.example", ["m2", "m3", "m4", "stopped2"]),
        ("ann@example.com", ["m2", "m3", "m4"]),
        ("zoe@example.com", ["m1", "m3", "m4", "stopped1", "stopped2"]),
    ],
)
def test_stored_mail_is_forgotten_by_sender_and_recipient(
    deployed: Deployed, operate: Operate, address: str, left: list[str]
) -> None:
    """A mail that only mentions an address in its text or in other headers stays."""
    s3 = store(
        deployed,
        m1=ses_mail(EVE, "ann@example.com"),
        m2=ses_mail("bob@partner.example", "zoe@example.com"),
        m3=ses_mail("bob@partner.example", "box@example.com", Subject=EVE) + EVE.encode(),
        m4=b"not a mail",
        stopped1=EVE.encode(),
        stopped2=b"bob@partner.example",
    )
    assert operate("forget", address, "--dry-run")[0] == 0
    assert len(stored(s3)) == 6
    status, out, err = operate("forget", address, "--yes")
    gone = 6 - len(left)
    assert (status, stored(s3)) == (0, left)
    assert f"mail:       {gone} stored mail" in out
    assert f"0 items of the ledger, and {gone} stored mail" in err


def test_the_ledger_is_cleared_without_the_right_to_read_mail(
    known: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command says what it did not look through, and that something is left to do."""
    store(known, m1=ses_mail(EVE, "ann@example.com"))
    refuse(monkeypatch, "list_objects_v2")
    status, _, err = operate("forget", EVE, "--yes")
    assert status == 1
    assert "stored mail was not looked through: s3:ListBucket was answered with" in err
    assert "forgotten: 3 items of the ledger were deleted" in err


def test_a_deployment_that_stores_no_mail_is_not_asked_for_it(
    known: Deployed, operate: Operate
) -> None:
    """It has no bucket."""
    assert known
    assert "stored mails" not in operate("forget", EVE, "--dry-run")[1]
