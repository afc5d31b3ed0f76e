"""The reporter: one mail a day, whoever asks how often, and whatever fails on the way."""

import io
import json
from datetime import UTC, datetime
from itertools import count
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.session import get_session
from botocore.validate import ParamValidator

from bouncer import reporter
from bouncer.environment import (
    DEAD_LETTER_KEY,
    DEAD_LETTERS_KEY,
    LOG_GROUPS_KEY,
    QUEUE_KEY,
    REPORT_KEY,
)
from bouncer.function_limits import REPORT_SCHEDULED
from bouncer.reporter import Addressed, Reporter
from bouncer.reporter_journal import ReporterJournal
from bouncer.reporting.insights import Insights
from bouncer.reporting.report_ledger import ReportLedger
from bouncer.reporting.report_sender import MaybeSentError, NotSentError, ReportMail, request_of
from bouncer.sending.ledger_errors import LedgerError
from bouncer.sending.table import Table
from bouncer_sim.world.deployed_services import TABLE
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.dynamodb_service import DynamoDbService
from tests.embedded_aws import embedded_aws
from tests.functions.reporting.aws_fakes import NOW, Aws, look, lost, refused
from tests.threats.intake_line import event, handled

SCHEDULED = {REPORT_SCHEDULED: "2026-11-28T06:00:00Z"}
DAY = "2026-11-28"
SES = "send_email"


class Line:
    """A reporter with its ledger; each `report` is an attempt in the same environment."""

    def __init__(self, **answers: Any) -> None:
        self.aws = Aws(**answers)
        self.items = DynamoDbService(NOW.timestamp)
        self.client = cast("Any", DirectClient(self.items))  # in boto3's place
        self.stream = io.StringIO()
        names = (f"attempt-{number}" for number in count(1))
        self.reporter = Reporter(
            "main",
            Addressed("Bouncer <daemon@example.com>", ("ops@example.com",), "Europe/Berlin"),
            queries=Insights(
                self.aws, ["logs"], ticks=lambda: 0, sleep=lambda _: None, patience_s=1
            ),
            look=look(self.aws),
            items=Table(self.client, TABLE),
            mail=self.aws,
            journal=ReporterJournal("reporter", "main", stream=self.stream),
            now=lambda: NOW,
            new_name=lambda: next(names),
        )

    def report(self, event: Any = SCHEDULED) -> dict[str, str]:
        return self.reporter.report(event, request_id="r1")

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    @property
    def mails(self) -> list[dict[str, Any]]:
        return self.aws.asked(SES)


def test_a_report_is_sent() -> None:
    """To all operators, from the configured mailbox, with tags and our configuration set."""
    line = Line()
    assert line.report() == {"day": DAY, "state": "sent", "mail_id": "mail-1"}
    (mail,) = line.mails
    assert mail["FromEmailAddress"] == "Bouncer <daemon@example.com>"
    assert mail["Destination"] == {"ToAddresses": ["ops@example.com"]}
    assert mail["ReplyToAddresses"] == ["ops@example.com"]
    simple = mail["Content"]["Simple"]
    subject = "[ses-auto-bouncer-main] 0 mails, 0 bounced, 1 needs you"
    assert simple["Subject"]["Data"] == subject
    text = simple["Body"]["Text"]["Data"]
    assert "2026-11-27 07:00 to 2026-11-28 07:00 (Europe/Berlin)" in text
    tags = {each["Name"]: each["Value"] for each in mail["EmailTags"]}
    assert tags == {"deployment": "main", "kind": "report"}
    assert mail["ConfigurationSetName"] == "ses-auto-bouncer-main"
    (told,) = line.lines
    assert (told["message"], told["Reports"], told["report_day"]) == ("reported", [1], DAY)
    assert (told["needs"], told["gaps"]) == (1, [])
    assert "@" not in json.dumps(told)


def test_a_report_says_that_a_machine_sent_it() -> None:
    """RFC 3834 section 5: no answering machine answers it, and our own guard bounces none."""
    line = Line()
    line.report()
    headers = line.mails[0]["Content"]["Simple"]["Headers"]
    assert headers == [{"Name": "Auto-Submitted", "Value": "auto-generated"}]


@pytest.mark.threat
@pytest.mark.parametrize("sender", ["0102-x@eu-west-1.amazonses.com", "0102-x@mail.example.com"])
def test_a_report_to_a_rejected_address_is_never_bounced(sender: str) -> None:
    """It comes back to us where an operator's mailbox is one that a rule rejects.

    SES's own MAIL FROM, or a custom one, is its sender, and SPF passes for both.
    """
    line = Line()
    line.report()
    (mark,) = line.mails[0]["Content"]["Simple"]["Headers"]
    headers = (("From", "reports@brand.example"), (mark["Name"], mark["Value"]))
    found = handled(event(*headers, sender=sender, recipients=("ops@example.org",)))
    assert found.jobs == []
    assert '"withheld":"automatic"' in found.written
    without = handled(event(headers[0], sender=sender, recipients=("ops@example.org",)))
    assert len(without.jobs) == 1  # so that the header is what stops it


