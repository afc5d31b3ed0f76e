"""Settings of a deployment: defaults, and every error at once, naming key, found and expected."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bouncer.errors import DocumentError
from bouncer_infra.deployment_settings_reader import read_cdk_json, read_settings, refuse_elsewhere
from bouncer_infra.deployment_values import MailStore
from bouncer_infra.service_arn import Home
from tests.infra.refused_of_organization import REFUSED_OF_ORGANIZATION
from tests.infra.test_destination_settings import REFUSED as REFUSED_DESTINATIONS

MINIMAL = {"recipients": ["example.com"], "bounce_sender": "mailer-daemon@example.com"}


ARN = "arn:aws:ses:eu-west-1:111122223333:identity"

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"recipients": []}, "recipients: found an empty list, expected at least one value"),
    ({"recipients": ["exa mple"]}, 'recipients[0]: found "exa mple", expected a domain'),
    ({"recipients": [f"a{n}.example" for n in range(101)]}, "recipients: found 101, expected"),
    ({"bounce_sender": "nobody"}, 'bounce_sender: found "nobody", expected an address'),
    ({"name": "Main"}, 'name: found "Main", expected 1 to 20 lower-case letters'),
    ({"rule_set": "-x"}, 'rule_set: found "-x", expected letters, digits'),
    ({"rule_set": "a.b"}, 'rule_set: found "a.b", expected letters, digits'),
    ({"recipients": ["a.example", "A.example"]}, "recipients: found a.example 2 times"),
    ({"after": "ses-auto-bouncer-main"}, 'after: found "ses-auto-bouncer-main", expected'),
    ({"archive_days": 10**10}, "archive_days: found 10000000000, expected a number of days"),
    ({"prefix": f"/{'x' * 900}/main"}, "prefix: found 906 characters, expected at most 800"),
    (
        {"settings": {"own_domains": [f"{'d' * 60}{n}.example" for n in range(60)]}},
        "settings: found 4493 bytes, expected at most 3000 with the prefix",
    ),
    (
        {"settings": {"bounce_sender": "x@other.example"}},
        'settings.bounce_sender: found "x@other.example", expected the deployment\'s own',
    ),
    (
        {"prefix": f"/{'x' * 700}/main", "settings": {"own_domains": ["d.example"] * 200}},
        "settings: found 3369 bytes, expected at most 3000 with the prefix",
    ),
    (
        {"further_senders": [f"daemon@bounces.mail{n}.brand.example" for n in range(20)]},
        "further_senders: found a policy of",
    ),
    ({"recipients": ["bücher.example"]}, 'recipients[0]: found "bücher.example", expected a'),
    ({"recipients": ["example.c-"]}, 'recipients[0]: found "example.c-", expected a domain'),
    ({"identity": f"{'x' * 64}.example"}, "identity: found"),
    ({"alarm_email": "ops@."}, 'alarm_email: found "ops@.", expected an address'),
    *(
        ({"bounce_sender": text}, f'bounce_sender: found "{text}", expected an address')
        for text in (
            "x@localhost",
            "x@example..com",
            "x@example.com.",
            "x@-a-.com",
            ".x@example.com",
            "x@192.0.2.1",
            "x@bücher.example",
        )
    ),
    ({"bounce_sender": f"{'x' * 65}@example.com"}, "bounce_sender: found"),
    ({"bounce_sender": f"x@{'d.' * 150}example"}, "bounce_sender: found"),
    ({"prefix": "/aws/x"}, 'prefix: found "/aws/x", expected a path'),
    ({"prefix": "no"}, 'prefix: found "no", expected a path'),
    ({"prefix": "/y/mail"}, 'prefix: found "/y/mail", expected a path that ends in /main'),
    ({"prefix": "/x/b", "name": "a"}, 'prefix: found "/x/b", expected a path that ends in /a'),
    (
        {"create_identity": True, "attach_configuration_set": False},
        "attach_configuration_set: found false, expected true beside create_identity: true",
    ),
    ({"activate_rule_set": True}, "activate_rule_set: found true, expected false, or create_"),
    ({"create_rule_set": True, "after": "x"}, 'after: found "x", expected no "after"'),
    ({"invocation": "sync"}, 'invocation: found "sync", expected one of request_response'),
    ({"went_on_percent": 0}, "went_on_percent: found 0, expected a whole number of percent"),
    ({"went_on_percent": 101}, "went_on_percent: found 101, expected a whole number of percent"),
    *REFUSED_OF_ORGANIZATION,
    ({"log_days": 31}, "log_days: found 31, expected one of 1, 3, 5"),
    ({"log_days": True}, "log_days: found true, expected one of"),
    ({"store": {"day": 3}}, 'store.day: found unknown key "day", expected days'),
    ({"store": True}, "store: found true, expected a mapping with prefix and days"),
    ({"store": {"prefix": ""}}, 'store.prefix: found "", expected a prefix such as mail/'),
    ({"store": {"prefix": "stop"}}, 'store.prefix: found "stop", expected a prefix such as mail/'),
    ({"store": {"prefix": "stopped/x"}}, 'store.prefix: found "stopped/x", expected a prefix'),
    ({"stopped_days": 0}, "stopped_days: found 0, expected a number of days, 1 to 36500"),
    ({"ip_filters": [{"block": "2001:db8::/32"}]}, "ip_filters[0].block: found"),
    ({"ip_filters": [{}]}, "ip_filters[0]: found neither, expected one of allow and block"),
    (
        {"ip_filters": [{"block": "192.0.2.1"}, {"allow": "192.0.2.1/32"}]},
        "ip_filters: found 192.0.2.1/32 2 times, expected each network once",
    ),
    ({"events": ["opened"]}, 'events[0]: found "opened", expected one of send'),
    ({"analysis": True, "archive": False}, "analysis: found true, expected archive: true as well"),
    ({"report": True}, "report: found true, expected a mapping with to, from, at and timezone"),
    ({"report": {}}, 'report: found none, expected at least "to": the addresses that get the'),
    ({"report": {"to": []}}, "report.to: found an empty list, expected at least one value"),
    ({"report": {"to": ["ops"]}}, 'report.to[0]: found "ops", expected an address'),
    ({"report": {"to": ["a@b.example"] * 21}}, "report.to: found 21, expected at most 20 address"),
    ({"report": {"to": "a@b.example", "of": 1}}, 'report.of: found unknown key "of", expected'),
    ({"report": {"to": "a@b.example", "from": 1}}, "report.from: found 1, expected an address"),
    ({"report": {"to": "a@b.example", "at": "24:00"}}, 'report.at: found "24:00", expected a time'),
    (
        {"report": {"to": "a@b.example", "timezone": "Berlin"}},
        'report.timezone: found "Berlin", expected a time zone such as Europe/Berlin',
    ),
    (
        {"report": {"to": "a@b.example", "timezone": "Factory"}},
        'report.timezone: found "Factory", expected a time zone such as Europe/Berlin',
    ),
    (
        {"report": {"to": "a@b.example", "at": "02:30", "timezone": "Europe/Berlin"}},
        "report.at: found 02:30, expected a time that every day has: clocks in Europe/Berlin are",
    ),
    (
        {"report": {"to": [f"{'a' * 60}@{'b' * 60}.example"] * 12}},
        "report: found 1548, expected at most 1500 characters of addresses",
    ),
    ({"dashboard": "no"}, 'dashboard: found "no", expected true or false'),
    ({"alarm_without_mail": 25}, "alarm_without_mail: found 25, expected a number of hours, 1 to"),
    ({"alarm_without_mail": 0}, "alarm_without_mail: found 0, expected a number of hours, 1 to"),
    (
        {"further_senders": [{"address": "a@b.example"}]},
        "further_senders[0]: found address, expected address and arn",
    ),
    (
        {"further_senders": [{"address": "a@b.example", "arn": "arn:aws:ses:x"}]},
        'further_senders[0].arn: found "arn:aws:ses:x", expected the ARN of an identity that',
    ),
    (
        {"further_senders": [{"address": "a@b.example", "arn": f"{ARN}/c.example"}]},
        f'further_senders[0].arn: found "{ARN}/c.example", expected the ARN of an identity that',
    ),
    (
        {"further_senders": [{"address": "a@b.example", "arn": f"{ARN}/b.example/*"}]},
        f'further_senders[0].arn: found "{ARN}/b.example/*", expected the ARN of an identity that',
    ),
    ({"architecture": "arm"}, 'architecture: found "arm", expected one of arm64, x86_64'),
    ({"settings": {"mode": "of"}}, 'settings.mode: found "of", expected one of enforce'),
    ({"settings": {"answer": ["x"]}}, 'settings.answer[0]: found "x", expected one of lists'),
    ({"settings": {"cache": float("nan")}}, 'settings: found "NaN", expected a JSON number'),
    ({"settings": {"rate": 2}}, "settings.rate: found 2, expected a number of calls a second, 0.2"),
    ({"settings": {"rate": "1"}}, 'settings.rate: found "1", expected a number of calls a second'),
    ({"settings": {"x.y": 1}}, 'settings."x.y": found unknown key "x.y", expected one of mode'),
    ({"settings": {"caps": {"sender": {"1d": 3}}}}, 'settings.caps.sender.1d: found "1d"'),
    ({"settings": {"caps": "on"}}, 'settings.caps: found "on", expected a mapping of caps, or off'),
    ({"settings": []}, "settings: found an empty list, expected a mapping of settings"),
    ({"recipient": "x"}, 'recipient: found unknown key "recipient", expected recipients'),
]  # fmt: skip


def refused(context: object) -> list[str]:
    """The problems with a context value."""
    with pytest.raises(DocumentError) as caught:
        read_settings(context)
    return [str(problem) for problem in caught.value.problems]


def test_only_recipients_and_sender_are_required() -> None:
    """Everything else has a default."""
    settings = read_settings(MINIMAL)
    assert settings.prefix == "/ses-auto-bouncer/main"
    assert settings.full_name == "ses-auto-bouncer-main"
    assert settings.runtime == {"bounce_sender": "mailer-daemon@example.com"}
    assert (settings.store, settings.stopped_days) == (MailStore(prefix="mail/", days=1), 14)
    assert not settings.activate_rule_set


def test_every_key_can_be_set() -> None:
    """Every key is read as it is written."""
    settings = read_settings(
        {
            **MINIMAL,
            "name": "second",
            "recipients": ["example.com", ".example.com", "ann@example.org"],
            "prefix": "/mail/second",
            "rule_set": "inbound",
            "create_rule_set": True,
            "activate_rule_set": True,
            "store": {"days": 7},
            "settings": {"mode": "shadow", "rate": 0.5, "caps": {"domain_share": "off"}},
        }
    )
    assert settings.prefix == "/mail/second"
    assert settings.store == MailStore(prefix="mail/", days=7)
    assert settings.runtime["mode"] == "shadow"
    assert settings.runtime["rate"] == 0.5


def test_a_deployment_without_stored_mail_says_so_to_its_functions() -> None:
    """So a replay by its settings has no stored copies either."""
    settings = read_settings({**MINIMAL, "store": False})
    assert settings.store is None
    assert settings.runtime["store"] is False
    assert "store" not in read_settings(MINIMAL).runtime


@pytest.mark.parametrize(("change", "says"), REFUSED)
def test_what_cannot_be_is_refused(change: dict[str, Any], says: str) -> None:
    """The refusal comes before anything is deployed, in one sentence that names the key."""
    (problem,) = refused({**MINIMAL, **change})
    assert problem.startswith(f"cdk.json: context.bouncer.{says}")


def test_a_display_name_may_be_quoted() -> None:
    """As RFC 5322 has it; the address is found in it."""
    quoted = r'"Ops, \"Night\" (x)" <a@example.com>'
    settings = read_settings({**MINIMAL, "bounce_sender": quoted, "report": {"to": [quoted]}})
    assert (settings.bounce_sender, settings.senders) == (quoted, ("a@example.com",))
    for broken in ('"x"y" <a@example.com>', '"x <a@example.com>', '"a" "b" <a@example.com>'):
        (problem,) = refused({**MINIMAL, "bounce_sender": broken})
        assert "expected an address such as" in problem


def test_a_key_elsewhere_is_refused_where_the_region_is_known() -> None:
    """CDK tells the region of the AWS profile; the settings' own has precedence."""
    key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    settings = read_settings({**MINIMAL, "kms_key": key})
    refuse_elsewhere(settings, Home(region="eu-west-1"))
    own = read_settings({**MINIMAL, "kms_key": key, "region": "eu-west-1"})
    refuse_elsewhere(own, Home(region="us-east-1"))
    with pytest.raises(DocumentError, match="expected an ARN of region us-east-1, where this dep"):
        refuse_elsewhere(settings, Home(region="us-east-1"))


