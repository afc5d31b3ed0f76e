"""Several deployments in one cdk.json: what they share, and what two of them cannot both have."""

import json
from pathlib import Path
from typing import Any

import pytest

from bouncer.errors import BouncerError, DocumentError
from bouncer_infra.deployment_settings_reader import read_cdk_json, read_deployments
from bouncer_infra.recipient_overlap import overlapping

PROD: dict[str, Any] = {
    "recipients": ["example.com"],
    "bounce_sender": "mailer-daemon@example.com",
    "settings": {"rate": 0.5},
}
TEST: dict[str, Any] = {
    "recipients": ["test.example.com"],
    "bounce_sender": "mailer-daemon@test.example.com",
    "settings": {"rate": 0.5},
}
US, EU = {"account": "111122223333", "region": "us-east-1"}, {"region": "eu-west-1"}


def both(prod: dict[str, Any], test: dict[str, Any], **shared: Any) -> dict[str, Any]:
    return {**shared, "deployments": {"prod": {**PROD, **prod}, "test": {**TEST, **test}}}


def refused(context: object) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        read_deployments(context)
    return [
        str(problem).removeprefix("cdk.json: context.bouncer.") for problem in caught.value.problems
    ]


def test_what_is_inside_wins() -> None:
    """Settings outside hold for all; the entries of settings and tags are merged."""
    context = {
        "rule_set": "inbound",
        "log_days": 30,
        "tags": {"team": "mail", "stage": "none"},
        "settings": {"mode": "shadow", "rate": 0.5},
        "deployments": {
            "prod": {**PROD, "log_days": 90, "settings": {"rate": 0.6}},
            "test": {
                **TEST,
                "log_days": None,
                "tags": {"stage": "test"},
                "settings": {"rate": 0.4},
            },
        },
    }
    prod, test = read_deployments(context)
    assert (prod.name, prod.full_name, prod.prefix) == (
        *("prod", "ses-auto-bouncer-prod"),
        "/ses-auto-bouncer/prod",
    )
    assert prod.rule_set == test.rule_set == "inbound"
    assert (prod.log_days, test.log_days) == (90, 90)  # null inside is the default, 90
    assert (prod.tags, test.tags) == (
        {"team": "mail", "stage": "none"},
        {"team": "mail", "stage": "test"},
    )
    modes = [(each.runtime["mode"], each.runtime["rate"]) for each in (prod, test)]
    assert modes == [("shadow", 0.6), ("shadow", 0.4)]


@pytest.mark.parametrize("nothing", [None, {}])
def test_nothing_inside_takes_nothing_away(nothing: dict[str, Any] | None) -> None:
    """Without the shared mode, a deployment would send bounces."""
    block = {**PROD, "settings": nothing, "tags": nothing}
    shared = {"settings": {"mode": "shadow"}, "tags": {"team": "mail"}}
    (prod,) = read_deployments({**shared, "deployments": {"prod": block}})
    assert (prod.runtime["mode"], prod.tags) == ("shadow", {"team": "mail"})


def test_a_wrong_value_is_refused_where_it_stands() -> None:
    """The shared one in its place, the one inside in its own."""
    for shared, inside, place in (
        ({}, ["x"], "deployments.prod.settings"),
        (["x"], None, "settings"),
    ):
        context = {"settings": shared, "deployments": {"prod": {**PROD, "settings": inside}}}
        (problem,) = refused(context)
        assert problem.startswith(f"{place}: found a list, expected a mapping of settings")