def test_a_second_attempt_of_a_day_sends_nothing() -> None:
    """EventBridge Scheduler and Lambda may both call twice."""
    line = Line()
    line.report()
    assert line.report() == {"day": DAY, "state": "sent"}
    assert len(line.mails) == 1
    assert [(each["message"], each.get("answer")) for each in line.lines] == [
        ("reported", None),
        ("report_repeated", "sent"),
    ]
    assert line.lines[1]["Repeated"] == [1]


def test_the_next_day_has_a_report_of_its_own() -> None:
    """Days are those of the time zone: 23:30 in Berlin and 00:30 are two."""
    line = Line()
    for time in ("2026-11-28T22:30:00Z", "2026-11-28T23:30:00Z"):
        line.report({REPORT_SCHEDULED: time})
    assert [each["report_day"] for each in line.lines] == ["2026-11-28", "2026-11-29"]
    assert len(line.mails) == 2


def test_a_report_that_an_operator_asks_for_does_not_replace_the_scheduled_one() -> None:
    """Each request is sent once: Lambda repeats one that failed with the same id."""
    line = Line()
    for request_id in ("trial", "trial", "another"):
        line.reporter.report({}, request_id=request_id)
    assert len(line.mails) == 2
    assert line.report() == {"day": DAY, "state": "sent", "mail_id": "mail-1"}
    assert line.report() == {"day": DAY, "state": "sent"}


@pytest.mark.parametrize("event", [{}, {REPORT_SCHEDULED: "<aws.scheduler.scheduled-time>"}])
def test_an_operator_may_invoke_it(event: dict[str, str]) -> None:
    """Without a scheduled time the day ends now."""
    line = Line()
    assert line.report(event)["state"] == "sent"
    text = line.mails[0]["Content"]["Simple"]["Body"]["Text"]["Data"]
    assert "2026-11-27 07:05 to 2026-11-28 07:05 (Europe/Berlin)" in text


@pytest.mark.parametrize(
    "error",
    [
        refused("MessageRejected"),
        refused("AccessDeniedException", status=403),
        refused("TooManyRequestsException", status=429),
        EndpointConnectionError(endpoint_url="https://ses.example"),
    ],
)
def test_what_ses_surely_did_not_take_is_sent_by_the_next_attempt(error: Exception) -> None:
    """A throttle passes, and an operator gives a permission back."""
    line = Line(send_email=[error, {"MessageId": "mail-2"}])
    with pytest.raises(NotSentError):
        line.report()
    assert line.lines[0]["ReportErrors"] == [1]
    assert line.report()["mail_id"] == "mail-2"
    assert len(line.mails) == 2


@pytest.mark.parametrize("error", [lost(), refused("InternalFailure", status=500)])
def test_what_ses_may_have_taken_is_not_sent_again(error: Exception) -> None:
    """An operator gets a report too few rather than one twice; the alarm says so."""
    line = Line(send_email=[error, {"MessageId": "mail-2"}])
    with pytest.raises(MaybeSentError):
        line.report()
    assert line.report() == {"day": DAY, "state": "begun"}
    assert len(line.mails) == 1
    assert [each["message"] for each in line.lines] == ["report_failed", "report_repeated"]


def test_a_report_with_gaps_is_sent() -> None:
    """A role without any right to look still says so."""
    denied = refused("AccessDenied")
    names = ("get_queue_attributes", "get_metric_statistics", "describe_alarms", "start_query")
    line = Line(**dict.fromkeys(names, denied))
    line.report()
    simple = line.mails[0]["Content"]["Simple"]
    assert simple["Subject"]["Data"].endswith(
        "mails not known, bounces not known, needs not known, incomplete"
    )
    text = " ".join(simple["Body"]["Text"]["Data"].split())
    assert "NOT KNOWN the number of mails, the decisions by rule," in text
    assert "logs:StartQuery was answered with AccessDenied: allow logs:StartQuery in IAM" in text
    assert len(line.lines[0]["gaps"]) == 5


