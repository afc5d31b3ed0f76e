"""A call of `bouncer doctor` that fails is one line, and stops no other check."""

import re
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProfileNotFound,
)
from botocore.parsers import ResponseParserError

from bouncer_cli.doctor.account import IAM_ACTION, Account
from bouncer_cli.doctor.examination import examine
from bouncer_cli.doctor.finding import Finding, Level
from tests.functions.doctor.aws import (
    HEALTHY,
    NOW,
    REGION,
    RESOURCES,
    Aws,
    deployment,
    found,
    lines,
    summaries,
)


@pytest.mark.parametrize("operation", sorted(HEALTHY))
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("AccessDeniedException", "AccessDenied"),
        ("InvalidAction", "InvalidAction"),
        ("Throttled", "answered with Throttled"),
        (EndpointConnectionError(endpoint_url="x"), "can't be reached"),
        (ResponseParserError("<html>"), "<html>"),
    ],
)
def test_a_call_that_fails_is_one_line_and_stops_no_other_check(
    operation: str, answer: Any, expected: str
) -> None:
    """The findings that need the failed call become a warning; the others stay."""
    findings = found({operation: answer})
    assert not lines(findings, Level.PROBLEM)
    missed = [line for line in findings if "could not be checked" in line.found]
    assert missed
    assert all(expected in line.found for line in missed)
    if answer == "AccessDeniedException":
        service, _, name = operation.partition(".")
        action = f"{'ses' if service == 'sesv2' else service}:{IAM_ACTION.get(name, name)}"
        assert all(f"allow {action} to" in line.next_step for line in missed)
    checks = {line.check for line in findings if line.level is Level.OK}
    assert len(checks) >= 10


def test_an_answer_that_is_not_understood_is_one_line() -> None:
    """An emulator may leave out what AWS always sends."""
    findings = found({"lambda.GetFunction": {}, "dynamodb.DescribeTable": {}})
    odd = [line.found for line in findings if "could not be checked" in line.found]
    assert odd == [
        "could not be checked: KeyError: 'Configuration'",
        "could not be checked: KeyError: 'Table'",
    ]
    assert {"stack", "credentials"} <= {
        line.check
        for line in found({"sts.GetCallerIdentity": {}, "cloudformation.DescribeStacks": {}})
    }


def test_nothing_is_asked_twice() -> None:
    """A function's settings and its state come from one answer, and so from one moment."""
    aws = Aws({})
    found(aws=aws)
    assert aws.asked.count("lambda.GetFunction") == len(RESOURCES["AWS::Lambda::Function"])


@pytest.mark.parametrize("error", [EndpointConnectionError, ConnectTimeoutError])
def test_a_service_that_is_silent_is_asked_once(error: type[BotoCoreError]) -> None:
    """All checks that need the service report it, without waiting for it again."""
    silent = error(endpoint_url="x")
    aws = Aws({"ses.ListConfigurationSets": silent, "ses.DescribeActiveReceiptRuleSet": silent})
    findings = found(aws=aws)
    ses = [line.check for line in findings if "ses can't be reached" in line.found]
    assert ses == [
        *("active rule set", "receipt rule", "stored mail"),
        *("configuration sets", "configuration set"),
    ]
    assert "ses.ListConfigurationSets" not in aws.asked


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
def test_credentials_that_are_refused_end_the_examination(code: str) -> None:
    """They are one problem instead of many; checks without credentials are still made."""
    aws = Aws({"sts.GetCallerIdentity": code})
    findings = found(aws=aws)
    assert [line.check for line in findings] == ["credentials", "mx"]
    assert findings[0].level is Level.PROBLEM
    assert "AWS_PROFILE" in findings[0].next_step
    assert aws.asked == ["sts.GetCallerIdentity"]


def test_no_credentials_and_no_profile_are_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is a traceback."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def first() -> Finding:
        return next(iter(examine(deployment(), region=REGION, now=NOW)))

    assert (first().level, first().check) == (Level.PROBLEM, "credentials")
    assert "found no credentials" in first().found
    monkeypatch.setenv("AWS_PROFILE", "missing")
    assert "missing" in first().found


def test_a_region_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a region nothing can be asked; an invalid name is reported as the cause."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    (finding,) = found(region=None)
    assert (finding.level, finding.check) == (Level.PROBLEM, "region")
    findings = found(region="not a region")
    assert [line.check for line in findings] == ["credentials", "mx"]
    assert findings[0].level is Level.PROBLEM
    assert "check the region" in findings[0].next_step


