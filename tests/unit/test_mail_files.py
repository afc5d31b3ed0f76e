"""Mails and events are found in files, folders and standard input, one item for each."""

import io
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bouncer.errors import UnreadableEventError
from bouncer_cli.mail_files import read_items
from bouncer_cli.mail_item import Item
from bouncer_cli.raw_mail import Envelope

MAIL = "From: Bob <bob@sender.example>\nTo: ann@example.com\nSubject: {}\n\nHello.\n"
SEPARATOR = "From bob@sender.example Mon Nov  2 08:14:21 2026\n"
MBOX = f"{SEPARATOR}{MAIL}\n"


Write = Callable[[str, object], Path]


def event(number: int = 1) -> dict[str, Any]:
    """A Lambda event of SES with one mail."""
    return {"Records": [{"eventSource": "aws:ses", "ses": {"mail": {"messageId": f"id{number}"}}}]}


def items(*paths: Path | str, envelope: Envelope | None = None) -> list[Item]:
    """Return the items found in these places."""
    return list(read_items(list(map(str, paths)), envelope or Envelope()))


def found(*paths: Path | str) -> list[str]:
    """Return the id, the subject or the error of each item found."""
    return list(map(_told, items(*paths)))


def _told(item: Item) -> str:
    if item.error is not None:
        return item.error
    try:
        message = item.read()
    except UnreadableEventError as error:
        return str(error)
    return message.subject[0] if message.subject else message.message_id


def names(folder: Path, *paths: Path | str) -> list[str]:
    """Return the source of each item, relative to the folder."""
    return [item.source.removeprefix(f"{folder}/") for item in items(*paths or (folder,))]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a file into the test's folder."""

    def writing(name: str, content: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content)
            path.write_text(text, "utf-8")
        return path

    return writing


@pytest.mark.parametrize("name", ["mail.eml", "mail", "mail.txt", "1767268800.1.host:2,S"])
def test_mail_is_known_by_its_headers(name: str, write: Write) -> None:
    """Any file with mail headers is a mail, whatever its name."""
    path = write(name, MAIL.format("One"))
    (item,) = items(path)
    assert item.source == str(path)
    assert item.headers.startswith(b"From: Bob")
    assert _told(item) == "One"


def test_eml_is_one_mail(write: Write) -> None:
    """A file called .eml is one mail, even if it begins and goes on like an mbox."""
    path = write("mail.eml", MBOX.format("One") + MBOX.format("Two"))
    assert found(path) == ["One"]
    assert _sender(path) == "bob@sender.example"


def _sender(path: Path) -> str:
    (item,) = items(path)
    return item.read().sender


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_mbox_yields_each_of_its_mails(end: str, write: Write) -> None:
    """Every mail of an mbox is numbered; quoted From lines are text."""
    text = MBOX.format("One") + MBOX.format("Two") + ">From here\n\n" + MBOX.format("Three")
    path = write("box", text.replace("\n", end).encode())
    assert found(path) == ["One", "Two", "Three"]
    assert names(path.parent, path) == ["box#1", "box#2", "box#3"]


