"""The alarms and metrics of a template, and the sections of docs/operations.md, for tests."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Template = dict[str, Any]
ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def of_type(template: Template, kind: str) -> list[dict[str, Any]]:
    return [r["Properties"] for r in template["Resources"].values() if r["Type"] == kind]


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """The alarms by the last part of their names."""
    return {
        re.sub("^ses-auto-bouncer-(main|second)-", "", alarm["AlarmName"]): alarm
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
