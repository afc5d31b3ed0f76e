"""CloudFormation gets one answer to every request, whatever happens, and in time."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from bouncer import account_settings
from bouncer.aws.custom_resource import (
    _ATTEMPT_TIMEOUT_S,
    _PAUSES_S,
    NOT_CREATED,
    RESERVE_S,
    AnswerError,
    Result,
    answer,
    one_line,
    result_of,
)
from bouncer.aws.exclusive_setting import SettingError
from bouncer.function_limits import ACCOUNT_SETTINGS_TIMEOUT_S

STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/ses-auto-bouncer-main/1b2c"
RULES = {"ServiceToken": "x", "Kind": "ActiveRuleSet", "RuleSetName": "ours"}
NO_RULE_SET = "<{0}Response><{0}Result/></{0}Response>"


class Services(BaseHTTPRequestHandler):
    """CloudFormation's response URL by PUT, and SES's query API by POST."""

    answers: ClassVar[list[dict[str, Any]]]
    statuses: ClassVar[list[int]]
    headers_seen: ClassVar[list[tuple[str | None, str | None]]]
    asked: ClassVar[list[str]]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert len(body) <= 4096
        self.headers_seen.append((self.headers["Content-Type"], self.headers["Content-Length"]))
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.answers.append(json.loads(body))
        self._reply(status, b"")

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        action = form.partition("Action=")[2].partition("&")[0]
        self.asked.append(action)
        self._reply(200, NO_RULE_SET.format(action).encode())

    def _reply(self, status: int, body: bytes) -> None:
        with suppress(BrokenPipeError):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no access log."""


class World:
    """A running server, and what it was sent."""

    def __init__(self, url: str, services: type[Services]) -> None:
        self.url = url
        self.services = services
        self.pauses: list[float] = []

    def request(self, kind: str = "Create", **members: Any) -> dict[str, Any]:
        return {
            "RequestType": kind,
            "ResponseURL": f"{self.url}/answer?Signature=s%2Fg%3D",
            "StackId": STACK,
            "RequestId": "r-1",
            "LogicalResourceId": "ActiveRuleSet",
            "ResourceType": "Custom::ActiveRuleSet",
            "ResourceProperties": RULES,
            **members,
        }

    def answer(self, result: Result, *, left_s: float = 60.0, **members: Any) -> None:
        request = self.request(**members)
        answer(request, result, left_s=lambda: left_s, sleep=self.pauses.append)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """SES and CloudFormation on loopback, and an environment that leads there."""
    services = type(
        "OwnServices", (Services,), {"answers": [], "statuses": [], "headers_seen": [], "asked": []}
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), services) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("no_proxy", "*")
        monkeypatch.setenv("AWS_ENDPOINT_URL_SES", url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        account_settings._ses.cache_clear()  # noqa: SLF001  # a new environment
        yield World(url, services)
        account_settings._ses().close()  # noqa: SLF001
        account_settings._ses.cache_clear()  # noqa: SLF001
        server.shutdown()


def context(left_s: float = 300.0) -> Any:
    return SimpleNamespace(
        aws_request_id="lambda-1", get_remaining_time_in_millis=lambda: int(left_s * 1000)
    )


def test_an_answer_names_its_request(world: World) -> None:
    """CloudFormation finds its own ids again, by a PUT with the content type it has signed."""
    world.answer(Result(physical_id="ActiveRuleSet"))
    assert world.services.answers == [
        {
            "Status": "SUCCESS",
            "Reason": "",
            "PhysicalResourceId": "ActiveRuleSet",
            "StackId": STACK,
            "RequestId": "r-1",
            "LogicalResourceId": "ActiveRuleSet",
            "NoEcho": False,
        }
    ]
    ((content_type, length),) = world.services.headers_seen
    assert content_type == ""
    assert int(length or 0) > 100


def test_a_failure_gives_its_reason(world: World) -> None:
    """The reason is the sentence that the operator reads in the stack's events."""
    world.answer(Result(physical_id="x", failure="found theirs,\nexpected none"))
    assert world.services.answers[0]["Status"] == "FAILED"
    assert world.services.answers[0]["Reason"] == "found theirs, expected none"


@pytest.mark.parametrize("text", ['"\\' * 3000, "\x00\ud800\U0001f600" * 2000, "é" * 5000])
def test_an_answer_is_never_too_large(world: World, text: str) -> None:
    """CloudFormation takes 4096 bytes: a reason of any kind is cut, the ids are not."""
    world.answer(Result(physical_id="p" * 900, failure=text), LogicalResourceId="L" * 255)
    assert len(world.services.answers[0]["Reason"]) == 1000
    assert one_line("short") == "short"


def test_an_answer_that_was_not_taken_is_sent_again(world: World) -> None:
    """Three failures cost seconds; the fourth attempt is the last."""
    world.services.statuses[:] = [500, 503, 403]
    world.answer(Result(physical_id="x"))
    assert world.pauses == [1, 2, 4]
    assert len(world.services.answers) == 1
    world.services.statuses[:] = [500] * 9
    with pytest.raises(AnswerError, match=r"can't be answered \(HTTPError: HTTP Error 500"):
        world.answer(Result(physical_id="x"))
    assert len(world.services.statuses) == 5


def test_no_attempt_is_made_when_time_is_up(world: World) -> None:
    """The function ends with an error, and Lambda calls it again with time of its own."""
    world.services.statuses[:] = [500, 500]
    with pytest.raises(AnswerError):
        world.answer(Result(physical_id="x"), left_s=0.0)
    assert world.pauses == []
    assert len(world.services.statuses) == 1


def test_only_a_web_address_is_answered(world: World) -> None:
    """A request that names a file writes none."""
    with pytest.raises(
        AnswerError, match="found file:///tmp/x, expected a URL that begins with https://"
    ):
        world.answer(Result(physical_id="x"), ResponseURL="file:///tmp/x")


def failing(error: Exception) -> Callable[[], str]:
    def work() -> str:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (SettingError("found theirs"), "found theirs"),
        (KeyError("Kind"), "the function failed (KeyError: 'Kind'); see its log group"),
        (RecursionError("deep"), "the function failed (RecursionError: deep); see its log group"),
    ],
)
def test_every_error_is_a_result(error: Exception, says: str) -> None:
    """Our own errors are sentences already; any other is named."""
    result = result_of(failing(error), failed_id=lambda: "f", within_s=10)
    assert result == Result(physical_id="f", failure=says)