def test_bad_mail_in_mbox_is_reported_alone(write: Write) -> None:
    """A mail that can't be read does not hide the others."""
    path = write("box.mbox", MBOX.format("One") + f"{SEPARATOR}\n\n" + MBOX.format("Two"))
    assert found(path) == [
        "One",
        "found no mail headers, expected a mail or an SES event",
        "Two",
    ]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.eml", b"", "found an empty file, expected a mail or an SES event"),
        ("blank.eml", b" \r\n\n", "found an empty file, expected a mail or an SES event"),
        ("empty.json", b"", "found an empty file, expected a mail or an SES event"),
        ("empty.jsonl", b"\n\n", "found an empty file, expected SES events"),
        ("image.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "found no mail headers"),
        ("zeros", b"\x00" * 2000, "found no mail headers"),
        ("notes.txt", b"Dear diary,\n\ntoday: nothing.\n", "found no mail headers"),
        ("broken.json", b'{"Records": [', "found invalid JSON in line 1"),
        ("broken.json", b'{\n"a": 1,\n"b" 2}', "found invalid JSON in line 3"),
        ("latin.json", b'{"a": "\xe4"}', "found text that is not JSON"),
        ("deep.json", b"[" * 100_000, "not JSON"),
        ("empty-list.json", b"[]", "found no records, expected an SES event"),
        ("object.json", b"{}", "found an empty object"),
        ("other.json", b'{"a": 1, "b": 2}', "found an object with the keys a, b"),
        ("list.json", b"[7]", "found a value that is not a JSON object"),
    ],
)
def test_input_that_is_not_a_mail_is_one_sentence(
    name: str, content: bytes, told: str, write: Write
) -> None:
    """Every unreadable input yields exactly one item, with a sentence that says why."""
    (line,) = found(write(name, content))
    assert told in line


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            {
                "Type": "SubscriptionConfirmation",
                "SubscribeURL": "https://x",
                "Message": "You have",
            },
            "an SNS subscription confirmation",
        ),
        (
            {
                "Type": "Notification",
                "Message": json.dumps({"notificationType": "Delivery", "mail": {"messageId": "x"}}),
            },
            "a sending notification of SES",
        ),
        ({"eventType": "Bounce", "mail": {}}, "a sending event of SES"),
        ({"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": "x"}}}]}, "an S3 event"),
        (
            {"Records": [{"messageId": "1", "receiptHandle": "x", "body": "plain text"}]},
            "an SQS event",
        ),
        ({"Records": [{"Sns": {"Message": "plain text"}}]}, "an SNS event without received mail"),
        (
            {"Records": [{"ses": {"mail": {"messageId": "AMAZON_SES_SETUP_NOTIFICATION"}}}]},
            "AMAZON_SES_SETUP_NOTIFICATION",
        ),
    ],
)
def test_other_events_are_named(content: dict[str, Any], told: str, write: Write) -> None:
    """The sentence names the kind of event that was saved by mistake."""
    (line,) = found(write("event.json", content))
    assert told in line


def _sns(message: object) -> dict[str, Any]:
    return {"Type": "Notification", "MessageId": "1", "Message": json.dumps(message)}


RECEIVED = {"notificationType": "Received", "mail": {"messageId": "id1"}, "receipt": {}}


@pytest.mark.parametrize(
    "content",
    [
        event(),
        event()["Records"][0],
        [event()],
        RECEIVED,
        _sns(RECEIVED),
        {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(RECEIVED)}}]},
        {"Records": [{"messageId": "q", "receiptHandle": "r", "body": json.dumps(event())}]},
        {"Records": [{"messageId": "q", "receiptHandle": "r", "body": json.dumps(_sns(RECEIVED))}]},
    ],
)
def test_events_are_found_in_their_wrapping(content: object, write: Write) -> None:
    """Lambda event, bare record, SNS notification and SQS message all hold the same mail."""
    path = write("event.json", content)
    assert found(path) == ["id1"]
    assert names(path.parent, path) == ["event.json"]


def test_several_records_are_numbered(write: Write) -> None:
    """Each record of an event is a mail of its own."""
    path = write("event.json", {"Records": [*event(1)["Records"], *event(2)["Records"]]})
    assert found(path) == ["id1", "id2"]
    assert names(path.parent, path) == ["event.json#1", "event.json#2"]


@pytest.mark.parametrize("name", ["events.jsonl", "events.ndjson", "events.json", "events.log"])
def test_lines_of_json_are_numbered_as_they_stand(name: str, write: Write) -> None:
    """Each line is one event; empty lines are counted, and a bad line is one error."""
    lines = [json.dumps(event(1)), "", '{"Records": [', json.dumps(event(2))]
    path = write(name, "\n".join(lines))
    assert found(path) == [
        "id1",
        "found a line that is not JSON, expected an SES event",
        "id2",
    ]
    assert names(path.parent, path) == [f"{name}#1", f"{name}#3", f"{name}#4"]


@pytest.mark.parametrize("name", ["event.json", "event.jsonl"])
def test_byte_order_mark_is_skipped(name: str, write: Write) -> None:
    """Editors that begin a file with a byte order mark do no harm."""
    assert found(write(name, b"\xef\xbb\xbf" + json.dumps(event()).encode())) == ["id1"]


