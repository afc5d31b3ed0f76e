"""`replay --rules ssm:` finds the settings that the intake was deployed with, and only reads."""

import io
import json
import zipfile
from typing import Any

import boto3
import pytest

from bouncer.environment import DEFAULTS_KEY, DOMAIN_KEY, PREFIX_KEY, QUEUE_KEY
from bouncer.operator_settings import Settings
from bouncer.rules.rule import Mode
from bouncer_cli import command_line as cli
from bouncer_cli.commands.demo_command import SAMPLES
from bouncer_cli.deployed_settings import DeployedSettings, deployed_settings
from bouncer_cli.doctor.account import Account
from tests.embedded_aws import embedded_aws
from tests.functions.doctor.aws import ALLOWED, REGION, Aws

PREFIX = "/ses-auto-bouncer/main"
DEFAULTS = {"mode": "shadow", "bounce_sender": "bounces@example.com"}
MAIL = str(next(SAMPLES.glob("02-*.eml")))


def function(
    name: str = "intake", *, prefix: str = PREFIX, defaults: str | None = None, **variables: str
) -> dict[str, Any]:
    """Return a function as Lambda lists it."""
    environment = {
        PREFIX_KEY: prefix,
        QUEUE_KEY: "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs.fifo",
        DOMAIN_KEY: "amazonaws.com",
        DEFAULTS_KEY: json.dumps(DEFAULTS) if defaults is None else defaults,
        **variables,
    }
    return {
        "FunctionName": f"stack-{name}",
        "Handler": f"bouncer.{name}.handler",
        "Environment": {"Variables": environment},
    }


def found(answer: Any) -> DeployedSettings:
    """Return the settings found in an account whose Lambda answers so; all calls only read."""
    aws = Aws({"lambda.ListFunctions": answer})
    settings = deployed_settings(Account(aws.session(), REGION), PREFIX)
    assert all(ALLOWED.match(operation.partition(".")[2]) for operation in aws.asked)
    return settings


def test_the_publisher_of_the_prefix_is_found() -> None:
    """Its settings are read as it reads them itself; an intake of today has none."""
    without = function("intake")
    del without["Environment"]["Variables"][DEFAULTS_KEY]
    assert found({"Functions": [without, function("publisher")]}).source == "stack-publisher"


def test_an_intake_from_before_there_was_a_publisher_is_found() -> None:
    """It had the settings then; other functions do not count."""
    others = [
        function("worker"),
        function(prefix="/ses-auto-bouncer/main2", defaults="{}"),
        {"FunctionName": "x", "Handler": "bouncer.intake.handler"},
    ]
    deployed = found({"Functions": [*others, function(prefix=f"{PREFIX}/")]})
    assert (deployed.source, deployed.problem) == ("stack-intake", "")
    assert deployed.settings.mode is Mode.SHADOW
    assert deployed.settings.bounce_sender == "bounces@example.com"
    assert deployed.settings.reporting_mta == f"dns; inbound-smtp.{REGION}.amazonaws.com"


def test_every_page_is_read() -> None:
    """Lambda lists fifty functions at a time."""
    pages = iter([{"Functions": [], "NextMarker": "2"}, {"Functions": [function()]}])
    assert found(lambda _: next(pages)).source == "stack-intake"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"Functions": []}, f"found no publisher with the prefix {PREFIX}, expected one"),
        (
            {"Functions": [function(), function()]},
            f"found 2 publishers with the prefix {PREFIX}, expected one",
        ),
        (
            "AccessDeniedException",
            (
                "lambda:ListFunctions was answered with AccessDeniedException; "
                "allow lambda:ListFunctions to these credentials in IAM"
            ),
        ),
        (
            {"Functions": [function(defaults="mode: loud")]},
            f'{DEFAULTS_KEY}:1: mode: found "loud", expected one of enforce, shadow, off',
        ),
    ],
)
def test_a_problem_is_one_sentence(answer: Any, problem: str) -> None:
    """The replay then goes on with built-in settings."""
    assert found(answer) == DeployedSettings(settings=Settings(), problem=problem)


def deploy(prefix: str) -> None:
    """Make an intake in an embedded Lambda."""
    trust = {"Version": "2012-10-17", "Statement": []}
    role = boto3.client("iam").create_role(
        RoleName="intake", AssumeRolePolicyDocument=json.dumps(trust)
    )
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as bundle:
        bundle.writestr("a.py", "")
    wanted = function(prefix=prefix)
    boto3.client("lambda").create_function(
        **wanted, Runtime="python3.13", Role=role["Role"]["Arn"], Code={"ZipFile": code.getvalue()}
    )


@pytest.mark.parametrize(
    ("written", "said", "mode"),
    [
        (None, "settings: those that the function stack-intake was deployed with", "shadow"),
        (
            "mode: 'off'",
            (
                "settings: those that the function stack-intake was deployed with, "
                f"with those of {PREFIX}/settings over them"
            ),
            "off",
        ),
    ],
)
def test_a_replay_judges_by_them(
    written: str | None, said: str, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The parameter stands over them, and a line says which settings these are."""
    with embedded_aws():
        ssm = boto3.client("ssm")
        rule = "when: {recipient: ann@example.com}\ndrop: {}"
        for name, text in (("rules/100-left", rule), ("settings", written)):
            if text:
                ssm.put_parameter(Name=f"{PREFIX}/{name}", Value=text, Type="String")
        deploy(PREFIX)
        assert cli.main(["replay", "--rules", f"ssm:{PREFIX}", MAIL]) == 0
    err = capsys.readouterr().err.splitlines()
    assert said in err
    assert f"settings: mode is {mode}, so nothing is stopped or bounced" in err


def test_a_parameter_over_unknown_settings_is_remarked_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It may say nothing about the bounce sender, which the deployment knows."""
    with embedded_aws():
        rule = "when: {helo: x}\ndrop: {}"
        for name, text in (("rules/a", rule), ("settings", "sending: paused")):
            boto3.client("ssm").put_parameter(Name=f"{PREFIX}/{name}", Value=text, Type="String")
        assert cli.main(["replay", "--rules", f"ssm:{PREFIX}", MAIL]) == 0
    assert (
        f"settings: those that the intake was deployed with are not known here (found no publisher "
        f"with the prefix {PREFIX}, expected one): where {PREFIX}/settings says nothing, "
        "this replay takes mode enforce and no bounce_sender"
    ) in capsys.readouterr().err.splitlines()