class Failing:
    """A table's client whose updates fail, before or after they took effect, by their number."""

    def __init__(self, client: Any, *, failing: set[int], done: bool) -> None:
        self._client = client
        self._failing = failing
        self._done = done
        self._calls = count(1)

    def update_item(self, **given: Any) -> Any:
        fails = next(self._calls) in self._failing
        answer = self._client.update_item(**given) if self._done or not fails else {}
        if fails:
            raise lost()
        return answer


@pytest.mark.parametrize("done", [True, False])
def test_a_beginning_whose_answer_is_lost_is_made_again(*, done: bool) -> None:
    """It finds itself, so that the report is sent, and once."""
    line = Line()
    client = cast("Any", Failing(line.client, failing={1}, done=done))
    line.reporter._items = Table(client, TABLE)  # noqa: SLF001  # the table of this test
    assert line.report()["state"] == "sent"
    assert line.report()["state"] == "sent"
    assert len(line.mails) == 1


def test_without_the_ledger_nothing_is_sent() -> None:
    """Nobody could keep a second attempt from sending as well; Lambda tries again."""
    line = Line()
    client = cast("Any", Failing(line.client, failing={1, 2}, done=False))
    line.reporter._items = Table(client, TABLE)  # noqa: SLF001
    with pytest.raises(LedgerError):
        line.report()
    assert line.mails == []
    assert line.report()["state"] == "sent"


def test_a_report_whose_end_is_not_noted_is_not_sent_again() -> None:
    """The day stays begun."""
    line = Line()
    client = cast("Any", Failing(line.client, failing={2}, done=False))
    line.reporter._items = Table(client, TABLE)  # noqa: SLF001
    assert line.report()["state"] == "sent"
    assert line.report()["state"] == "begun"
    assert [each["message"] for each in line.lines] == [
        "reported",
        "report_failed",
        "report_repeated",
    ]


def test_an_attempt_that_lost_its_day_notes_nothing() -> None:
    """An attempt that was frozen for minutes must not free the day of another one."""
    items = Table(cast("Any", DirectClient(DynamoDbService(NOW.timestamp))), TABLE)
    first, second = (
        ReportLedger(items, DAY, name=name, now=lambda: NOW) for name in ("first", "second")
    )
    assert first.begin() == ""
    first.free()
    assert second.begin() == ""
    assert first.begin() == "begun"


def test_a_name_is_quoted_where_it_has_to_be() -> None:
    """A comma in a name would begin a second address, and a bracket a comment."""
    names = ("Ops, Night <a@example.com>", "(x <a@example.com>", "Ops <a@example.com>")
    request = request_of(ReportMail(names[0], names, "Subject", "Text", "main", "set"))
    written = ['"Ops, Night" <a@example.com>', '"(x" <a@example.com>', "Ops <a@example.com>"]
    assert request["FromEmailAddress"] == written[0]
    assert request["Destination"]["ToAddresses"] == request["ReplyToAddresses"] == written


def test_the_request_is_one_that_the_sdk_takes() -> None:
    """The SDK checks names and types of all members."""
    mail = ReportMail("a@example.com", ("b@example.com",), "Subject", "Text", "main", "set")
    shape = get_session().get_service_model("sesv2").operation_model("SendEmail").input_shape
    assert shape
    problems = ParamValidator().validate(request_of(mail), shape)
    assert not problems.has_errors(), problems.generate_report()


class Context:
    """The context that Lambda gives a handler beside the event."""

    aws_request_id = "r1"


def test_the_function_is_built_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its handler sends a mail by what the stack has set."""
    with embedded_aws() as aws:
        report = {"from": "daemon@example.com", "to": ["ops@example.com"], "timezone": "UTC"}
        further = {
            LOG_GROUPS_KEY: "intake worker",
            DEAD_LETTERS_KEY: f"dead-letters={aws.environ[DEAD_LETTER_KEY]}",
            REPORT_KEY: json.dumps(report),
            QUEUE_KEY: aws.environ[QUEUE_KEY],
        }
        for key, value in {**aws.environ, **further}.items():
            monkeypatch.setenv(key, value)
        boto3.client("sesv2").create_email_identity(EmailIdentity="example.com")
        for name in ("intake", "worker"):
            boto3.client("logs").create_log_group(logGroupName=name)
        reporter._reporter.cache_clear()  # noqa: SLF001  # it belongs to this environment
        answer = reporter.handler(SCHEDULED, Context())
        reporter._reporter.cache_clear()  # noqa: SLF001
        assert answer["state"] == "sent"
        dynamodb: Any = boto3.client("dynamodb")
        item = dynamodb.get_item(TableName="ledger", Key={"id": {"S": f"report#{DAY}"}})["Item"]
        assert item["state"] == {"S": "sent"}
        assert float(item["expires"]["N"]) > datetime.now(UTC).timestamp()
