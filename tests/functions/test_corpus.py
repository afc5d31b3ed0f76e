"""Real, broken and hostile mail of public projects is replayed; skipped without the collection."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bouncer.errors import UnreadableEventError
from bouncer.guard import Context, findings
from bouncer.mail.message import Message
from bouncer.operator_settings import Settings
from bouncer.reasons import ANSWER_CLASSES, Reason
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.loaded import Loaded
from bouncer_cli.mail_files import read_items
from bouncer_cli.mail_item import Item
from bouncer_cli.passed_over import PassedOver
from bouncer_cli.raw_mail import Envelope, read_raw_mail
from bouncer_cli.replay import Result, replay
from bouncer_cli.replay_json import as_json

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
BOUNCES = CORPUS / "set-of-emails"
PARSED = CORPUS / "stalwart-mail-parser" / "resources" / "eml"

FORWARDED = "make-test-36"  # a person's mail with a bounce in its text

RECIPIENT = "ann@recipient.example"
PASSED = dict.fromkeys(("spf", "dkim", "dmarc", "spam", "virus"), "pass")
NOW = datetime(2026, 1, 1, tzinfo=UTC)

if not CORPUS.is_dir():
    pytest.skip(f"the collection of real mail, {CORPUS}, does not exist", allow_module_level=True)


@pytest.fixture(scope="module")
def reject_everything() -> Loaded:
    """The rules: a single one that rejects every mail."""
    rule = read_rule("100-everything", "reject: {type: DoesNotExist}")
    return Loaded(ruleset=Ruleset([rule]), settings=Settings(), problems=())


def envelope(sender: str | None = None) -> Envelope:
    """An envelope and verdicts that allow an answer, so that only the mail can prevent it."""
    return Envelope(sender=sender, recipients=(RECIPIENT,), verdicts=PASSED)


def results(path: Path, loaded: Loaded, sender: str | None = None) -> Iterator[Result]:
    """Yield the result of every mail in a file or folder."""
    return replay(read_items([str(path)], envelope(sender)), loaded, now=lambda: NOW)


def test_every_input_yields_a_line(reject_everything: Loaded) -> None:
    """Every file has a result, and an error says why it was not read, or it is not a mail."""
    passed_over = PassedOver()
    items = list(read_items([str(CORPUS)], envelope(), passed_over))
    replayed = replay(items, reject_everything, now=lambda: NOW)
    lines = [json.loads(json.dumps(as_json(result))) for result in replayed]
    assert [line["source"] for line in lines] == [item.source for item in items]
    assert len({line["source"] for line in lines}) == len(lines)
    read = {line["source"].partition("#")[0] for line in lines}
    files = (path for path in CORPUS.rglob("*") if path.is_file())
    left = {str(path) for path in files if not path.name.startswith(".")} - read
    assert len(left) == passed_over.count
    assert {Path(name).suffix for name in left} <= {".json", ".txt", ".md", ""}, left
    for line in lines:
        assert (line["error"] is None) == bool(line["message_id"])
        if line["error"] is None:
            assert line["bounce"]["status"] in ("queued", "withheld")


def test_most_mail_is_read(reject_everything: Loaded) -> None:
    """Broken mail files are still read; only empty ones and texts without headers are not."""
    unread = [
        result.source
        for result in results(CORPUS, reject_everything)
        if result.error and Path(result.source.partition("#")[0]).suffix == ".eml"
    ]
    assert len(unread) <= 3, unread


@pytest.mark.parametrize("folder", ["maildir/bsd", "maildir/dos", "maildir/mac", "maildir/err"])
def test_no_bounce_is_bounced(folder: str, reject_everything: Loaded) -> None:
    """Bounces of real bounces, complaints and auto-replies of forty systems are withheld."""
    for result in results(BOUNCES / folder, reject_everything):
        if Path(result.source).stem != FORWARDED:
            assert result.bounce.status == "withheld", result.source


def test_reports_are_known_without_a_null_sender(reject_everything: Loaded) -> None:
    """Bounces are recognised by their form, even with a sender in the envelope.

    One of them is a person's mail: a bounce forwarded as text. It is the only one that is answered.
    """
    ended = results(BOUNCES / "maildir/err", reject_everything, "bob@sender.example")
    answered = [Path(result.source).stem for result in ended if result.bounce.status == "queued"]
    assert answered == [FORWARDED]


def test_bounces_by_ses_itself_are_known_by_their_form() -> None:
    """A bounce written by SES is a report, even with a sender in the envelope."""
    files = sorted((BOUNCES / "maildir/bsd").glob("lhost-receivingses-*.eml"))
    assert len(files) == 8
    given = Context(recipient=RECIPIENT, our_senders=(), own_domains=(), answer=ANSWER_CLASSES)
    for item in read_items(list(map(str, files)), envelope("bob@sender.example")):
        assert Reason.REPORT in dict(findings(_message(item), given)), item.source


def test_line_ends_change_nothing(reject_everything: Loaded) -> None:
    """The same mails with LF, CRLF and CR have the same headers and end in the same way."""
    names = sorted(path.name for path in (BOUNCES / "maildir/dos").iterdir())
    assert len(names) == 22
    for name in names:
        unix, dos, mac = (
            list(map(_ended, results(BOUNCES / "maildir" / kind / name, reject_everything)))
            for kind in ("bsd", "dos", "mac")
        )
        assert unix == dos == mac, name


def _ended(result: Result) -> tuple[object, ...]:
    assert result.judgement is not None, result.error
    message, judgement = result.judgement.message, result.judgement
    read = (message.sender, message.headers, message.received_at)
    return (*read, judgement.disposition, judgement.withheld, result.bounce)


def test_mbox_and_files_hold_the_same_mails(reject_everything: Loaded) -> None:
    """The same 37 mails in one mbox and as files end in the same way, for the same reasons."""
    sender = "bob@sender.example"
    boxed = [*results(BOUNCES / "mailbox/mbox-0", reject_everything, sender)]
    files = [*results(BOUNCES / "maildir/err", reject_everything, sender)]
    assert len(boxed) == len(files) == 37
    for one, other in zip(boxed, files, strict=True):
        assert one.judgement is not None
        assert other.judgement is not None
        assert one.judgement.message.from_ == other.judgement.message.from_
        assert one.bounce == other.bounce, one.source


def test_mails_that_are_not_bounces_are_answered(reject_everything: Loaded) -> None:
    """Ordinary mail from ordinary senders is not taken for a bounce."""
    for name in ("is-not-bounce-01.eml", "is-not-bounce-02.eml"):
        for result in results(BOUNCES / "maildir/not" / name, reject_everything):
            assert result.bounce.status == "queued", result.source


# The senders of mail other than bounces that the guard takes for a machine's: role accounts and
# programs, lists, and two spam mails with `Precedence: junk`. Nobody else may be among them.
MACHINES = {
    *("postmaster@example.com", "root@srv.example.com", "root@external.com"),
    *("noreply@example.com", "noreply@rubyforge.org", "gmail-noreply@google.com"),
    "production@aquila.el-example.org",  # with no-reply@ in From
    *("infoz@reactive-outpost.com", "sender@example.net"),  # spam
    *("bounces@strategicfulfillment.com", "newsletter@example.com", "cfrg-bounces@irtf.org"),
    *("owner-rrga-l@list.rtowest.org", "owner-smime-dev@RSA.COM", "owner-freebsd-test@freebsd.org"),
    "owner-mhtml@SEGATE.SUNET.SE",
    *("ak@g.com", "calpas2007@yahoo.fr"),  # mail of lists, which have a List-Id
}


def test_people_are_not_taken_for_machines() -> None:
    """Of some 300 mails of people and programs only those with a machine's mark are withheld."""
    given = Context(recipient=RECIPIENT, our_senders=(), own_domains=(), answer=())
    marks = {Reason.AUTOMATIC, Reason.LISTS, Reason.DAEMON_SENDER, Reason.SUPPRESSED}
    taken: set[str] = set()
    looked_at = 0
    folders = [str(path) for path in CORPUS.iterdir() if path.is_dir() and path != BOUNCES]
    for item in read_items(folders, envelope()):
        message = None if item.error else _message_or_none(item)
        if message is not None and message.sender:
            looked_at += 1
            found = dict(findings(message, given))
            if marks & found.keys() and Reason.REPORT not in found:
                taken.add(message.sender)
    assert taken == MACHINES
    assert looked_at > 300