def test_folder_is_read_in_the_order_of_names(write: Write, tmp_path: Path) -> None:
    """Each mail file in and below a folder is read; hidden files and others are left out."""
    write("b/2.eml", MAIL.format("B"))
    write("a.eml", MAIL.format("A"))
    write("c.json", event())
    write("d.mbox", MBOX.format("D1") + MBOX.format("D2"))
    write("e.txt", "no mail at all")
    write("f.eml", b"")
    write(".hidden.eml", MAIL.format("hidden"))
    write(".git/x.eml", MAIL.format("hidden"))
    assert names(tmp_path) == [
        "a.eml",
        "b/2.eml",
        "c.json",
        "d.mbox#1",
        "d.mbox#2",
        "f.eml",
    ]
    assert [item.error is None for item in items(tmp_path)] == [True] * 5 + [False]


def test_maildir_is_what_has_been_delivered(write: Write, tmp_path: Path) -> None:
    """In a Maildir cur and new count; tmp and the server's own files do not."""
    write("cur/1.host:2,S", MAIL.format("Seen"))
    write("new/2.host", MAIL.format("New"))
    write("tmp/3.host", MAIL.format("Unfinished"))
    write("dovecot.index", b"\x00\x01")
    assert found(tmp_path) == ["Seen", "New"]


def test_folder_without_mail_is_reported(tmp_path: Path) -> None:
    """An empty folder is an input too, and yields one error."""
    told = "found a folder without mail, expected mails in it"
    assert found(tmp_path) == [told]
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()
    assert found(tmp_path) == [told]


def test_missing_file_does_not_stop_the_others(write: Write, tmp_path: Path) -> None:
    """A file that can't be opened yields the system's reason; the others are read."""
    paths = [tmp_path / "nowhere.eml", write("a.eml", MAIL.format("A"))]
    assert found(*paths) == ["can't be read (No such file or directory)", "A"]


def test_links_are_followed_to_files_only(write: Write, tmp_path: Path) -> None:
    """A link that leads nowhere is one error; a folder that contains itself does no harm."""
    write("a.eml", MAIL.format("A"))
    (tmp_path / "b.eml").symlink_to(tmp_path / "a.eml")
    (tmp_path / "c.eml").symlink_to(tmp_path / "gone")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert found(tmp_path) == ["A", "A", "can't be read (No such file or directory)"]


def test_unreadable_folder_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder that may not be listed yields one error."""

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert found(tmp_path) == ["can't be read (Permission denied)"]


def test_pipe_is_read_once(tmp_path: Path) -> None:
    """A named pipe, such as the shell's `<(...)`, is read like standard input; folders skip it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert found(tmp_path) == ["found a folder without mail, expected mails in it"]
    content = MBOX.format("One") + MBOX.format("Two")
    writer = threading.Thread(target=pipe.write_text, args=(content,))
    writer.start()
    assert found(pipe) == ["One", "Two"]
    writer.join()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (MAIL.format("One"), ["One"]),
        (MBOX.format("One") + MBOX.format("Two"), ["One", "Two"]),
        (json.dumps(event()), ["id1"]),
        (f"\ufeff{json.dumps(event())}", ["id1"]),
        (f"{json.dumps(event(1))}\n{json.dumps(event(2))}\n", ["id1", "id2"]),
        ("", ["found an empty file, expected a mail or an SES event"]),
        ("nothing", ["found no mail headers, expected a mail or an SES event"]),
    ],
)
def test_standard_input_is_like_a_file(
    content: str, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` takes a mail, an mbox, an event or lines of events."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content.encode()), "utf-8"))
    read = items("-")
    assert [item.source.partition("#")[0] for item in read] == ["-"] * len(told)
    assert list(map(_told, read)) == told


def test_envelope_is_for_raw_mail(write: Write) -> None:
    """Options give the envelope of raw mails; an event has its own envelope."""
    mail, saved = write("a.eml", MAIL.format("A")), write("b.json", event())
    envelope = Envelope(sender="x@y.example", recipients=("z@y.example",))
    one, other = items(mail, saved, envelope=envelope)
    assert one.read().sender == "x@y.example"
    assert one.read().recipients == ("z@y.example",)
    assert other.read().sender == ""
    assert other.read().recipients == ()
