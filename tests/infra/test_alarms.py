"""Alarms: each is explained, asks for metrics that exist, and notifies those who are to know."""

import json
import re
from collections.abc import Callable

from bouncer.reasons import GUARD_REASONS
from tests.infra.conftest import MAXIMAL
from tests.infra.monitoring_parts import (
    Template,
    alarms,
    of_type,
    sections,
    watched,
)

Synth = Callable[..., Template]


def test_every_alarm_has_its_section_and_every_section_its_alarm(
    template: Template, other: Template
) -> None:
    """An operator finds there what the alarm means, where to look and what to do."""
    explained = sections("Alarms")
    of_replies = {
        "dead-replies",
        "expired-replies",
        "failed-replies",
        "held-replies",
        "replier-errors",
        "stuck-replier",
        "waiting-replies",
    }
    of_events = {"failed-events", "lost-events", "no-mail"}
    found = set(alarms(other)) - set(alarms(template))
    assert found == of_events | of_replies | {"report-errors"}
    assert set(explained) == set(alarms(template)) | set(alarms(other))
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
    assert told.pop("stopped-publisher") == "breaching"  # it runs every minute, mail or not
    assert told.pop("stopped-worker") == "ignore"  # SQS falls silent while jobs still wait
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


def test_replies_that_are_handed_back_are_seen(other: Template) -> None:
    """They hide from the age as jobs do: held, throttled, or with the quota of the day used."""
    for key, name in (
        ("stuck-replier", "HandedBack"),
        ("held-replies", "Held"),
        ("expired-replies", "Withheld_expired"),
    ):
        alarm = alarms(other)[key]
        (metric,) = watched(alarm)
        assert metric["MetricName"] == name
        assert {"Name": "service", "Value": "replier"} in metric["Dimensions"]
        if key != "expired-replies":
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


def test_mail_that_went_on_is_seen_as_a_share(template: Template, maximal: Template) -> None:
    """Of an hour's rejected recipients, counted by the reasons that say nothing about a sender."""
    alarm = alarms(template)["went-on"]
    assert (alarm["Threshold"], alarms(maximal)["went-on"]["Threshold"]) == (20, 35)
    assert {metric["MetricName"] for metric in watched(alarm)} == {
        *(f"Withheld_{reason}" for reason in GUARD_REASONS if not reason.about_sender),
        "Rejected",
    }
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"


def test_silenced_senders_are_seen_as_a_share(template: Template) -> None:
    """Their mail is stopped and they are not told, so an operator is: from more than 10 % on."""
    alarm = alarms(template)["silenced-senders"]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (10, "GreaterThanThreshold")
    assert {metric["MetricName"] for metric in watched(alarm)} == {
        "Withheld_capped",
        "Withheld_sender_bounced_before",
        "Sent",
    }
    (formula,) = [entry["Expression"] for entry in alarm["Metrics"] if "Expression" in entry]
    silenced, all_ = "(FILL(p0, 0) + FILL(p1, 0))", "(FILL(w0, 0) + FILL(p0, 0) + FILL(p1, 0))"
    counts = f"({silenced} >= 10) AND ({all_} >= {silenced})"
    assert formula == f"IF({counts}, 100 * {silenced} / {all_}, 0)"


def test_no_address_no_topic(template: Template) -> None:
    """Alarms are there anyway, for the dashboard and the doctor."""
    assert not of_type(template, "AWS::SNS::Topic")
    assert not any(alarm.get("AlarmActions") for alarm in alarms(template).values())


def test_alarms_are_mailed_and_may_be(maximal: Template) -> None:
    """Every alarm notifies both topics of ALARM and of OK; CloudWatch may publish to ours."""
    (subscription,) = of_type(maximal, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
    for alarm in alarms(maximal).values():
        assert (
            alarm["AlarmActions"]
            == alarm["OKActions"]
            == [
                subscription["TopicArn"],
                MAXIMAL["alarm_topic"],
            ]
        )
    (policy,) = of_type(maximal, "AWS::SNS::TopicPolicy")
    denied, allowed = policy["PolicyDocument"]["Statement"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }


def test_a_consumer_that_stopped_is_seen(template: Template) -> None:
    """Jobs wait, and for half an hour nothing receives a message."""
    alarm = alarms(template)["stopped-worker"]
    assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"] == 6
    visible, received = (entry["MetricStat"] for entry in alarm["Metrics"] if "MetricStat" in entry)
    assert visible["Metric"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert received["Metric"]["MetricName"] == "NumberOfMessagesReceived"
    assert {visible["Period"], received["Period"]} == {300}
    (formula,) = [entry["Expression"] for entry in alarm["Metrics"] if "Expression" in entry]
    assert formula == "IF(visible > 0 AND FILL(received, 0) < 1, 1, 0)"


def test_an_archive_that_stopped_is_seen(template: Template, synth: Synth) -> None:
    """Either stream keeps lines for more than an hour; the alarm exists only with an archive."""
    alarm = alarms(template)["stopped-archive"]
    names = {metric["MetricName"] for metric in watched(alarm)}
    assert (names, len(list(watched(alarm)))) == ({"DeliveryToS3.DataFreshness"}, 2)
    assert alarm["Threshold"] == 3600
    assert "stopped-archive" not in alarms(synth(archive=False))


def test_no_mail_at_all_is_an_alarm_for_those_who_ask(other: Template) -> None:
    """Silence breaches there, for as many hours as the settings say."""
    alarm = alarms(other)["no-mail"]
    assert (alarm["MetricName"], alarm["ComparisonOperator"]) == (
        "Invocations",
        "LessThanThreshold",
    )
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (3600, 6, 6)
    assert (alarm["Threshold"], alarm["TreatMissingData"]) == (1, "breaching")


def test_no_alarm_asks_for_a_metric_twice(maximal: Template) -> None:
    """CloudWatch charges each metric of an alarm, also the same one twice."""
    for key, alarm in alarms(maximal).items():
        found = [json.dumps(metric, sort_keys=True) for metric in watched(alarm)]
        assert len(found) == len(set(found)), key
