"""Events are found in the output of the AWS command line and in exported logs."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.mail.message import read_record
from bouncer_cli.event_wrapping import logged, unwrapped
from bouncer_cli.mail_files import read_items
from bouncer_cli.raw_mail import Envelope

EVENT = {"Records": [{"eventSource": "aws:ses", "ses": {"mail": {"messageId": "id1"}}}]}
RECEIVED = {"notificationType": "Received", "mail": {"messageId": "id1"}, "receipt": {}}
JSON_TEXT = st.recursive(
    st.sampled_from([None, 1, "x", "{", '{"Records":[', json.dumps(EVENT), json.dumps(RECEIVED)]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Records", "Messages", "events", "message", "Body", "MessageId", "ses"]
            ),
            inner,
            max_size=3,
        )
    ),
).map(json.dumps)


def sns(message: object) -> dict[str, Any]:
    """Return a message of SNS."""
    return {"Type": "Notification", "MessageId": "1", "Message": json.dumps(message)}


def told(path: Path) -> list[str]:
    """Return the source and the id or the error of each item, as one text."""
    return [
        f"{item.source.removeprefix(f'{path.parent}/')} "
        f"{item.error or read_record(item.record).message_id}"
        for item in read_items([str(path)], Envelope())
    ]


@pytest.mark.parametrize("body", [EVENT, RECEIVED, sns(RECEIVED), sns(EVENT)])
def test_messages_of_a_queue_hold_mails(body: object, tmp_path: Path) -> None:
    """`aws sqs receive-message` prints messages whose bodies hold the events."""
    messages = [
        {"MessageId": str(number), "ReceiptHandle": "h", "Body": json.dumps(body)}
        for number in range(2)
    ]
    path = tmp_path / "queue.json"
    path.write_text(json.dumps({"Messages": messages}, indent=4))
    assert told(path) == ["queue.json#1 id1", "queue.json#2 id1"]


@pytest.mark.parametrize(
    "message",
    [
        json.dumps(EVENT),
        json.dumps(RECEIVED) + "\n",
        f"2026-12-01T12:00:00.000Z\t7d3c\tINFO\t{json.dumps(EVENT)}",
        f"[INFO]\t2026-12-01T12:00:00.000Z\t7d3c\t{json.dumps(EVENT)}\n",
        json.dumps({"timestamp": "2026-12-01", "level": "INFO", "message": EVENT}),
        json.dumps({"level": "INFO", "message": json.dumps(EVENT)}),
        json.dumps({"event": EVENT, "cold": True}),
        json.dumps(sns(RECEIVED)),
    ],
)
def test_events_are_found_in_lines_of_logs(message: str, tmp_path: Path) -> None:
    """The event is found among anything that a program wrote before and around it."""
    events = [
        {"logStreamName": "s", "timestamp": 1, "message": text, "ingestionTime": 2, "eventId": "3"}
        for text in ("START RequestId: 7d3c", message, '{"event": "mail", "v": 1}', "END {}")
    ]
    path = tmp_path / "log.json"
    path.write_text(json.dumps({"events": events, "searchedLogStreams": []}))
    assert told(path) == ["log.json id1"]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (
            [
                "2026-12-01T12:00:00.123Z START RequestId: x",
                f"2026-12-01T12:00:00.124Z {json.dumps(EVENT)}",
            ],
            "2",
        ),
        ([f"2026-12-01T12:00:00 {json.dumps(EVENT)}"], "1"),
        ([f"2026-12-01T12:00:00.000000+00:00 2026/12/01/[$LATEST]7d3c {json.dumps(EVENT)}"], "1"),
        (
            ["timestamp,message", '1,"START"', '2,"' + json.dumps(EVENT).replace('"', '""') + '"'],
            "3",
        ),
    ],
)
def test_exported_text_is_read_line_by_line(lines: list[str], found: str, tmp_path: Path) -> None:
    """An export to S3, `aws logs tail` and the console's table have a mail on a numbered line."""
    path = tmp_path / "log.txt"
    path.write_text("\n".join(lines))
    assert told(path) == [f"log.txt#{found} id1"]


def test_log_without_a_mail_says_so(tmp_path: Path) -> None:
    """A log in which no mail was received is one sentence."""
    path = tmp_path / "log.txt"
    path.write_text("2026-12-01T12:00:00.123Z START RequestId: x\n" * 3)
    (line,) = told(path)
    assert "found log lines without a received mail" in line


def test_separators_of_lines_within_an_event_are_text(tmp_path: Path) -> None:
    """JSON may hold line separators of Unicode as they are."""
    event = {"Records": [{"ses": {"mail": {"messageId": "id1", "source": "\u2028\x85@x"}}}]}
    line = json.dumps(event, ensure_ascii=False)
    path = tmp_path / "two.json"
    path.write_text(f"{line}\n{line}\n", "utf-8")
    assert told(path) == ["two.json#1 id1", "two.json#2 id1"]


@given(JSON_TEXT)
def test_no_wrapping_raises(text: str) -> None:
    """Any JSON yields records, or none."""
    list(unwrapped(json.loads(text)))
    list(logged(f"INFO {text}"))
