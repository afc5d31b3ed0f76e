"""docs/deploy.md and docs/cost.md agree with the code and with arithmetic."""

import dataclasses
import json
import re
from collections.abc import Iterator
from math import isclose
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session

from bouncer.aws import exclusive_setting
from bouncer_cli.doctor.account import IAM_ACTION
from bouncer_infra.configuration_set_settings import FurtherSet
from bouncer_infra.deployment_settings import DeploymentSettings, setting_rows
from bouncer_infra.deployment_settings_reader import read_deployments, read_settings
from bouncer_infra.deployment_values import MailStore
from bouncer_infra.destination_settings import Destination, Kind
from bouncer_infra.key_policy import key_policy
from tests.infra.conftest import MINIMAL

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
COST = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
DOCTOR = ROOT / "local" / "bouncer_cli" / "doctor"
CALLS = {action: call for call, action in IAM_ACTION.items()}
NEW_PAGES = ["README.md", "docs/deploy.md", "docs/cost.md", "docs/architecture.md"]


def settings_table() -> dict[str, tuple[str, str]]:
    section = DEPLOY.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+) \| (.+) \|$", section, re.MULTILINE)
    return {key: (meaning, default) for key, meaning, default in rows}


def test_every_setting_is_documented_with_its_default() -> None:
    """The table has the settings that are read, no others, and their defaults."""
    table = settings_table()
    rows = setting_rows()
    assert table.keys() == rows.keys()
    defaults = {field.name: field.default for field in dataclasses.fields(DeploymentSettings)}
    for key, (_, shown) in table.items():
        default = defaults.get(key)
        plain = default if isinstance(default, str) else json.dumps(default, default=str)
        assert shown == (rows[key].default_in_words or f"`{plain}`"), key


def test_the_stores_defaults_are_documented() -> None:
    """The mapping shown for `store` is what `{}` means."""
    shown = json.dumps(dataclasses.asdict(MailStore()))
    assert f"`{shown}`" in settings_table()["store"][0]


def test_the_settings_shown_and_shipped_are_valid() -> None:
    """cdk.json deploys as it is, and so does the first example."""
    shipped = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    assert read_settings(shipped["context"]["bouncer"]).name == "main"
    examples = re.findall(r"```json\n(.*?)```", DEPLOY, re.DOTALL)
    assert examples
    read = [read_deployments(json.loads(example)) for example in examples]
    assert {each.runtime["mode"] for found in read for each in found} == {"shadow"}
    assert any(each.further_senders for found in read for each in found)
    assert max(map(len, read)) == 2  # one example has several


def test_the_key_policy_shown_is_whole() -> None:
    """It has the statements that the doctor looks for, and no others."""
    (shown,) = re.findall(r"```json key-policy\n(.*?)```", DEPLOY, re.DOTALL)
    settings = read_settings({**MINIMAL, "alarm_email": "ops@example.com"})
    wanted = key_policy(settings, account="111122223333", region="eu-west-1")
    assert json.loads(shown) == {"Version": "2012-10-17", "Statement": wanted}
    fewer = read_settings({**MINIMAL, "store": False})
    sids = {each["Sid"] for each in key_policy(fewer, account="111122223333", region="eu-west-1")}
    assert {each["Sid"] for each in wanted} - sids == {"StoredMail", "Alarms"}


def test_every_member_of_destinations_and_sets_is_documented() -> None:
    """Their tables name each member that is read, and the example has every kind."""
    heading = "\n## Event destinations and configuration sets\n"
    section = DEPLOY.partition(heading)[2].partition("\n## ")[0]
    of_kinds, of_sets = section.split("\n**A configuration set**")
    members = set(re.findall(r"^\|[^|]*\| `([a-z_]+)` \|", of_kinds, re.MULTILINE))
    fields = {field.name for field in dataclasses.fields(Destination)}
    assert members == fields - {"name", "kind", "events", "enabled"}
    options = set(re.findall(r"^\| `([a-z_]+)` \|", of_sets, re.MULTILINE))
    assert options == {field.name for field in dataclasses.fields(FurtherSet)} - {"name"}
    example = section.partition("```json\n")[2].partition("```")[0]
    assert all(f'"kind": "{kind}"' in example for kind in Kind)