DOCUMENTS: list[object] = [
    # NaN stays out: CDK's command line reads cdk.json as JSON proper, before the app is started.
    *({**MINIMAL, **change} for change, _ in REFUSED_DESTINATIONS),
    *({**MINIMAL, **change} for change, _ in REFUSED if "NaN" not in json.dumps(change)),
    *({}, {"name": "X", "scan": 1}, {**MINIMAL, "recipients": None, "events": []}),
    *([], "x", 3, False, {"settings": {"mode": "of", "cache": -1}}),
]


def test_the_doctor_refuses_what_synth_refuses(
    synth: Callable[..., Any],  # noqa: ARG001  # it set up Node
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Both report the same sentences for the same cdk.json."""
    import aws_cdk as cdk  # noqa: PLC0415

    from bouncer_infra.stack import auto_bouncers  # noqa: PLC0415

    monkeypatch.chdir(tmp_path)
    for context in ({}, *({"bouncer": document} for document in DOCUMENTS)):
        Path("cdk.json").write_text(json.dumps({"context": context}), encoding="utf-8")
        with pytest.raises(DocumentError) as by_doctor:
            read_cdk_json(Path("cdk.json"))
        with pytest.raises(DocumentError) as by_synth:
            auto_bouncers(cdk.App(context=context))
        assert str(by_doctor.value) == str(by_synth.value)


def test_beyond_ascii_the_way_out_is_named() -> None:
    """SES takes international domains in ASCII only."""
    for key, value in (("bounce_sender", "x@bücher.example"), ("recipients", ["bücher.example"])):
        (problem,) = refused({**MINIMAL, key: value})
        assert problem.endswith("an international domain in its xn-- form")


def test_no_senders_and_no_filters_are_what_they_say() -> None:
    """An empty list, and null, mean the default: no senders, no filters."""
    settings = read_settings({**MINIMAL, "further_senders": [], "ip_filters": [], "after": None})
    assert (settings.further_senders, settings.ip_filters) == ((), ())


def test_an_identity_is_named_as_ses_names_it() -> None:
    """The same in every permission, however the domain was written."""
    written = {"recipients": ["example.com"], "bounce_sender": "Bounces@Example.com"}
    assert read_settings(written).identity == "example.com"
    named = read_settings({**written, "identity": "Bounces@Example.com"}).identity
    assert named == "Bounces@example.com"


def test_all_problems_are_told_at_once() -> None:
    """Missing keys too."""
    assert len(refused({"name": "X", "scan": 1})) == 4


@pytest.mark.parametrize("context", [None, [], "x", 3])
def test_no_settings_at_all_is_one_sentence(context: object) -> None:
    """A cdk.json without the block says what belongs there."""
    (problem,) = refused(context)
    assert "expected a mapping with recipients and bounce_sender" in problem


@pytest.mark.parametrize("named", ["brand.example", "Bounces@brand.example", "BRAND.example"])
def test_a_sender_may_belong_to_another_account(named: str) -> None:
    """Its identity is one that SES may verify the address by."""
    sender = {"address": "Brand <Bounces@Brand.example>", "arn": f"{ARN}/{named}"}
    settings = read_settings({**MINIMAL, "further_senders": ["a@example.com", sender]})
    assert settings.senders == (
        *("mailer-daemon@example.com", "a@example.com"),
        "Bounces@Brand.example",
    )
    assert settings.own_senders == ("mailer-daemon@example.com", "a@example.com")
    assert settings.further_senders[1].arn == f"{ARN}/{named}"


def test_senders_are_compared_without_case() -> None:
    """As the worker's policy compares them."""
    read_settings({**MINIMAL, "settings": {"bounce_sender": "Mailer-Daemon@EXAMPLE.com"}})
