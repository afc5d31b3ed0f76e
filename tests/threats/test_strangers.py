"""Strangers by mail: each test is an attack, and shows what stops it."""

import json
from contextlib import ExitStack
from email import message_from_bytes
from pathlib import Path

import pytest

from bouncer.held_document import held_document
from bouncer.mail.message import read_event
from bouncer.metric_names import Metric, withheld_for
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.rules.rejection import MESSAGE_LIMIT
from bouncer_sim.clock import SimulatedClock
from bouncer_sim.worker_driver import WorkerDriver
from tests.functions.publisher.published_world import PublishedWorld
from tests.functions.worker.lone_worker import LoneWorker
from tests.threats.intake_line import REJECT_ALL, VERDICTS, event, handled

REFLECTING = """
when: {recipient: "*"}
reject: {type: DoesNotExist, message: "{recipient} did not get {subject} of {sender}"}
"""


def reasons(written: str) -> list[str | None]:
    """Return the reasons to withhold in the one line of a mail."""
    return [decision["withheld"] for decision in json.loads(written)["decisions"]]


@pytest.mark.threat
def test_verdicts_in_the_headers_of_a_mail_are_not_read() -> None:
    """Only SES's own members of the event count, whatever headers the sender wrote."""
    forged = (
        ("Authentication-Results", "amazonses.com; spf=pass; dkim=pass; dmarc=pass"),
        ("Received-SPF", "pass (spfCheck: domain of partner.example)"),
        *((f"X-SES-{name.title()}-Verdict", "PASS") for name in VERDICTS),
        ("From", "eve@partner.example"),
    )
    found = handled(event(*forged, spf="FAIL", dmarc="FAIL"))
    assert reasons(found.written) == ["unauthenticated"]
    assert found.jobs == []


@pytest.mark.threat
@pytest.mark.parametrize(
    "sender",
    [
        "bob@example\u3002com",  # an ideographic full stop
        "bob@\uff45xample.com",  # a full-width letter
        "bob@ex\u00e4mple.com",
        "bob@\u0435xample.com",  # a Cyrillic letter
        "b\u00f6b@partner.example",
        "bob@partner.example\u200b",
    ],
)
def test_a_sender_beyond_ascii_gets_no_bounce(sender: str) -> None:
    """Names that look or become alike can't pass by the check for own domains."""
    found = handled(event(sender=sender))
    assert reasons(found.written) == ["invalid_sender"]
    assert found.jobs == []


@pytest.mark.threat
def test_an_own_domain_is_known_in_both_its_spellings() -> None:
    """A sender in the A-label form of an own domain is an own sender."""
    found = handled(
        event(sender="bob@xn--bcher-kva.example"), settings="own_domains: [bücher.example]"
    )
    assert reasons(found.written) == ["own_sender"]


@pytest.mark.threat
def test_a_machine_that_does_not_say_so_gets_five_bounces_a_day() -> None:
    """It answers each bounce with a new mail to the same mailbox, as a ticket system does."""
    with ExitStack() as stack:
        lone = LoneWorker(stack, "caps: {allow: [elsewhere.example]}")  # other caps as they are
        for number in range(100):
            lone.deliver(lone.job(message_id=f"m{number}"), first=number + 1)
            lone.clock.sleep(60)
        assert len(lone.ses.calls) == 5


@pytest.mark.threat
def test_one_mail_makes_one_bounce_for_fifty_recipients() -> None:
    """A mail is answered once to its one sender; how many recipients it names makes no flood."""
    recipients = tuple(f"ann+{number}@example.com" for number in range(100))
    jobs = handled(event(recipients=recipients)).jobs
    assert [len(job.recipients) for job in jobs] == [50, 50]
    assert {job.sender for job in jobs} == {"eve@partner.example"}
    assert all(len(job.explanation or "") <= MESSAGE_LIMIT for job in jobs)


METRICS = {*map(str, Metric), *map(withheld_for, Reason)}
HOSTILE_LINES = [
    '\n{"message":"sent","Sent":[1]}',
    "\r\nSTOP",
    '","Sent":[99],"x":"',
    "\u2028\u2029\x85\x0b\x0c\x1b[2J\x00",
    '"_aws":{"CloudWatchMetrics":[]}',
]


