"""The intake with stored mail: what it stops it keeps first, and what it can't keep goes on."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from bouncer.intake import Intake
from bouncer.jobs.job import Job
from bouncer.journal import Journal
from bouncer.mail.stored_copy import StoredCopyError
from bouncer.operator_settings import Settings
from bouncer.sending.queue import QueueError
from bouncer.sources.mail_bucket import MailBucket
from bouncer.sources.source import Document, Documents
from bouncer.sources.stopped_mail import read_key, with_metadata
from bouncer_sim.document_bucket import document_loader
from tests.functions.intake_events import REJECT, event
from tests.stored_mails import BUCKET, PREFIX, MailObjects, refused

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
RAW = b"From: Eve <eve@partner.example>\r\nSubject: Hello\r\n\r\nHello\r\n"
DROP = "when: {recipient: trash@example.com}\ndrop: {}"
LARGE = "when: {size: {over: 1KB}}\nreject: {type: MessageTooLarge}"
KEEP = "when: {recipient: kept@example.com}\nreject: {type: Undefined, keep_copy: true}"
FAILURES = [
    refused("CopyObject", "AccessDenied"),
    refused("CopyObject", "SlowDown", 503),
    ReadTimeoutError(endpoint_url="https://s3"),
    ConnectionClosedError(endpoint_url="https://s3"),
    MemoryError(),  # an error of our own
]


class Rules:
    """A source of the rules of this test; `settings` is their document."""

    def __init__(self, settings: str | None, more: str) -> None:
        self._settings = settings
        self._more = {"500-more": more} if more else {}

    def read(self) -> Documents:
        texts = {"200-departed": REJECT, "300-trash": DROP, "400-kept": KEEP, **self._more}
        rules = {name: Document(name, text) for name, text in texts.items()}
        return Documents(rules, Document("settings", self._settings) if self._settings else None)


class Bench:
    """An intake before a bucket and a queue; `did` has in order what was asked of both."""

    def __init__(
        self, settings: str | None = None, *, keeps: bool = True, raw: bytes = RAW, more: str = ""
    ) -> None:
        self.s3 = MailObjects({"m1": raw})
        self.did = self.s3.asked
        self.jobs: list[Job] = []
        self.queue_error: Exception | None = None
        self._stream = io.StringIO()
        self._intake = Intake(
            loader=document_loader(Rules(settings, more), Settings(), now=lambda: 0.0),
            jobs=self,
            journal=Journal("intake", "test", stream=self._stream),
            now=lambda: NOW,
            mails=MailBucket(self.s3, BUCKET, PREFIX, keeps=keeps),
        )

    def send(self, job: Job) -> None:
        self.did.append("send")
        if self.queue_error:
            raise self.queue_error
        self.jobs.append(job)

    def __call__(self, *recipients: str, **mail: Any) -> str:
        return self._intake.handle(event(*recipients, **mail), request_id="r1")["disposition"]

    def lines(self, kind: str) -> list[dict[str, Any]]:
        written = map(json.loads, self._stream.getvalue().splitlines())
        return [line for line in written if line["message"] == kind]


def test_a_stopped_mail_is_kept_before_its_job_is_queued() -> None:
    """Under a key that its line names, byte for byte, with its envelope beside it."""
    tried = Bench()
    assert tried("ann@example.com", "trash@example.com") == "STOP_RULE_SET"
    assert tried.did == ["copy_object", "send"]
    (line,), (job,) = tried.lines("mail"), tried.jobs
    key = line["kept"]
    assert key == f"stopped/2026-11-02/080000_m1_{job.reference}"
    assert tried.s3.objects[key] == RAW
    mail = read_key(key)
    assert mail
    mail = with_metadata(mail, tried.s3.metadata[key])
    assert (mail.sender, mail.rules) == ("eve@partner.example", ("200-departed", "300-trash"))
    assert mail.recipients == ("ann@example.com", "trash@example.com")


@pytest.mark.parametrize("recipient", ["trash@example.com", "ann@example.com"])
def test_a_mail_that_is_stopped_without_a_bounce_is_kept(recipient: str) -> None:
    """Mail that `drop` stops, and mail that the guard does not answer."""
    tried = Bench()
    assert tried(recipient, source="<>") == "STOP_RULE_SET"
    assert (tried.did, tried.lines("mail")[0]["kept"]) == (
        ["copy_object"],
        "stopped/2026-11-02/080000_m1",
    )


@pytest.mark.parametrize("recipients", [("bob@example.com",), ("ann@example.com", "bob@x.example")])
def test_a_mail_that_goes_on_is_not_kept(recipients: tuple[str, ...]) -> None:
    """Somebody gets it."""
    tried = Bench()
    assert tried(*recipients) == "CONTINUE"
    assert "copy_object" not in tried.did
    assert "kept" not in tried.lines("mail")[0]


def test_keep_copy_keeps_no_further_one() -> None:
    """The mail goes on to the next action, and its bounce is queued."""
    tried = Bench()
    assert tried("kept@example.com") == "CONTINUE"
    assert tried.did == ["send"]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_a_mail_that_cannot_be_kept_goes_on_and_nothing_is_queued(error: Exception) -> None:
    """It would be bounced, and nobody could bring it back."""
    tried = Bench()
    tried.s3.errors["copy_object"] = error
    assert tried("ann@example.com") == "CONTINUE"
    assert tried.did == ["copy_object"]
    (failure,), (line,) = tried.lines("copy_failed"), tried.lines("mail")
    assert (failure["stage"], failure["message_id"], failure["CopyErrors"]) == ("keep", "m1", [1])
    assert line["decisions"][0]["withheld"] == line["went_on"] == "not_kept"
    assert (line["disposition"], line["references"]) == ("CONTINUE", [])
    assert line["WentOn"] == line["Withheld_not_kept"] == [1]
    assert "kept" not in line


@pytest.mark.parametrize(
    ("recipient", "source"),
    [("trash@example.com", "eve@partner.example"), ("ann@example.com", "<>")],
)
def test_what_stops_in_any_case_stops_unkept(recipient: str, source: str) -> None:
    """Mail that a rule drops, or that is withheld for a reason about its sender."""
    tried = Bench()
    tried.s3.errors["copy_object"] = refused("CopyObject", "AccessDenied")
    assert tried(recipient, source=source) == "STOP_RULE_SET"
    assert len(tried.lines("copy_failed")) == 1


def test_what_answer_waives_does_not_stop_a_mail_unkept() -> None:
    """It would be bounced but for an error of ours."""
    tried = Bench("answer: lists")
    tried.s3.errors["copy_object"] = refused("CopyObject", "SlowDown", 503)
    assert tried("ann@example.com", source="cats-bounces@partner.example") == "CONTINUE"
    assert (tried.did, tried.lines("mail")[0]["went_on"]) == (["copy_object"], "not_kept")


def test_one_recipient_that_would_be_bounced_lets_the_mail_go_on() -> None:
    """SES stops a mail for all its recipients or for none."""
    tried = Bench()
    tried.s3.errors["copy_object"] = refused("CopyObject", "AccessDenied")
    assert tried("ann@example.com", "trash@example.com") == "CONTINUE"
    assert tried.did == ["copy_object"]


def test_a_kept_mail_whose_job_is_refused_goes_on() -> None:
    """A copy too many does no harm, a mail that is stopped unanswered does."""
    tried = Bench()
    tried.queue_error = QueueError("down")
    assert tried("ann@example.com") == "CONTINUE"
    assert tried.did == ["copy_object", "send"]


def test_a_mail_that_is_judged_again_is_kept_once() -> None:
    """SES asks again if it did not get the answer: one object, one job by its deduplication id."""
    tried = Bench()
    assert {tried("ann@example.com"), tried("ann@example.com")} == {"STOP_RULE_SET"}
    assert len(tried.s3.metadata) == 1
    assert tried.jobs[0] == tried.jobs[1]


def test_nothing_is_kept_where_ses_does_not_wait() -> None:
    """With `invocation: event` the answer stops no mail; cut headers are completed all the same."""
    tried = Bench(keeps=False)
    tried("ann@example.com", headersTruncated=True)
    assert tried.did == ["get_object", "send"]


@pytest.mark.parametrize("mode", ["shadow", "off"])
def test_nothing_is_kept_in_another_mode(mode: str) -> None:
    """Every mail goes on."""
    tried = Bench(f"mode: {mode}")
    assert tried("ann@example.com") == "CONTINUE"
    assert tried.did == []


def test_without_store_the_bucket_is_not_asked() -> None:
    """Mail is stopped as it was before there was a bucket."""
    tried = Bench("store: false")
    assert tried("ann@example.com") == "STOP_RULE_SET"
    assert tried("ann@example.com", headersTruncated=True) == "CONTINUE"
    assert tried.did == ["send"]


def test_cut_headers_are_completed() -> None:
    """The bounce is made of all of them; the line says so."""
    tried = Bench(raw=RAW.replace(b"Subject", b"X-Pad: " + b"x" * 11_000 + b"\r\nSubject"))
    assert tried("ann@example.com", headersTruncated=True) == "STOP_RULE_SET"
    assert tried.did == ["get_object", "copy_object", "send"]
    assert tried.lines("mail")[0]["headers_completed"] is True


@pytest.mark.parametrize("error", FAILURES[:4], ids=lambda error: type(error).__name__)
def test_a_mail_that_cannot_be_read_is_judged_as_it_came(error: Exception) -> None:
    """As before there was a bucket, and it is reported."""
    tried = Bench()
    tried.s3.errors["get_object"] = error
    assert tried("ann@example.com", headersTruncated=True) == "CONTINUE"
    (failure,), (line,) = tried.lines("copy_failed"), tried.lines("mail")
    assert (failure["stage"], line["went_on"]) == ("read", "headers_truncated")
    assert "headers_completed" not in line
    assert not tried.jobs


@pytest.mark.parametrize("message_id", ["../m1", "m1?versionId=x", "m 1", "m1/..", "."])
def test_an_id_that_is_not_of_ses_asks_for_nothing(message_id: str) -> None:
    """It would be another object, or another request."""
    tried = Bench()
    assert tried("ann@example.com", messageId=message_id) == "CONTINUE"
    assert tried.did == []
    assert tried.lines("copy_failed")


def test_a_whole_mail_is_read_within_a_bound() -> None:
    """For rules that ask for its content."""
    copy = MailBucket(MailObjects({"m1": RAW}), BUCKET, PREFIX, keeps=True).copy_of("m1")
    assert copy.whole(len(RAW)) == copy.whole(40_000_000) == RAW
    with pytest.raises(StoredCopyError, match=f"found {len(RAW)} bytes, expected at most 10"):
        copy.whole(10)
    assert copy.head(4) == b"From"


@pytest.mark.parametrize("size", [40 * 2**20 + 2_000, 41 * 2**20 + 1])
def test_the_largest_mails_have_a_size(size: int) -> None:
    """SES takes 40 MiB and writes headers above them; what is not read is as large as S3 says."""
    tried = Bench(more=LARGE.replace("1KB", "40MB"), raw=RAW + b"x" * (size - len(RAW)))
    assert tried("bob@example.com") == "STOP_RULE_SET"
    assert len(tried.jobs) == 1
    assert len(tried.lines("copy_failed")) == (size > 41 * 2**20)


def test_a_mail_is_read_if_a_rule_that_could_decide_asks_for_its_content() -> None:
    """Once; it is then kept and bounced as any other."""
    tried = Bench(more=LARGE, raw=RAW + b"x" * 2_000)
    assert tried("bob@example.com") == "STOP_RULE_SET"
    assert tried.did == ["get_object", "copy_object", "send"]
    small = Bench(more=LARGE)
    assert small("bob@example.com") == "CONTINUE"
    assert small.did == ["get_object"]


@pytest.mark.parametrize("recipient", ["ann@example.com", "trash@example.com"])
def test_a_mail_that_no_content_can_concern_is_not_read(recipient: str) -> None:
    """A rule before the one that asks for content decides."""
    tried = Bench(more=LARGE)
    assert tried(recipient) == "STOP_RULE_SET"
    assert "get_object" not in tried.did


@pytest.mark.parametrize("settings", [None, "store: false"])
def test_content_that_is_not_known_stops_nothing(settings: str | None) -> None:
    """A copy that can't be read is reported; without `store` nothing is read."""
    tried = Bench(settings, more=LARGE, raw=RAW + b"x" * 2_000)
    tried.s3.errors["get_object"] = refused("GetObject", "AccessDenied")
    assert tried("bob@example.com") == "CONTINUE"
    (line,) = tried.lines("mail")
    assert line["unknown"] == ["500-more"]
    failures = [failure["stage"] for failure in tried.lines("copy_failed")]
    assert (failures, line.get("bounds")) == ((["read"], ["copy"]) if not settings else ([], None))