def test_what_commands_ask_for_the_stack_puts_out(
    maximal: dict[str, Any], other: dict[str, Any]
) -> None:
    """A word in capitals in a runbook's command is an output, spelled in CDK's way."""
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    commands = re.findall(r"^ {4,}aws .*$", operations, re.MULTILINE)
    asked = {word for line in commands for word in re.findall(r"\b[A-Z]+_[A-Z_]+\b", line)}
    assert {"QUEUE_ARN", "DEAD_LETTER_URL", "MAIL_BUCKET"} <= asked
    outputs = maximal["Outputs"].keys() | other["Outputs"].keys()
    assert {word.title().replace("_", "") for word in asked} <= outputs


@pytest.mark.parametrize("page", NEW_PAGES)
def test_make_targets_named_exist(page: str) -> None:
    """Every `make word` in code of the pages about deploying is a target."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_refusals_are_quoted_as_they_are_said() -> None:
    """The page quotes a refusal with the sentence that CloudFormation shows."""
    told = " ".join(DEPLOY.split())
    identity = exclusive_setting.DefaultConfigurationSet(None, "example.com")  # type: ignore[arg-type]  # not asked
    rule_set = exclusive_setting.ActiveRuleSet(None)  # type: ignore[arg-type]  # not asked
    for switch in (identity, rule_set):
        assert f'{switch.place}: found "theirs", expected none; {switch.remedy}' in told
    assert identity._expected_verified("no such identity") in told  # noqa: SLF001  # its sentence


def test_the_doctors_permissions_are_all_listed() -> None:
    """The actions in the table are the calls in its source, no more and no fewer."""
    section = DEPLOY.partition("\n## Doctor\n")[2].partition("\n## ")[0]
    named = re.findall(r"`[a-z0-9]+:([A-Za-z]+)`", section)
    source = "".join(path.read_text(encoding="utf-8") for path in DOCTOR.glob("*.py"))
    calls = set(re.findall(r'"((?:describe|get|list|simulate)_[a-z_]+)"', source))
    assert calls
    assert {xform_name(CALLS.get(action, action)) for action in named} == calls


def test_the_doctors_permissions_belong_to_their_services() -> None:
    """Each action is an operation of the service it is listed under."""
    session = get_session()  # it keeps the models it has read
    apis = {"ses": ("ses", "sesv2")}
    for service, action in re.findall(
        r"`([a-z0-9]+):((?:Get|List|Describe|Simulate)[A-Za-z]+)`", DEPLOY
    ):
        names = apis.get(service, (service,))
        models = [session.get_service_model(name) for name in names]
        call = CALLS.get(action, action)
        assert any(call in model.operation_names for model in models), action


def cost_tables() -> Iterator[list[tuple[str, str, float]]]:
    for table in re.findall(r"\| item \| formula \| \$ \|\n\|[-|]+\|\n((?:\|.*\n)+)", COST):
        rows = (line.strip("| ").split(" | ") for line in table.splitlines())
        yield [(cells[0], cells[1].strip("` |"), float(cells[-1].strip("| "))) for cells in rows]


def product(formula: str) -> float:
    """The value of numbers joined by * and /, from left to right."""
    first, *rest = re.split(r" ([*/]) ", formula.replace(",", ""))
    value = float(first)
    for sign, number in zip(rest[::2], rest[1::2], strict=True):
        value = value * float(number) if sign == "*" else value / float(number)
    return value


def test_costs_are_what_their_formulas_give() -> None:
    """Each amount is its formula, each sum in bold all amounts above it."""
    tables = list(cost_tables())
    assert tables
    for table in tables:
        total = 0.0
        for item, formula, amount in table:
            if item.startswith("**"):
                assert isclose(amount, total, abs_tol=0.0006 * len(table)), item
            else:
                assert isclose(amount, product(formula), abs_tol=0.000501), item
                total += amount


def test_the_cost_of_alarms_counts_the_metrics_they_look_at(template: dict[str, Any]) -> None:
    """CloudWatch charges an alarm for each metric in it."""
    alarms = (
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    )
    metrics = sum(
        max(1, sum("MetricStat" in each for each in alarm.get("Metrics", []))) for alarm in alarms
    )
    (most,) = re.findall(r"at most \| `(\d+) \* 0\.10`", COST)
    assert metrics <= int(most) < metrics + 10