def _message_or_none(item: Item) -> Message | None:
    with contextlib.suppress(UnreadableEventError):
        return item.read()
    return None


def test_an_event_and_its_raw_mail_decide_alike(reject_everything: Loaded) -> None:
    """Each mail has the same headers and the same end, whether raw or in an event of SES.

    The event has no stored copy, so the raw mail has none either.
    """
    compared = 0
    given = envelope("bob@sender.example")
    for item in read_items([str(CORPUS)], given):
        if item.headers:
            raw = read_raw_mail(item.headers + b"\n\n", given)
            event = Item(source="", record=raw.record)
            ends = replay(
                [replace(item, message=raw.message, copy=None), event],
                reject_everything,
                now=lambda: NOW,
            )
            one, other = map(_ended, ends)
            assert one == other, item.source
            compared += 1
    assert compared > 600


def _message(item: Item) -> Message:
    assert item.error is None, (item.source, item.error)
    return item.read()


def test_subjects_are_decoded_as_another_parser_does() -> None:
    """Subjects in many charsets and encodings, broken ones too, are decoded as by stalwart."""
    compared = 0
    for expectation in sorted(PARSED.rglob("*.json")):
        mail = expectation.with_suffix(".eml")
        if not mail.exists():
            continue
        headers = json.loads(expectation.read_text("utf-8"))["parts"][0]["headers"]
        texts = [h["value"].get("Text") for h in headers if h["name"] == "subject"]
        for item in read_items([str(mail)], envelope()):
            if "\ufffd" not in str(texts):  # there we read on, as Latin-1
                assert _message(item).subject[-1:] == tuple(texts[-1:]), mail
                compared += 1
    assert compared > 70