def test_an_examination_of_nothing_is_a_problem() -> None:
    """If AWS answers nothing, as for a region that does not exist, that is the problem."""
    findings = found(dict.fromkeys(HEALTHY, EndpointConnectionError(endpoint_url="x")))
    assert {line.check for line in findings if line.level is Level.OK} == {"mx"}
    assert (findings[0].level, findings[0].check) == (Level.PROBLEM, "account")
    assert findings[0].found.startswith("AWS answered nothing (could not be checked: sts can't")
    assert "the network" in findings[0].next_step
    assert {line.check for line in findings[1:]} == {"mx"}


def test_a_request_that_cannot_be_made_is_one_line() -> None:
    """A request that botocore refuses to send is reported in botocore's words."""
    shown = {**RESOURCES, "AWS::Lambda::EventSourceMapping": ["x"]}
    findings = found(
        {"cloudformation.ListStackResources": {"StackResourceSummaries": summaries(shown)}}
    )
    (line,) = lines(findings, Level.WARNING)
    assert line.startswith("queue mapping: could not be checked: GetEventSourceMapping could not")


def test_a_profile_that_is_missing_is_a_problem() -> None:
    """The session can't be opened, and that is one finding."""

    def session() -> boto3.Session:
        raise ProfileNotFound(profile="missing")

    (finding,) = examine(deployment(), region=None, now=NOW, session=session)
    assert (finding.level, finding.check) == (Level.PROBLEM, "credentials")


def test_an_emulator_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line shows the address, for those who ask an emulator by mistake."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4599")
    assert found()[0].found.endswith("in eu-west-1, at http://127.0.0.1:4599")


def test_many_resources_come_in_pages() -> None:
    """All pages of a listing are read."""
    pages = [
        {"StackResourceSummaries": summaries({"AWS::S3::Bucket": ["b"] * 100}), "NextToken": "2"},
        HEALTHY["cloudformation.ListStackResources"],
    ]
    findings = found({"cloudformation.ListStackResources": lambda _: pages.pop(0)})
    assert any("113 resources" in line for line in lines(findings, Level.OK))
    assert not lines(findings, Level.PROBLEM)


def test_a_further_sender_may_be_verified_by_a_domain_above_it() -> None:
    """Identities are tried from the address upwards; without a verified one it is a problem."""
    known = {"example.org": True, "ann@sub.example.org": False}

    def answer(asked: str) -> dict[str, Any] | str:
        name = asked.rpartition("/identities/")[2].split("b'")[0].replace("%40", "@")
        if name in ("example.com", *known):
            return {
                **HEALTHY["sesv2.GetEmailIdentity"],
                "VerifiedForSendingStatus": known.get(name, True),
            }
        return "NotFoundException"

    def sender(address: str) -> Finding:
        (finding,) = [
            line
            for line in found({"sesv2.GetEmailIdentity": answer}, further_senders=[address])
            if line.check == "further sender"
        ]
        return finding

    assert sender("ann@sub.example.org").found == "ann@sub.example.org (by example.org) is verified"
    known["example.org"] = False
    assert sender("ann@sub.example.org").level is Level.PROBLEM
    assert sender("ann@elsewhere.example").found == "no identity verifies ann@elsewhere.example"


def test_only_reading_calls_are_possible() -> None:
    """A check that changes something can't be written by mistake."""
    with pytest.raises(ValueError, match="delete_queue"):
        Account(boto3.Session(), REGION).ask("sqs", "delete_queue", QueueUrl="x")


def test_of_our_set_is_asked_for_what_is_judged() -> None:
    """SES describes the parts alone that are asked for."""
    asked = []

    def described(request: str) -> Any:
        asked.append(request)
        return HEALTHY["ses.DescribeConfigurationSet"]

    found({"ses.DescribeConfigurationSet": described})
    (request,) = asked
    parts = re.findall(r"'ConfigurationSetAttributeNames\.member\.[12]': '(\w+)'", request)
    assert parts == ["eventDestinations", "reputationOptions"]


def test_the_2016_release_is_used_to_list_and_describe() -> None:
    """Configuration sets are listed and described by the API that came with them."""
    aws = Aws({})
    found(aws=aws)
    assert {"ses.ListConfigurationSets", "ses.DescribeConfigurationSet"} <= set(aws.asked)
    many = [{"Name": f"set{index}"} for index in range(12)]
    findings = found({"ses.ListConfigurationSets": {"ConfigurationSets": many}})
    (listed,) = [line.found for line in findings if line.check == "configuration sets"]
    assert listed.startswith("12 in this region: set0, ")
    assert listed.endswith("set9 and 2 more")
