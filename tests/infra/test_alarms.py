"""The operator's view: every alarm is explained, every metric exists, every column is real.

Names in dashboard, alarms, saved queries and tables are held against lines the journal writes.
"""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bouncer.environment import deployment_name
from bouncer.intake import Intake
from bouncer.jobs.job import Job
from bouncer.journal import Journal
from bouncer.judge import judge
from bouncer.mail.message import read_event
from bouncer.metric_names import NAMESPACE
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.rules.rule import Mode
from bouncer.rules.ruleset import Ruleset
from bouncer.sending.gate import withheld
from bouncer.sources.loader import Loaded, Loader
from bouncer.sources.source import Document, Documents

Template = dict[str, Any]
Line = dict[str, Any]

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
RULES = {
    "100-accept": "when: {recipient: staff@example.com}\naccept: {}",
    "200-departed": "when: {recipient: ann@example.com}\nreject: {type: DoesNotExist}",
    "210-shadow": "mode: shadow\nwhen: {recipient: bob@example.com}\ndrop: {}",
    "300-drop": "when: {recipient: trash@example.com}\ndrop: {}",
}


class Fixed:
    """Rules as a test wants them."""

    def read(self) -> Documents:
        return Documents({name: Document(name, text) for name, text in RULES.items()})

    def earlier(self, name: str) -> tuple[()]:  # noqa: ARG002  # no history here
        return ()


class Kept:
    """Jobs, kept."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def send(self, job: Job) -> None:
        self.jobs.append(job)


def event(source: str) -> dict[str, Any]:
    recipients = [f"{name}@example.com" for name in ("ann", "bob", "staff", "trash")]
    verdict = {"status": "PASS"}
    mail = {"timestamp": NOW.isoformat(), "source": source, "messageId": "m1", "headers": []}
    verdicts = {f"{name}Verdict": verdict for name in ("spf", "dkim", "dmarc", "spam", "virus")}
    ses = {"mail": mail, "receipt": {"recipients": recipients, **verdicts}}
    return {"Records": [{"eventSource": "aws:ses", "ses": ses}]}


@cache
def lines() -> tuple[Line, ...]:
    """A line of every kind, as intake and worker have the journal write them."""
    intake, worker = io.StringIO(), io.StringIO()
    told = _Told(Journal("intake", "main", stream=intake))
    jobs = Kept()
    loader = Loader(Fixed(), Settings(), now=lambda: 0.0)
    function = Intake(loader=loader, jobs=jobs, journal=told.journal, now=lambda: NOW)
    for source in ("eve@partner.example", "<>"):
        function.handle(event(source), request_id="r1")
    told.not_mail("no records")
    told.intake_failed("rules", _raised(), "m1")
    invalid = Loaded(Ruleset([]), Settings(), ("a: found x, expected y",))
    told.documents(invalid)
    told.documents(replace(invalid, stale=True))
    found = {"mail", *told.names}
    told = _Told(Journal("worker", "main", stream=worker))
    told.begin("r2")
    told.documents(invalid)
    told.documents(replace(invalid, stale=True))
    (job,) = jobs.jobs
    for reason in Reason:
        told.withheld(job, Settings(), reason)
    told.sent(job, Settings(), bounce_id="b1", wait_s=1.5)
    told.failed(job, Settings(), _raised())
    told.retried(job, _raised())
    told.handed_back(3, _raised())
    told.unreadable_job("q1", _raised())
    told.worker_failed("release", _raised(), "ref")
    found |= told.names
    assert found == {name for name in vars(Journal) if not name.startswith("_")}
    text = intake.getvalue() + worker.getvalue()
    return tuple(json.loads(line) for line in text.splitlines())


class _Told:
    """A journal that remembers which kinds of line it was told to write."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.names.add(name)
        return getattr(self.journal, name)


def _raised() -> Exception:
    """An error that comes from somewhere."""
    try:
        int("x")
    except ValueError as error:
        return error
    raise AssertionError


def metrics(line: Line) -> set[str]:
    return {entry["Name"] for entry in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}


def of_type(template: Template, kind: str) -> list[dict[str, Any]]:
    return [r["Properties"] for r in template["Resources"].values() if r["Type"] == kind]


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """The alarms by the last part of their names."""
    return {
        alarm["AlarmName"].removeprefix("ses-auto-bouncer-main-"): alarm
        for alarm in of_type(template, "AWS::CloudWatch::Alarm")
    }


