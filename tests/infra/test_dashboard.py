"""The dashboard and its metrics: those that the journal and SES publish, and all of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bouncer.environment import deployment_name
from bouncer.jobs.job import Job
from bouncer.judge import judge
from bouncer.mail.message import read_event
from bouncer.metric_names import NAMESPACE
from bouncer.operator_settings import Settings
from bouncer.reasons import BOUNCE_REASONS
from bouncer.rules.ruleset import Ruleset
from bouncer.sending.gate import withheld
from bouncer_infra.dashboard import MOST_METRICS
from tests.infra.journal_lines import NOW, RULES, event, lines, metrics
from tests.infra.monitoring_parts import Template, alarms, of_type, shown, watched


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
    """Every metric is shown, except sums, matches in shadow, and what an alarm or a query shows.

    A fifty-first metric would cost money.
    """
    seen = {name for space, name, _ in shown(template) if space == NAMESPACE}
    counted = {name for line in lines() for name in metrics(line)}
    by_alarm = {"Failed_unknown", "Failed_poison"}  # unknown-outcomes, dead-letters
    by_query = {"ColdStarts", "LeaseBusy", "LeaseTakenOver", "Repeated", "StaleBatches"}
    by_query |= {"DocumentWarnings", "SaltsMade", "Published", "NotMail", "ReleasedRules"}
    by_query |= {"Reports"}  # each is a mail
    by_alarm |= {"UnreadableJobs", "FeedbackErrors", "BreakerTrips", "PublisherErrors"}
    by_alarm |= {"StaleRules", "BrakedRules", "CopyErrors", "ReportErrors"}
    by_query |= {"DoubleBounces", "Complaints", "TransientBounces"}  # query feedback
    by_query |= {
        "Withheld_replied_before",
        "RepliesFailed_unknown",
        "ReplierErrors",
    }
    by_query |= {"Replied", "RepliesWithheld", "RepliesFailed", "ReplyErrors"}
    by_query |= {"WaitingEvents", "IgnoredEvents", "UnreadableEvents"}
    assert counted - seen == {"Withheld", "ShadowMatches"} | by_alarm | by_query


def test_a_withheld_reason_is_shown_for_the_function_that_finds_it(template: Template) -> None:
    """The gate's reasons are counted by the worker, the guard's by the intake."""
    found = {
        name.removeprefix("Withheld_"): dimensions["service"]
        for _, name, dimensions in shown(template)
        if name.startswith("Withheld_")
    }
    assert set(found) == set(BOUNCE_REASONS)
    at_sending = {reason for reason, service in found.items() if service == "worker"}
    assert at_sending == {"expired", "duplicate", "sender_bounced_before", "capped", "braked"}
    job = _job()
    asked = {
        withheld(
            replace(job, received_at=NOW - age),
            now=NOW,
            answered=answered,
            suppressed=suppressed,
            settings=settings,
        )
        for age in (timedelta(0), timedelta(days=2))
        for answered in ((), job.recipients)
        for suppressed in ({}, {"since": {"N": str(int(NOW.timestamp()))}})
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


def test_the_dashboard_has_at_most_fifty_metrics(template: Template, maximal: Template) -> None:
    """An account has three such dashboards free of charge; twenty senders add no metric."""
    for each in (template, maximal):
        assert len(shown(each)) <= MOST_METRICS
    assert len(shown(template)) == len(shown(maximal))