CLASHES: list[tuple[dict[str, Any], str]] = [
    (
        both({}, {"recipients": ["ann@EXAMPLE.com"]}),
        "deployments.test.recipients: found ann@EXAMPLE.com, and example.com in prod, expected",
    ),
    (
        both({"recipients": [".example.com"]}, {}),
        "deployments.test.recipients: found test.example.com, and .example.com in prod, expected",
    ),
    (
        both({}, {}, settings={}) | {"deployments": {"a": PROD | {"settings": {}}, "b": TEST}},
        "deployments: found SendBounce calls a second of 1.5 (a 1, b 0.5), expected at most 1.0",
    ),
    (
        both(
            {"create_rule_set": True, "activate_rule_set": True, "rule_set": "a"},
            {"create_rule_set": True, "activate_rule_set": True, "rule_set": "b"},
        ),
        "deployments.test.activate_rule_set: found true, as in prod, expected it in one",
    ),
    (
        both({"create_rule_set": True}, {"create_rule_set": True}, rule_set="inbound"),
        "deployments.test.create_rule_set: found true, as in prod, expected it in one",
    ),
    (
        both(
            {"create_rule_set": True, "activate_rule_set": True, "rule_set": "a"}, {"rule_set": "b"}
        ),
        "deployments.test.rule_set: found b, and a in prod, expected a in both, which prod",
    ),
    (
        both(
            {"rule_set": "a"}, {"create_rule_set": True, "activate_rule_set": True, "rule_set": "b"}
        ),
        "deployments.test.rule_set: found b, and a in prod, expected b in both, which test",
    ),
    (
        both({}, {"bounce_sender": "other@example.com"}),
        "deployments.test.identity: found example.com, as in prod, expected another identity",
    ),
    (
        both({"prefix": "/mail/prod"}, {"prefix": "/mail/prod/test"}),
        "deployments.test.prefix: found /mail/prod/test, and /mail/prod in prod, expected paths",
    ),
    (
        both(
            {"ip_filters": [{"block": "192.0.2.0/24"}, {"block": "198.51.100.1"}]},
            {"ip_filters": [{"block": "192.0.2.0/24"}, {"allow": "198.51.100.1/32"}]},
        ),
        "deployments.test.ip_filters: found 198.51.100.1/32 allowed, and blocked in prod, expected",
    ),
    (
        both({}, {"ip_filters": [{"block": "192.0.2.1"}]}, ip_filters=[{"allow": "192.0.2.1"}]),
        "deployments.test.ip_filters: found 192.0.2.1/32 blocked, and allowed in prod, expected",
    ),
    (
        both({"after": "ses-auto-bouncer-test"}, {"after": "theirs"}, name="x"),
        'name: found "x", expected no "name": the name of a deployment is its key',
    ),
    (
        both({}, {"name": "x"}),
        'deployments.test.name: found "x", expected no "name"',
    ),
    (both({}, {"recipient": ["x.example"]}), "deployments.test.recipient: found unknown key"),
    ({"deployments": {}}, "deployments: found an empty mapping, expected a mapping of"),
    ({"deployments": ["prod"]}, "deployments: found a list, expected a mapping of deployments"),
    ({"deployments": {"Prod": PROD}}, 'deployments.Prod: found "Prod", expected 1 to 20'),
    (
        {"log_days": 31, "deployments": {"a": PROD, "b": TEST}},
        "log_days: found 31, expected one of",
    ),
    (
        {"deployments": {"a": PROD, "b": {**TEST, "recipients": None}}},
        "deployments.b.recipients: found nothing, expected domains or addresses",
    ),
]


@pytest.mark.parametrize(("context", "says"), CLASHES)
def test_what_clashes_is_refused_once(context: dict[str, Any], says: str) -> None:
    """Each is one sentence that names the place, whether it is shared or one deployment's."""
    (problem,) = refused(context)
    assert problem.startswith(says)


@pytest.mark.parametrize(
    ("prod", "test", "says"),
    [
        ({"name": "news"}, {"name": "News"}, "News, as in prod, expected each name in one"),
        (
            {"name": "a", "identity": "x.example"},
            {"name": "b", "identity": "x.example"},
            "x.example, as in prod, expected each identity in one deployment",
        ),
        (
            {"name": "a", "identity": "test.example.com"},
            {"name": "b"},
            "test.example.com, as in prod, expected each identity in one deployment",
        ),
    ],
)
def test_a_configuration_set_is_one_deployments(
    prod: dict[str, Any], test: dict[str, Any], says: str
) -> None:
    """SES has one of a name in a region, and one default for each identity."""
    sets = both({"configuration_sets": [prod]}, {"configuration_sets": [test]})
    (problem,) = refused(sets)
    assert problem.startswith(f"deployments.test.configuration_sets: found {says}")