def watched(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The metrics an alarm looks at."""
    if "MetricName" in alarm:
        yield alarm
    for entry in alarm.get("Metrics", []):
        if "MetricStat" in entry:
            yield entry["MetricStat"]["Metric"]


def shown(template: Template) -> list[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of every metric of the dashboard."""
    (dashboard,) = of_type(template, "AWS::CloudWatch::Dashboard")
    parts = dashboard["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else "token" for part in parts))
    found = []
    for widget in body["widgets"]:
        for entry in widget["properties"].get("metrics", []):
            names = [item for item in entry if isinstance(item, str)]
            if names:
                dimensions = dict(zip(names[2::2], names[3::2], strict=True))
                found.append((names[0], names[1], dimensions))
    return found


def sections(heading: str) -> dict[str, str]:
    """The sections below a heading of docs/operations.md, by the anchor a reader's link has."""
    (_, _, below) = OPERATIONS.partition(f"\n## {heading}\n")
    (below, _, _) = below.partition("\n## ")
    parts = re.split(r"^### (.+)\n", below, flags=re.MULTILINE)[1:]
    return {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-"): text
        for title, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_every_line_reaches_the_archive(template: Template) -> None:
    """The subscription's selector names a text in every line: of an object it would take none."""
    found = of_type(template, "AWS::Logs::SubscriptionFilter")
    assert [each["FilterPattern"] for each in found] == ['{ $.service = "*" }'] * 2
    assert {type(line["service"]) for line in lines()} == {str}


def test_every_alarm_has_its_section_and_every_section_its_alarm(template: Template) -> None:
    """An operator finds there what the alarm means, where to look and what to do."""
    explained = sections("Alarms")
    assert set(explained) == set(alarms(template))
    for text in explained.values():
        assert all(f"**{part}:**" in text for part in ("Means", "Look", "Do")), text


def test_an_alarm_says_one_sentence_and_where_to_read_on(template: Template) -> None:
    """The mail, the console and `bouncer doctor` show it."""
    for key, alarm in alarms(template).items():
        pattern = rf"[A-Z][^.]+\. See docs/operations\.md#{key}"
        assert re.fullmatch(pattern, alarm["AlarmDescription"].replace("%", "percent")), alarm


def test_silence_is_no_alarm(template: Template) -> None:
    """Our metrics exist only while they count something; SES's rates come when it has news."""
    told = {key: alarm["TreatMissingData"] for key, alarm in alarms(template).items()}
    rates = {"reputation-bounces", "reputation-complaints"}
    assert {told.pop(key) for key in rates} == {"ignore"}
    assert set(told.values()) == {"notBreaching"}


def test_what_cloudwatch_takes_for_an_alarm(maximal: Template) -> None:
    """At most ten metrics, and no more than a day looked at, with as many senders as may be."""
    for alarm in alarms(maximal).values():
        looked_at = list(watched(alarm))
        assert 1 <= len(looked_at) <= 10
        stats = [entry["MetricStat"] for entry in alarm.get("Metrics", []) if "MetricStat" in entry]
        periods = {stat["Period"] for stat in stats} or {alarm.get("Period")}
        (period,) = periods
        assert period * alarm["EvaluationPeriods"] <= 24 * 3600


def test_the_age_warns_twice_before_a_bounce_expires(template: Template) -> None:
    """At 12 and at 20 of the 24 hours."""
    found = alarms(template)
    for hours in (12, 20):
        alarm = found[f"oldest-job-{hours}h"]
        assert alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
        assert alarm["Threshold"] == hours * 3600


def test_a_head_that_hides_from_the_age_is_seen(template: Template) -> None:
    """SQS leaves jobs received three times out of the age; being handed back is counted by us."""
    alarm = alarms(template)["stuck-worker"]
    (metric,) = watched(alarm)
    assert metric["MetricName"] == "HandedBack"
    assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"]


def test_an_intake_without_environment_is_an_intake_error(template: Template) -> None:
    """Such a function can't know its deployment and says `unknown`; Lambda sees no error at all."""
    found = list(watched(alarms(template)["intake-errors"]))
    deployments = {
        dimension["Value"]
        for metric in found
        for dimension in metric["Dimensions"]
        if dimension["Name"] == "deployment"
    }
    assert deployments == {"main", "unknown"}
    assert {"IntakeErrors", "Errors"} == {metric["MetricName"] for metric in found}


def test_no_address_no_topic(template: Template) -> None:
    """Alarms are there anyway, for the dashboard and the doctor."""
    assert not of_type(template, "AWS::SNS::Topic")
    assert not any(alarm.get("AlarmActions") for alarm in alarms(template).values())


def test_alarms_are_mailed_and_may_be(maximal: Template) -> None:
    """Every alarm notifies the topic of ALARM and of OK; CloudWatch may publish."""
    (subscription,) = of_type(maximal, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
    for alarm in alarms(maximal).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [subscription["TopicArn"]]
    (policy,) = of_type(maximal, "AWS::SNS::TopicPolicy")
    denied, allowed = policy["PolicyDocument"]["Statement"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }


def test_every_metric_of_ours_is_one_the_journal_writes(template: Template) -> None:
    """Dashboard and alarms name metrics by the namespace, dimensions and service that have them."""
    written = {
        (NAMESPACE, name, line["service"]) for line in lines() for name in metrics(line)
    }  # the guard's reasons, which the worker was made to write here too, are the intake's
    ours = [(space, name, found) for space, name, found in shown(template) if space == NAMESPACE]
    for alarm in alarms(template).values():
        for metric in watched(alarm):
            dimensions = {d["Name"]: d["Value"] for d in metric.get("Dimensions", [])}
            if metric["Namespace"] == NAMESPACE:
                ours.append((NAMESPACE, metric["MetricName"], dimensions))
    assert ours
    for space, name, dimensions in ours:
        assert set(dimensions) == {"deployment", "service"}
        assert dimensions["deployment"] in ("main", "unknown")
        service = "worker" if name.startswith("Withheld_") else dimensions["service"]
        assert (space, name, service) in written


def test_the_dashboards_name_has_the_region(template: Template) -> None:
    """An account has one list of dashboards for all regions."""
    (dashboard,) = of_type(template, "AWS::CloudWatch::Dashboard")
    name = dashboard["DashboardName"]["Fn::Join"]
    assert name == ["", ["ses-auto-bouncer-main-", {"Ref": "AWS::Region"}]]


def test_the_dashboard_keeps_its_periods(template: Template) -> None:
    """Its units name them; by default CloudWatch takes longer periods for a day or more."""
    (dashboard,) = of_type(template, "AWS::CloudWatch::Dashboard")
    body = "".join(map(str, dashboard["DashboardBody"]["Fn::Join"][1]))
    assert '"periodOverride":"inherit"' in body
    assert "60 * sent / PERIOD(sent)" in body


def test_the_dashboard_shows_all_that_is_counted(template: Template) -> None:
    """Every metric that is paid for is shown, except sums of others and matches in shadow."""
    seen = {name for space, name, _ in shown(template) if space == NAMESPACE}
    counted = {name for line in lines() for name in metrics(line)}
    assert counted - seen == {"Withheld", "ShadowMatches"}


def test_a_withheld_reason_is_shown_for_the_function_that_finds_it(template: Template) -> None:
    """The gate's reasons are counted by the worker, the guard's by the intake."""
    found = {
        name.removeprefix("Withheld_"): dimensions["service"]
        for _, name, dimensions in shown(template)
        if name.startswith("Withheld_")
    }
    assert set(found) == set(Reason)
    at_sending = {reason for reason, service in found.items() if service == "worker"}
    assert at_sending == {"expired", "duplicate", "capped", "paused"}
    job = _job()
    asked = {
        withheld(replace(job, received_at=NOW - age), now=NOW, answered=answered, settings=settings)
        for age in (timedelta(0), timedelta(days=2))
        for answered in ((), job.recipients)
        for settings in (Settings(), Settings(sending=False))
    }
    assert asked - {None} <= at_sending


def _job() -> Job:
    rules = Ruleset([rule for _, rule in sorted(_rules().items())])
    (message,) = read_event(event("eve@partner.example"))
    return judge(message, rules, Settings(), now=NOW).jobs[0]


def _rules() -> dict[str, Any]:
    from bouncer.rules.rule_reader import read_rule  # noqa: PLC0415  # beside its only use

    return {name: read_rule(name, text) for name, text in RULES.items()}


def test_deployments_are_counted_apart(other: Template) -> None:
    """The dimension is the deployment's name, which the functions have from their prefix."""
    found = {d["deployment"] for space, _, d in shown(other) if space == NAMESPACE}
    assert found == {"second"} == {deployment_name("/mail/second")}


def test_no_metric_knows_a_sender(template: Template) -> None:
    """Each set of dimensions is paid for, and strangers choose their addresses."""
    for line in lines():
        assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["deployment", "service"]]
    names = {name for _, _, dimensions in shown(template) for name in dimensions}
    assert names <= {
        *("deployment", "service", "QueueName", "FunctionName"),
        *("ses:from-domain", "ses:configuration-set"),
    }


def test_ses_events_are_asked_for_as_they_are_published(template: Template) -> None:
    """With every dimension of the event destination: CloudWatch adds none together."""
    (destination,) = [
        p["EventDestination"]["CloudWatchDestination"]["DimensionConfigurations"]
        for p in of_type(template, "AWS::SES::ConfigurationSetEventDestination")
        if "CloudWatchDestination" in p["EventDestination"]
    ]
    published = {entry["DimensionName"] for entry in destination}
    (options,) = of_type(template, "AWS::SES::ConfigurationSet")
    for space, name, dimensions in shown(template):
        if space == "AWS/SES" and not name.startswith("Reputation."):
            assert set(dimensions) == published
            assert dimensions["ses:configuration-set"] == options["Name"]
            assert dimensions["ses:from-domain"] == "example.com"


# --- saved queries of the logs


# Of the query language, names given in the queries, and what an operator replaces.
WORDS = """fields filter sort limit stats unnest into parse by as desc asc count max and or not in
like ispresent jsonParse line decision problem reason bounces jobs times last_reported recipients
megabytes seconds duration_ms init_ms null REFERENCE REPORT"""

# What Lambda and its runtime client write themselves, in text format (Lambda Developer Guide,
# "Sending Lambda function logs to CloudWatch Logs"; awslambdaric).
REPORT = (
    "REPORT RequestId: 79b4\tDuration: 12.86 ms\tBilled Duration: 13 ms\tMemory Size: 256 MB\t"
    "Max Memory Used: 58 MB\tInit Duration: 193.77 ms\t"
)
CRASH = "[ERROR] ImportError: no re2\rTraceback (most recent call last):"
TIMEOUT = "2026-11-02T08:00:00.000Z 79b4 Task timed out after 20.00 seconds"


def queries(template: Template) -> dict[str, str]:
    return {
        p["Name"].removeprefix("ses-auto-bouncer/main/"): p["QueryString"]
        for p in of_type(template, "AWS::Logs::QueryDefinition")
    }


def test_saved_queries_are_told_about(template: Template) -> None:
    """Every one is named in docs/operations.md, and no other is."""
    named = set(re.findall(r"query `([a-z-]+)`", OPERATIONS))
    assert named == set(queries(template))


def test_saved_queries_ask_both_functions(template: Template) -> None:
    """The groups are those the functions write to."""
    functions = [
        f
        for f in of_type(template, "AWS::Lambda::Function")
        if f["Handler"] in ("bouncer.intake.handler", "bouncer.worker.handler")
    ]
    groups = [f["LoggingConfig"]["LogGroup"] for f in functions]
    for query in of_type(template, "AWS::Logs::QueryDefinition"):
        assert query["LogGroupNames"] == groups


def test_saved_queries_name_fields_and_events_that_exist(template: Template) -> None:
    """Every quoted event is one the journal writes, every field one of its lines' or Lambda's."""
    events = {line["message"] for line in lines()}
    fields = {key for line in lines() for key in line} | {"action", "recipient", "rule", "withheld"}
    words = set(re.findall(r"\w+", WORDS))
    for name, text in queries(template).items():
        bare = re.sub(r"/[^/\n]+/(?!\d)|@\w+", " ", text.replace(" / ", " ")).replace("`", "")
        for event_list in re.findall(r"message (?:in )?(?:= )?(\[[^]]*\]|\"\w+\")", bare):
            assert set(re.findall(r'"(\w+)"', event_list)) <= events, name
        asked = set(re.findall(r"[A-Za-z_]+", re.sub(r'"[^"]*"', " ", bare)))
        assert asked <= fields | words, (name, asked - fields - words)


def found_by(query: str, line: str) -> list[str]:
    """Which patterns of a query are in a line."""
    patterns = re.findall(r"@message like /((?:[^/])+)/", query)
    patterns += map(re.escape, re.findall(r'@message like "([^"]+)"', query))
    return [pattern for pattern in patterns if re.search(pattern, line)]


@pytest.mark.parametrize("line", [CRASH, TIMEOUT])
def test_crashes_are_found(template: Template, line: str) -> None:
    """Lambda's own lines about an uncaught exception and a function out of time are found."""
    for name in ("intake-errors", "worker-errors"):
        assert found_by(queries(template)[name], line)
        assert not found_by(queries(template)[name], REPORT)


def test_durations_are_read(template: Template) -> None:
    """From Lambda's own line, without the fields CloudWatch may find in a group it knows."""
    query = queries(template)["slowest"]
    assert found_by(query, REPORT)
    read: dict[str, str] = {}
    for pattern in re.findall(r"parse @message /(.+)/", query):
        found = re.search(pattern.replace("(?<", "(?P<"), REPORT)
        assert found
        read |= found.groupdict()
    assert read == {"duration_ms": "12.86", "init_ms": "193.77", "megabytes": "58"}


# --- tables


def tables(template: Template) -> dict[str, dict[str, Any]]:
    found = [p["TableInput"] for p in of_type(template, "AWS::Glue::Table")]
    return {table["Name"]: table for table in found}


def columns(table: dict[str, Any]) -> dict[str, str]:
    """The types of a table's columns by the keys they are read from, without regard to case."""
    descriptor = table["StorageDescriptor"]
    mapped = descriptor["SerdeInfo"]["Parameters"]
    return {
        mapped.get(f"mapping.{column['Name']}", column["Name"]): column["Type"]
        for column in descriptor["Columns"]
    }


def fits(value: object, kind: str) -> bool:
    """Tell whether a JSON value is of a Hive type; null is of every type."""
    if value is None:
        return True
    if kind.startswith("array<"):
        inner = kind.removeprefix("array<")[:-1]
        return isinstance(value, list) and all(fits(item, inner) for item in value)
    if kind.startswith("struct<"):
        members = dict(_members(kind.removeprefix("struct<")[:-1]))
        if not isinstance(value, dict):
            return False
        lower = {key.lower(): item for key, item in value.items()}
        return set(lower) <= set(members) and all(fits(lower[k], members[k]) for k in lower)
    return isinstance(value, {"string": str, "bigint": int}[kind])


def _members(text: str) -> Iterator[tuple[str, str]]:
    """`name:type` pairs, split at the commas outside of brackets."""
    depth = start = 0
    for index, character in enumerate(f"{text},"):
        depth += {"<": 1, ">": -1}.get(character, 0)
        if character == "," and depth == 0:
            name, _, kind = text[start:index].partition(":")
            yield name, kind
            start = index + 1


def test_the_journals_table_takes_every_line(template: Template) -> None:
    """Each field has a column of its type; only metrics have none, and no column is made up."""
    kinds = columns(tables(template)["journal"])
    seen: set[str] = set()
    for line in lines():
        counted = {name for name in metrics(line) if name.lower() not in kinds}
        fields = {
            key.lower(): value for key, value in line.items() if key not in counted | {"_aws"}
        }
        assert set(fields) <= set(kinds)
        for key, value in fields.items():
            assert fits(value, kinds[key]), (key, value)
        seen |= set(fields)
    assert seen == set(kinds)


def test_no_two_keys_of_a_line_differ_in_case_only() -> None:
    """The SerDe looks at keys without case, and refuses a line that has one twice."""
    for line in lines():
        assert len({key.lower() for key in line}) == len(line)


def test_the_events_table_takes_a_bounce_of_a_bounce(template: Template) -> None:
    """As the SES Developer Guide shows one; its further members are left out."""
    kinds = columns(tables(template)["events"])
    recipient = {
        "emailAddress": "eve@partner.example",
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
    }
    told = {
        "eventType": "Bounce",
        "mail": {"timestamp": NOW.isoformat(), "messageId": "b1", "source": "", "destination": []},
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [recipient],
            "timestamp": NOW.isoformat(),
            "feedbackId": "f1",
            "reportingMTA": "dsn; a8-50.smtp-out.amazonses.com",
        },
    }
    for key, value in told.items():
        assert fits(value, kinds[key.lower()]), key


def test_tables_are_read_where_the_streams_write(template: Template) -> None:
    """Folders by day in the archive's bucket; the partitions are worked out from the date."""
    written = {}
    for stream in of_type(template, "AWS::KinesisFirehose::DeliveryStream"):
        target = stream["ExtendedS3DestinationConfiguration"]
        written[target["Prefix"]] = target["BucketARN"]["Fn::GetAtt"][0]
        assert target["CompressionFormat"] == "GZIP"
    for name, table in tables(template).items():
        bucket = written[f"{name}/day=!{{timestamp:yyyy-MM-dd}}/"]
        location = table["StorageDescriptor"]["Location"]["Fn::Join"][1]
        assert location == ["s3://", {"Ref": bucket}, f"/{name}/"]
        parameters = table["Parameters"]
        by_day = parameters["storage.location.template"]["Fn::Join"][1]
        assert by_day == ["s3://", {"Ref": bucket}, f"/{name}/day=${{day}}/"]
        assert parameters["projection.day.format"] == "yyyy-MM-dd"
        assert [key["Name"] for key in table["PartitionKeys"]] == ["day"]


def test_answers_are_encrypted_and_do_not_stay(template: Template) -> None:
    """They show addresses, so no query can put them elsewhere."""
    (group,) = of_type(template, "AWS::Athena::WorkGroup")
    configuration = group["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"]
    results = configuration["ResultConfiguration"]
    assert results["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    (_, bucket, prefix) = results["OutputLocation"]["Fn::Join"][1]
    rules = template["Resources"][bucket["Ref"]]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert f"/{rules[-1]['Prefix']}" == prefix
    assert rules[-1]["ExpirationInDays"] < rules[0]["ExpirationInDays"]


def test_every_question_reads_a_month_and_no_more(template: Template) -> None:
    """Athena charges for what it reads: each table of each query is narrowed by its day."""
    for query in of_type(template, "AWS::Athena::NamedQuery"):
        text = query["QueryString"]
        read = len(re.findall(r"(?:FROM|JOIN) (?:journal|events)\b", text))
        assert read
        assert len(re.findall(r"day >= date_format\(", text)) == read, query["Name"]


def test_the_questions_are_told_about(template: Template) -> None:
    """docs/operations.md names every saved Athena query, and no other."""
    named = set(re.findall(r"question `([a-z-]+)`", OPERATIONS))
    saved = of_type(template, "AWS::Athena::NamedQuery")
    assert named == {q["Name"].removeprefix("ses-auto-bouncer/main/") for q in saved}
    assert all(q["QueryString"].startswith(f"-- {q['Description']}\n") for q in saved)


@pytest.mark.parametrize("name", ["sending: paused", "mode: shadow"])
def test_the_kill_switches_are_settings_that_exist(name: str) -> None:
    """The functions accept the settings that the runbook has operators write."""
    assert name in OPERATIONS
    Settings().overlaid(name)


def test_the_kill_switch_pauses_and_changes_nothing_else() -> None:
    """The runbook's settings leave the mode as it was, though cdk.json says shadow."""
    shipped = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    deployed = Settings().overlaid(json.dumps(shipped["context"]["bouncer"]["settings"]))
    assert deployed.mode is Mode.SHADOW
    commands = re.findall(r"put-parameter --name \S+/settings .*--value \$?'(.+)'", OPERATIONS)
    pause, resume = (deployed.overlaid(text.replace("\\n", "\n")) for text in commands)
    assert (pause.mode, pause.sending) == (Mode.ENFORCE, False)
    assert (resume.mode, resume.sending) == (Mode.ENFORCE, True)


def test_commands_of_the_runbooks_exist() -> None:
    """Every `aws` command named is one of botocore's, with options of its operation."""
    import botocore.session  # noqa: PLC0415  # beside its only use
    from botocore import xform_name  # noqa: PLC0415

    session = botocore.session.get_session()
    found = re.findall(
        r"^ *aws ([a-z0-9-]+) ([a-z-]+)((?:.|\\\n)*?)(?<!\\)$", OPERATIONS, re.MULTILINE
    )
    assert found
    for service, command, rest in found:
        if service == "s3":
            continue  # the CLI's own, no operation of the service
        model = session.get_service_model(service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        shape = model.operation_model(names[command]).input_shape
        assert shape
        options = {xform_name(member, "-") for member in shape.members} | {"query", "output"}
        given = {option.removeprefix("no-") for option in re.findall(r"--([a-z-]+)", rest)}
        assert given <= options, command
