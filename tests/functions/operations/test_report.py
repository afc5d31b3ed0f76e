"""`bouncer report`: the daily report, from an operator's machine, and what it can't find out."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from bouncer.operator_settings import Settings
from bouncer.reporting import insights
from bouncer.sources.pointer import POINTER_KEY, Pointer, pointer_text
from bouncer.sources.revision import NO_RULES, revision_key, revision_text
from bouncer_cli.operations import deployment_report
from bouncer_sim.logs_insights import LogsInsights
from tests.functions.operations.deployed import CDK, Deployed, Operate, body
from tests.infra.journal_lines import lines

BUCKET = "rules"
GROUP = "IntakeLogs0A1B2C3D"


@pytest.fixture
def logged(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """The deployment with a revision in force, and the journal's lines in its logs."""
    s3: Any = boto3.client("s3")
    where = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    pointer = pointer_text(Pointer(NO_RULES.id, Settings()))
    s3.put_object(Bucket=BUCKET, Key=POINTER_KEY, Body=pointer)
    s3.put_object(Bucket=BUCKET, Key=revision_key(NO_RULES.id), Body=revision_text(NO_RULES))
    deployed.outputs["RulesBucket"] = BUCKET
    deployed.resources |= {
        GROUP: "AWS::Logs::LogGroup",
        "ArchiveEventsProblems57D3C643": "AWS::Logs::LogGroup",
    }
    boto3.client("logs").create_log_group(logGroupName=GROUP)

    written = [json.dumps(line) for line in lines()]

    class Model(LogsInsights):
        """Answers as Insights does; moto answers every row."""

        def __init__(self, _: object, groups: list[str], **more: object) -> None:
            assert groups == [GROUP]
            assert more["patience_s"] == deployment_report.PATIENCE_S
            super().__init__(written)

    monkeypatch.setattr(deployment_report, "Insights", Model)
    return deployed


def test_it_prints_what_the_mail_says(logged: Deployed, operate: Operate) -> None:
    """The needs of a person come first, then counts of the journal."""
    logged.bury(body(1))
    logged.queue(body(2))
    status, out, err = operate("report", "--days", "2")
    assert (status, err) == (0, "asking CloudWatch Logs, which may take minutes\n")
    assert out.startswith(
        "1 thing needs you.\n\n1. 1 job is a dead letter\n   bouncer jobs list --deployment main\n"
    )
    assert "\nMAIL\n        4  came\n" in out
    assert "        1  bounce waits\n" in out
    assert f"  revision {NO_RULES.id[:12]}, mode enforce, 0 rules\n" in out
    assert max(map(len, out.splitlines())) <= 72
    assert "@" not in out


def test_programs_read_json(logged: Deployed, operate: Operate) -> None:
    """One object, with the period in the time zone asked for."""
    status, out, _ = operate("report", "--format", "json", "--timezone", "Europe/Berlin")
    assert status == 0
    assert logged
    report = json.loads(out)
    start, end = (datetime.fromisoformat(report[name]) for name in ("start", "end"))
    assert end - start == timedelta(days=1)
    assert (datetime.now(UTC) - end).total_seconds() < 60
    assert (report["timezone"], report["mails"], report["gaps"]) == ("Europe/Berlin", 4, [])


def test_the_time_zone_is_that_of_the_setting(logged: Deployed, operate: Operate) -> None:
    """An operator reads the same times in the mail."""
    assert logged
    report = {"to": ["ops@example.com"], "timezone": "Asia/Tokyo"}
    changed = {"context": {"bouncer": {**CDK["context"]["bouncer"], "report": report}}}
    Path("cdk.json").write_text(json.dumps(changed))
    _, out, _ = operate("report", "--format", "json")
    assert json.loads(out)["timezone"] == "Asia/Tokyo"


def test_one_of_several_deployments_is_named(logged: Deployed, operate: Operate) -> None:
    """Its stack is asked, and its time zone holds."""
    assert logged
    report = {"to": ["ops@example.com"], "timezone": "Asia/Tokyo"}
    main = {**CDK["context"]["bouncer"], "settings": {"rate": 0.5}, "report": report}
    other = {
        "recipients": ["other.example"],
        "bounce_sender": "daemon@other.example",
        "settings": {"rate": 0.2},
    }
    several = {"context": {"bouncer": {"deployments": {"main": main, "other": other}}}}
    Path("cdk.json").write_text(json.dumps(several), encoding="utf-8")
    status, out, _ = operate("report", "--format", "json", "--deployment", "main")
    assert (status, json.loads(out)["timezone"]) == (0, "Asia/Tokyo")


def test_logs_that_expire_sooner_are_said(logged: Deployed, operate: Operate) -> None:
    """Otherwise the counts of a year would be taken for a year's."""
    assert logged
    _, _, err = operate("report", "--days", "91")
    assert err.startswith("--days: the logs are kept for 90 days (log_days in cdk.json)\n")


def test_an_endpoint_that_evaluates_no_query_is_said(
    deployed: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stack of an earlier version, in an emulator: the report has gaps, and is printed."""
    monkeypatch.setattr(insights, "_PAUSE_S", 0)
    deployed.resources[GROUP] = "AWS::Logs::LogGroup"
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    past = datetime.now(UTC) - timedelta(hours=1)
    event = {"timestamp": round(past.timestamp() * 1000), "message": "{}"}
    logs.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=[event])
    status, out, _ = operate("report")
    assert status == 0
    assert "this endpoint does not evaluate" in " ".join(out.split())
    assert "publishes no revisions: run cdk deploy" in " ".join(out.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--days", "0"), "argument --days: found 0, expected a number of days, 1 to 366"),
        (("--days", "000001000"), "argument --days: found 000001000, expected a number"),
        (("--days", "\u0663"), "argument --days: found"),
        (("--timezone", "../etc/passwd"), "argument --timezone: found ../etc/passwd, expected a"),
        (("--timezone", ""), "argument --timezone: found , expected a time zone such as"),
        (("--settings", "none.json"), "none.json: can't be read"),
    ],
)
def test_wrong_words_are_refused(
    deployed: Deployed, operate: Operate, words: tuple[str, ...], says: str
) -> None:
    """One sentence, and the status of wrong usage."""
    assert deployed
    status, out, err = operate("report", *words)
    assert (status, out) == (2, "")
    assert says in err


def test_without_a_deployment_it_says_so(
    deployed: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, with the next step."""
    del deployed.outputs["QueueUrl"]
    status, _, err = operate("report")
    assert (status, err.count("\n")) == (2, 1)
    assert "expected a stack of ses-auto-bouncer" in err
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", "http://127.0.0.1:9")
    status, _, err = operate("report")
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith("cloudformation can't be reached (EndpointConnectionError): check")
