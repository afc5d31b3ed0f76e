"""CDK apps of others synthesise with the installed wheel: that of `bouncer init`, the example."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.wheel.conftest import Install, Installed

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def user(installed: Install) -> Installed:
    """Somebody who has the wheel with both extras, a new folder, and a copy of the example."""
    found = installed("[infra,local]")
    options = ("--domain", "example.com", "--region", "eu-west-1")
    made = found("bouncer", "init", "new", *options, AWS_EC2_METADATA_DISABLED="true")
    assert made.returncode == 0, made.stderr
    shutil.copytree(ROOT / "examples" / "own_stack", found.folder / "own_stack")
    return found


def template(user: Installed, below: str, stack: str) -> dict[str, Any]:
    """Run an app as CDK's command line does, but bundle nothing; return the stack's template."""
    folder = user.folder / below
    context = json.loads((folder / "cdk.json").read_text(encoding="utf-8"))["context"]
    done = user(
        "python",
        "app.py",
        below=below,
        CDK_OUTDIR=str(folder / "cdk.out"),
        CDK_CONTEXT_JSON=json.dumps({**context, "aws:cdk:bundling-stacks": []}),
        CDK_DEFAULT_REGION="eu-west-1",
    )
    assert done.returncode == 0, done.stderr
    made = folder / "cdk.out" / f"{stack}.template.json"
    return dict(json.loads(made.read_text(encoding="utf-8")))


def test_the_folder_of_init_synthesises(user: Installed) -> None:
    """Its stack is that of a checkout, and its wheel and pins are all that it needs."""
    assert "Outputs" in template(user, "new", "ses-auto-bouncer-main")
    requirements = (user.folder / "new" / "requirements.txt").read_text(encoding="utf-8")
    _, first, *pins = requirements.splitlines()
    assert (user.folder / "new" / first.partition("[")[0]).is_file()
    names = {pin.partition("==")[0] for pin in pins}
    assert names >= {"aws-cdk-lib", "boto3"}
    script = "from importlib import metadata as m; print(*(d.name for d in m.distributions()))"
    present = set(re.sub(r"[._]", "-", user("python", "-c", script).stdout.lower()).split())
    assert present - {"ses-auto-bouncer"} <= names


def test_replay_works_in_the_folder(user: Installed) -> None:
    """The rules of the wheel judge its mails."""
    done = user("bouncer", "replay", "--rules", "rules", "mails", below="new")
    assert (done.returncode, "200-departed" in done.stdout) == (0, True)


def test_the_bouncer_stands_in_a_stack_of_ones_own(user: Installed) -> None:
    """Its rule comes first in their rule set, their topic hears its alarms, commands find it."""
    made = template(user, "own_stack", "Mail")
    resources = made["Resources"]
    kinds = {name: each["Type"] for name, each in resources.items()}
    (keep,) = (name for name in kinds if name.startswith("RuleSetKeep"))
    (ours,) = (
        each
        for name, each in resources.items()
        if kinds[name] == "AWS::SES::ReceiptRule" and name != keep
    )
    assert keep in ours["DependsOn"]
    assert ours["Properties"]["RuleSetName"] == "own-mail"
    assert "After" not in ours["Properties"]
    (pager,) = (name for name, kind in kinds.items() if kind == "AWS::SNS::Topic")
    alarms = [each for each in resources.values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    assert alarms
    assert all({"Ref": pager} in alarm["Properties"]["AlarmActions"] for alarm in alarms)
    assert {"QueueUrl", "RulesBucket", "HeldParameter"} <= made["Outputs"].keys()