@pytest.mark.threat
@pytest.mark.parametrize("text", HOSTILE_LINES)
def test_a_mail_writes_one_line_to_the_journal(text: str) -> None:
    """No text of a stranger begins a line, ends a member, or adds a metric or a dimension."""
    hostile = event(
        ("From", text), ("Subject", text), sender=f"eve{text}@x.example", message_id=f"m{text}",
        recipients=(f"ann{text}@example.com",), spf=text, spam=text,
    )  # fmt: skip
    written = handled(hostile).written
    assert written.endswith("\n")
    assert written.isascii()
    (line,) = written.splitlines()
    read = json.loads(line)
    counted = {name["Name"] for name in read["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert {key for key in read if key[0].isupper()} == counted <= METRICS
    assert read["Mails"] == [1]
    assert read["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["deployment", "service"]]


@pytest.mark.threat
@pytest.mark.parametrize(
    "text",
    [
        "a\r\nBcc: victim@elsewhere.example\r\n\r\nBuy",
        "\u202egpj.exe\u2066 \x1b[31m\x00",
        "{reference} {recipient} {message} %s $x",
        "x" * 10_000,
        "=?utf-8?b?DQpCY2M6IHY=?=",
    ],
)
def test_text_of_a_mail_is_one_short_line_of_its_bounce(text: str) -> None:
    """It has no line break, no control or bidi character, and is not filled in again."""
    (job,) = handled(event(("Subject", text), ("From", "eve@partner.example")), REFLECTING).jobs
    explanation = job.explanation or ""
    assert explanation.isascii()
    assert explanation.isprintable()
    assert len(explanation) < 400
    assert job.reference not in explanation


@pytest.mark.threat
def test_markup_in_a_mail_stays_text(tmp_path: Path) -> None:
    """The words of a bounce are the text/plain part of the notification, and it has no HTML."""
    subject = "<script>x()</script><a href=https://evil.example>click</a>"
    hostile = event(("Subject", subject), ("From", "eve@partner.example"))
    (job,) = handled(hostile, REFLECTING).jobs
    driver = WorkerDriver(
        out=tmp_path, clock=SimulatedClock(0), settings=Settings(), verified=("example.com",)
    )
    driver.submit(job, read_event(hostile)[0], f"Subject: {subject}\n".encode())
    assert [each.status for each in driver.drain().values()] == ["sent"]
    (file,) = tmp_path.iterdir()
    parts = list(message_from_bytes(file.read_bytes()).walk())
    assert subject in str(parts[1].get_payload())
    assert {part.get_content_type() for part in parts} == {
        *("multipart/report", "text/plain", "message/delivery-status", "text/rfc822-headers"),
    }


@pytest.mark.threat
def test_no_subject_or_body_is_written() -> None:
    """The journal has addresses, rules and reasons, and nothing else of a mail."""
    marked = event(("Subject", "secret"), ("From", "eve@partner.example"), ("X-Note", "secret"))
    marked["Records"][0]["ses"]["content"] = "secret"
    assert "secret" not in handled(marked, REFLECTING).written


PRIVATE = {
    "masked": "journal: {addresses: masked}",
    "hashed": "journal: {addresses: hashed, key: 0123456789abcdef}",
}


@pytest.mark.threat
@pytest.mark.parametrize("form", PRIVATE)
def test_no_line_of_the_intake_names_a_person(form: str) -> None:
    """Mails that are decided, and mails that can't be bounced."""
    to = ("ann.smith@example.com", "Ann.Smith+x@example.com", "ann.smith")
    people = event(sender="eve.jones@partner.example", recipients=to)
    broken = event(sender="eve.jones@partner.example", message_id="m\neve.jones@x")
    events = ((people, REJECT_ALL), (broken, REJECT_ALL))
    written = "".join(handled(*each, PRIVATE[form]).written for each in events)
    said = {json.loads(line)["message"] for line in written.splitlines()}
    assert said == {"mail", "intake_failed"}
    assert "smith" not in written.lower()
    assert "jones" not in written.lower()


@pytest.mark.threat
@pytest.mark.parametrize("form", PRIVATE)
def test_no_line_of_the_publisher_names_a_person(form: str) -> None:
    """Rules that are refused or doubted, and a reason to hold sending, quote people."""
    world = PublishedWorld()
    world.put("settings", PRIVATE[form])
    wrong = "when: {sendr: eve.jones@x.example}\nreject: {type: 'ann.smith@x.example'}"
    world.put("rules/a", wrong)
    world.put("rules/b", "when: {sender: '@jones.example'}\nreject: {type: Undefined}")
    world.put("held", held_document(since=world.now, by="ann.smith@x.example", why="eve.jones@x"))
    world.publish()
    world.put("settings", "mode: ann.smith@x.example")
    world.publish()
    assert {line["message"] for line in world.lines()} == {
        *("published", "documents_invalid", "documents_doubtful"),
    }
    assert "smith" not in world.journal.getvalue().lower()
    assert "eve.jones" not in world.journal.getvalue().lower()