def test_work_that_takes_too_long_is_a_result() -> None:
    """CloudFormation does not wait with the work for something that never comes."""
    over = Event()
    result = result_of(lambda: str(over.wait(10)), failed_id=lambda: "f", within_s=0.05)
    over.set()
    assert result.physical_id == "f"
    assert "found no answer from AWS in time" in str(result.failure)


def test_the_handler_takes_a_setting_and_says_so(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """From CloudFormation's request to SES and back, with one line in the log."""
    account_settings.handler(world.request(), context())
    assert world.services.asked == ["DescribeActiveReceiptRuleSet", "SetActiveReceiptRuleSet"]
    (answered,) = world.services.answers
    assert [answered["Status"], answered["PhysicalResourceId"]] == [
        "SUCCESS",
        "ActiveRuleSet-ActiveRuleSet",
    ]
    line = json.loads(capsys.readouterr().out)
    assert (line["message"], line["request"], line["failure"]) == (
        "account_setting",
        "Create",
        None,
    )
    assert (line["stack"], line["request_id"]) == (STACK, "lambda-1")
    assert line["properties"]["RuleSetName"] == "ours"


def test_the_handler_answers_when_no_time_is_left(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so instead of starting a call that Lambda would cut short; nothing was touched."""
    account_settings.handler(world.request(), context(left_s=100.0))
    (answered,) = world.services.answers
    assert answered["Status"] == "FAILED"
    assert "found no time left to ask SES" in answered["Reason"]
    assert answered["PhysicalResourceId"] == NOT_CREATED
    assert world.services.asked == []
    assert json.loads(capsys.readouterr().out)["level"] == "ERROR"


def test_the_function_has_time_to_ask_and_to_answer() -> None:
    """Its timeout holds the longest calls to read and to write, and the reserve to answer."""
    longest_call_s = account_settings._LONGEST_CALL_S  # noqa: SLF001  # a figure of the function
    attempts_s = sum(_PAUSES_S) + len(_PAUSES_S) * _ATTEMPT_TIMEOUT_S
    assert attempts_s < RESERVE_S
    assert RESERVE_S + 2 * longest_call_s <= ACCOUNT_SETTINGS_TIMEOUT_S


def test_the_handler_answers_what_it_does_not_understand(world: World) -> None:
    """Properties that make no sense are a failed creation, and its deletion succeeds."""
    account_settings.handler(world.request(ResourceProperties={"Kind": "Other"}), context())
    (answered,) = world.services.answers
    assert answered["Reason"].startswith(
        "resource properties: Kind: found 'Other', expected one of"
    )
    again = world.request(
        "Delete",
        ResourceProperties={"Kind": "Other"},
        PhysicalResourceId=answered["PhysicalResourceId"],
    )
    account_settings.handler(again, context())
    assert world.services.answers[1]["Status"] == "SUCCESS"
    assert world.services.asked == []
