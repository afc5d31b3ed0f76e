"""The construct in other trees: somebody else's stack, and a stage of somebody's pipeline."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bouncer_infra.deployment_settings_reader import read_settings
from tests.infra.conftest import FLAGS, MAXIMAL, MINIMAL, Findings, Synth

SETTINGS = {**MINIMAL, **MAXIMAL}


@pytest.fixture
def placed(synth: Synth) -> Callable[..., dict[str, Any]]:  # noqa: ARG001  # it set up Node
    """Return a function that makes the deployment's own stack in a scope, and its template."""
    from aws_cdk import aws_lambda as lambda_  # noqa: PLC0415
    from aws_cdk.assertions import Template  # noqa: PLC0415

    from bouncer_infra.stack import AutoBouncerStack  # noqa: PLC0415

    def template(scope: Any) -> dict[str, Any]:
        code = lambda_.InlineCode("handler = None")
        stack = AutoBouncerStack(scope, "Test", settings=read_settings(SETTINGS), code=code)
        assert stack.stack_name == "ses-auto-bouncer-main"
        return dict(Template.from_stack(stack).to_json())

    return template


def test_a_stage_changes_nothing(placed: Callable[..., dict[str, Any]]) -> None:
    """The same logical ids and the same template, wherever the stack stands in the tree."""
    import aws_cdk as cdk  # noqa: PLC0415

    plain = placed(cdk.App(context=FLAGS))
    staged = placed(cdk.Stage(cdk.App(context=FLAGS), "Production"))
    assert staged["Resources"].keys() == plain["Resources"].keys()
    assert staged == plain


def test_a_foreign_stack_takes_the_construct(synth: Synth, findings: Findings) -> None:  # noqa: ARG001  # it set up Node
    """It stands beside other resources, in a given account and region, with its findings settled.

    A queue of the other owner is still found, so nothing of theirs was acknowledged.
    """
    import aws_cdk as cdk  # noqa: PLC0415
    from aws_cdk import aws_lambda as lambda_  # noqa: PLC0415
    from aws_cdk import aws_sqs as sqs  # noqa: PLC0415

    from bouncer_infra.auto_bouncer import AutoBouncer  # noqa: PLC0415

    def theirs(app: Any) -> Any:
        environment = cdk.Environment(account="123456789012", region="eu-west-1")
        stack = cdk.Stack(app, "Theirs", env=environment)
        sqs.Queue(stack, "Plain")
        bouncer = AutoBouncer(
            stack,
            "Bouncer",
            settings=read_settings(SETTINGS),
            code=lambda_.InlineCode("handler = None"),
        )
        assert bouncer.queue.queue.node.path.startswith("Theirs/Bouncer/")
        return stack

    found = findings(SETTINGS, place=theirs)
    assert {name.split()[1] for name in found} == {"Theirs/Plain/Resource"}


def test_ids_are_no_hash_of_the_tree(template: dict[str, Any]) -> None:
    """A mapping with a changed id would be a second one, which SQS and Lambda refuse."""
    kind = "AWS::Lambda::EventSourceMapping"
    names = sorted(n for n, r in template["Resources"].items() if r["Type"] == kind)
    assert [name[:-8] for name in names] == [
        *("FeedbackMapping", "PublisherMapping", "WorkerMapping"),
    ]
    assert "Test" not in json.dumps(template["Resources"])


def test_the_example_of_the_page_works(synth: Synth) -> None:  # noqa: ARG001  # it set up Node
    """The lines in docs/deploy.md place the construct and use a resource of it."""
    import aws_cdk as cdk  # noqa: PLC0415
    from aws_cdk import aws_iam as iam  # noqa: PLC0415

    page = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    stack = cdk.Stack(cdk.App(context={"aws:cdk:bundling-stacks": []}), "Theirs")
    operator = iam.Role(stack, "Operator", assumed_by=iam.AccountRootPrincipal())
    names = {"stack": stack, "operator": operator}
    exec(example, names)  # noqa: S102  # our own page
    assert names["bouncer"].node.path == "Theirs/Bouncer"