def test_an_arn_of_another_place_is_found_inside() -> None:
    """A destination's topic must be in the region that the deployment states."""
    topic = {"name": "ops", "kind": "sns", "topic": "arn:aws:sns:eu-west-1:111122223333:ops"}
    (problem,) = refused(both({**US, "destinations": [topic]}, EU))
    assert problem.startswith("deployments.prod.destinations[0].topic: found")
    assert problem.endswith("expected an ARN of region us-east-1, where this deployment is")


def test_rules_that_wait_for_each_other_are_refused() -> None:
    """Neither could be made first."""
    waits = both({"after": "ses-auto-bouncer-test"}, {"after": "ses-auto-bouncer-prod"})
    problems = refused(waits)
    assert [problem.partition(":")[0] for problem in problems] == [
        "deployments.prod.after",
        "deployments.test.after",
    ]


@pytest.mark.parametrize(
    ("prod", "test"),
    [
        (US, EU),
        (US, {**EU, "account": "111122223333"}),
        (US, {**US, "account": "444455556666"}),
    ],
)
def test_other_places_share_nothing(prod: dict[str, Any], test: dict[str, Any]) -> None:
    """The same mail, the whole rate and the same names are fine elsewhere."""
    full = {"settings": {}, "create_rule_set": True, "activate_rule_set": True}
    prod = {**prod, "ip_filters": [{"block": "192.0.2.1"}]}
    test = {**test, "ip_filters": [{"allow": "192.0.2.1"}]}
    deployments = {"prod": {**PROD, **full, **prod}, "test": {**PROD, **full, **test}}
    assert len(read_deployments({"deployments": deployments})) == 2


def test_an_unknown_place_may_be_any() -> None:
    """A deployment without a region shares the call a second with each of two others."""
    third = {**TEST, "recipients": ["third.example"], "bounce_sender": "x@third.example"}
    deployments = {"a": {**PROD, **US}, "b": {**TEST, **EU}, "c": third}
    assert len(read_deployments({"deployments": deployments})) == 3
    deployments["c"] = {**third, "settings": {"rate": 0.6}}
    problems = refused({"deployments": deployments})
    assert [problem.partition("(")[2].partition(")")[0] for problem in problems] == [
        "a 0.5, c 0.6",
        "b 0.5, c 0.6",
    ]


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("example.com", "example.com", True),
        ("ann@example.com", "example.com", True),
        ("ann+x@example.com", "ann@example.com", True),
        ("ann@example.com", "ann+x@example.com", True),
        ("ann+x@example.com", "ann+y@example.com", False),
        ("ann@a.example.com", ".example.com", True),
        ("a.example.com", ".example.com", True),
        (".a.example.com", ".example.com", True),
        ("example.com", ".example.com", False),
        ("ann@example.com", ".example.com", False),
        ("a.example.com", "example.com", False),
        ("notexample.com", ".example.com", False),
        ("ann@example.com", "bob@example.com", False),
    ],
)
def test_recipients_overlap_as_receipt_rules_match(one: str, other: str, *, meet: bool) -> None:
    """In both directions, in any case."""
    for some, others in ((one, other), (other, one.upper())):
        assert (overlapping([some], [others]) is not None) == meet
    assert overlapping([one], [])


def test_a_cdk_json_with_several_needs_a_name(tmp_path: Path) -> None:
    """Without one the error has the names, and with one that is not there, too."""
    path = tmp_path / "cdk.json"
    path.write_text(json.dumps({"context": {"bouncer": both({}, {})}}), encoding="utf-8")
    assert read_cdk_json(path, deployment="test").recipients == ("test.example.com",)
    with pytest.raises(
        BouncerError, match=r"found 2 deployments, expected .* --deployment prod or test"
    ):
        read_cdk_json(path)
    with pytest.raises(BouncerError, match='deployment: found "x", expected prod or test, as in'):
        read_cdk_json(path, deployment="x")
