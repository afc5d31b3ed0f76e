"""Destinations and configuration sets in cdk.json: what SES refuses is refused before."""

from typing import Any

import pytest

from bouncer.errors import DocumentError
from bouncer_infra.deployment_settings_reader import read_settings, refuse_elsewhere
from bouncer_infra.deployment_values import UNOBTRUSIVE_EVENTS
from bouncer_infra.destination_settings import Destination, Dimension, Kind
from bouncer_infra.service_arn import Home
from tests.infra.conftest import MINIMAL
from tests.infra.sending_settings import ROLE, STREAM, TOPIC, bus, counts, notices, set_of, stream


def metrics(*names: str) -> dict[str, Any]:
    shown = [{"name": name, "source": "messageTag", "default": "none"} for name in names]
    return {"name": "again", "kind": "cloudwatch", "dimensions": shown}


SHAPES: list[tuple[object, str]] = [
    ("x", 'destinations: found "x", expected a mapping with name and kind'),
    ({"kind": "eventbridge"}, "destinations.name: found nothing, expected 1 to 64"),
    ([3], "destinations[0]: found 3, expected a mapping with name and kind"),
    ([bus(3)], "destinations[0].name: found 3, expected 1 to 64 letters, digits, _ and -"),
    ([bus("a b")], 'destinations[0].name: found "a b", expected 1 to 64 letters'),
    ([bus("x" * 65)], "destinations[0].name: found"),
    ([{"kind": "eventbridge"}], "destinations[0].name: found nothing, expected 1 to 64 letters"),
    ([{"name": "a"}], "destinations[0].kind: found nothing, expected one of cloudwatch, firehose"),
    ([{"name": "a", "kind": []}], "destinations[0].kind: found an empty list, expected one of"),
    ([bus(kind="kinesis")], 'destinations[0].kind: found "kinesis", expected one of cloudwatch,'),
    ([bus(topic=TOPIC)], 'destinations[0].topic: found unknown key "topic", expected one of name'),
    ([bus(events=["opened"])], 'destinations[0].events[0]: found "opened", expected one of send'),
    ([bus(events=[])], "destinations[0].events: found an empty list, expected at least one"),
    ([bus(enabled="no")], 'destinations[0].enabled: found "no", expected true or false'),
    ([bus("a"), bus("A")], "destinations: found a 2 times, expected each name once"),
    (
        [bus(f"n{number}") for number in range(8)],
        "destinations: found 8 destinations, expected at most 7 (SES allows a set 10, beside 3 of",
    ),
]

TARGETS: list[tuple[object, str]] = [
    ([notices(3)], "destinations[0].topic: found 3, expected the ARN of a standard topic, such as"),
    ([notices("ops")], 'destinations[0].topic: found "ops", expected the ARN of a standard'),
    ([notices(f"{TOPIC}.fifo")], "destinations[0].topic: found"),
    ([notices(STREAM)], "destinations[0].topic: found"),
    ([notices(TOPIC.replace("aws:", "aws-cn:"))], "destinations[0].topic: found"),
    ([notices(TOPIC.replace("us-east-1", ""))], "destinations[0].topic: found"),
    ([notices(TOPIC.replace("111122223333", "1"))], "destinations[0].topic: found"),
    ([notices(f"{TOPIC}\n")], "destinations[0].topic: found"),
    ([{"name": "a", "kind": "sns"}], "destinations[0].topic: found nothing, expected the ARN of a"),
    ([stream(stream=None)], "destinations[0].stream: found nothing, expected archive, or the ARN"),
    ([stream(stream="Archive")], 'destinations[0].stream: found "Archive", expected archive, or'),
    ([stream(stream="archive")], 'destinations[0].role: found "arn:aws:iam::111122223333:role/ser'),
    ([stream(role=None)], "destinations[0].role: found nothing, expected the ARN of a role, such"),
    ([stream(role=ROLE.replace("::", ":us-east-1:"))], "destinations[0].role: found"),
    ([stream(role=ROLE.replace("role/", "user/"))], "destinations[0].role: found"),
    ([stream(role=ROLE.replace("111122223333", "4" * 12))], "destinations[0].role: found"),
    (
        [stream(), notices(TOPIC.replace("us-east-1", "eu-west-1"))],
        (
            'destinations[1].topic: found "arn:aws:sns:eu-west-1:111122223333:events", expected '
            "an ARN of region us-east-1, as in context.bouncer.destinations[0].stream"
        ),
    ),
]

DIMENSIONS: list[tuple[object, str]] = [
    ([counts(name="a b")], 'destinations[0].dimensions[0].name: found "a b", expected the name of'),
    ([counts(name="x" * 257)], "destinations[0].dimensions[0].name: found"),
    ([counts(name="a:b")], 'destinations[0].dimensions[0].name: found "a:b", expected the name of'),
    (
        [counts(name="ses:from-domain", source="linkTag")],
        'destinations[0].dimensions[0].source: found "linkTag", expected source messageTag beside',
    ),
    (
        [counts(name="Message-ID", source="emailHeader")],
        'destinations[0].dimensions[0].name: found "Message-ID", expected a header that SES counts',
    ),
    ([counts(name="cc", source="emailHeader")], 'destinations[0].dimensions[0].name: found "cc"'),
    ([counts(source="tag")], 'destinations[0].dimensions[0].source: found "tag", expected one of'),
    (
        [counts(default="a@b.example")],
        'destinations[0].dimensions[0].default: found "a@b.example", expected 1 to 256 letters',
    ),
    ([counts(default="")], 'destinations[0].dimensions[0].default: found "", expected 1 to 256'),
    ([counts(defualt="x")], "destinations[0].dimensions[0].defualt: found unknown key"),
    ([bus(kind="cloudwatch")], "destinations[0].dimensions: found nothing, expected a list of"),
    ([bus(kind="cloudwatch", dimensions=[])], "destinations[0].dimensions: found an empty list"),
    ([bus(kind="cloudwatch", dimensions="x")], 'destinations[0].dimensions: found "x", expected a'),
    (
        [metrics(*(f"d{number}" for number in range(11)))],
        "destinations[0].dimensions: found 11 dimensions, expected at most 10 (SES's limit)",
    ),
    ([metrics("a", "a")], "destinations[0].dimensions: found a 2 times, expected each dimension"),
    (
        [metrics("a", "b"), {**metrics("b", "a"), "name": "second"}],
        "destinations: found second with the dimensions of again, expected other dimensions",
    ),
    (
        [metrics("deployment", "ses:configuration-set", "ses:from-domain")],
        "destinations: found again with the dimensions of Metrics, expected other dimensions",
    ),
]

SETS: list[tuple[object, str]] = [
    ("news", 'configuration_sets: found "news", expected a mapping with name'),
    ([{}], "configuration_sets[0].name: found nothing, expected a name such as newsletter"),
    ([{"name": "a.b"}], 'configuration_sets[0].name: found "a.b", expected 1 to 64 letters'),
    ([{"name": "ses-auto-bouncer-x"}], 'configuration_sets[0].name: found "ses-auto-bouncer-x", '),
    ([{"name": "a"}, {"name": "A"}], "configuration_sets: found a 2 times, expected each name"),
    ([{"name": "a", "tls": True}], "configuration_sets[0].tls: found true, expected one of option"),
    ([{"name": "a", "sending": 1}], "configuration_sets[0].sending: found 1, expected true or"),
    ([{"name": "a", "reputation_metrics": "x"}], "configuration_sets[0].reputation_metrics: found"),
    ([{"name": "a", "identity": "x y"}], 'configuration_sets[0].identity: found "x y", expected'),
    *(
        (
            [{"name": "a", "identity": f"{local}@x.example"}],
            f'configuration_sets[0].identity: found "{local}@x.example", expected an identity that',
        )
        for local in ("*", "a?", "${aws:userid}")
    ),
    ([{"name": "a", "suppression": ["x"]}], 'configuration_sets[0].suppression[0]: found "x", exp'),
    ([{"name": "a", "redirect_domain": "x"}], 'configuration_sets[0].redirect_domain: found "x", '),
    ([{"name": "a", "redirect_domain": "http://x.example"}], "configuration_sets[0].redirect_doma"),
    (
        [{"name": "a", "dkim": True}],
        'configuration_sets[0].dkim: found unknown key "dkim", expecte',
    ),
    (
        [{"name": f"s{number}"} for number in range(11)],
        "configuration_sets: found 11 configuration sets, expected at most 10, as all of them are",
    ),
    (
        [{"name": "a", "identity": "X.example"}, {"name": "b", "identity": "x.example"}],
        "configuration_sets: found x.example 2 times, expected each identity once, as it has one",
    ),
    (
        [{"name": "a", "identity": "Example.com"}],
        "configuration_sets: found a with identity: example.com, expected another identity: the",
    ),
    (
        [
            {
                "name": f"s{n}",
                "identity": f"{n}.{'x' * 60}.{'y' * 60}.{'z' * 60}.{'w' * 57}.example",
            }
            for n in range(10)
        ],
        "configuration_sets: found policies of 9020 characters for their identities, expected",
    ),
    (
        [set_of(*(bus(f"n{number}") for number in range(11)))],
        "configuration_sets[0].destinations: found 11 destinations, expected at most 10 (SES allow",
    ),
    (
        [set_of(notices("x"))],
        'configuration_sets[0].destinations[0].topic: found "x", expected the',
    ),
    (
        [set_of(stream(stream=STREAM.replace("111122223333", "444455556666")))],
        "configuration_sets[0].destinations[0].role: found",
    ),
]

REFUSED: list[tuple[dict[str, Any], str]] = [
    *(({"destinations": value}, says) for value, says in (*SHAPES, *TARGETS, *DIMENSIONS)),
    *(({"configuration_sets": value}, says) for value, says in SETS),
    (
        {"destinations": [stream(stream="archive", role=None)], "archive": False},
        'destinations[0].stream: found "archive", expected archive: true as well, or the ARN of a',
    ),
    (
        {
            "configuration_sets": [
                {"name": "a"},
                set_of(bus(), stream(stream="archive", role=None)),
            ],
            "archive": False,
        },
        'configuration_sets[1].destinations[1].stream: found "archive", expected archive: true as',
    ),
    (
        {"destinations": [bus(f"n{number}") for number in range(9)], "archive": False},
        "destinations: found 9 destinations, expected at most 8",
    ),
]


@pytest.mark.parametrize(("change", "says"), REFUSED)
def test_what_ses_refuses_is_refused_first(change: dict[str, Any], says: str) -> None:
    """One sentence with the place, what was found and what was expected."""
    with pytest.raises(DocumentError) as caught:
        read_settings({**MINIMAL, **change})
    first, *others = map(str, caught.value.problems)
    assert first.startswith(f"cdk.json: context.bouncer.{says}"), first
    assert not others


def test_every_member_is_read_as_written() -> None:
    """Of each kind of destination, and of a configuration set."""
    to_archive = bus("Archive", events=None, enabled=None)
    written = [counts(), stream(events=["bounce"]), notices(enabled=False), to_archive]
    settings = read_settings({**MINIMAL, "destinations": written})
    tags, own, ops, to_bus = settings.destinations
    assert tags.dimensions == (Dimension(name="campaign", source="messageTag", default="none"),)
    assert (tags.events, tags.enabled) == (UNOBTRUSIVE_EVENTS, True)
    assert (own.stream, own.role, own.events) == (STREAM, ROLE, ("bounce",))
    assert ops == Destination(name="ops", kind=Kind.SNS, topic=TOPIC, enabled=False)
    assert to_bus == Destination(name="Archive", kind=Kind.EVENTBRIDGE)
    news = {
        "name": "news",
        "identity": "News.example",
        "tls": "require",
        "reputation_metrics": False,
        "suppression": ["COMPLAINT", "COMPLAINT"],
        "sending": False,
        "redirect_domain": "Click.example.com",
        "destinations": [bus("Metrics")],
    }
    (read,) = read_settings({**MINIMAL, "configuration_sets": [news]}).configuration_sets
    assert (read.name, read.identity, read.tls) == ("news", "news.example", "require")
    assert (read.reputation_metrics, read.sending) == (False, False)
    assert (read.suppression, read.redirect_domain) == (("COMPLAINT",), "click.example.com")
    assert [each.name for each in read.destinations] == ["Metrics"]


def test_the_same_dimensions_may_count_other_events() -> None:
    """A disabled destination counts nothing, and of two with no event in common each its own."""
    own = metrics("deployment", "ses:configuration-set", "ses:from-domain")
    unlike = [
        {**metrics("a"), "name": "on", "events": ["send"]},
        {**metrics("a"), "name": "other", "events": ["bounce"]},
        {**metrics("a"), "name": "off", "enabled": False},
        {**own, "events": ["open"]},
    ]
    assert len(read_settings({**MINIMAL, "destinations": unlike}).destinations) == 4
    with pytest.raises(DocumentError, match="on with the dimensions of all"):
        read_settings({**MINIMAL, "destinations": [{**metrics("a"), "name": "all"}, *unlike]})


def test_no_word_about_suppression_is_not_an_empty_list() -> None:
    """Without a word the account's list applies; an empty list suppresses nobody."""
    sets = [{"name": "a"}, {"name": "b", "suppression": []}, {"name": "c", "suppression": None}]
    read = read_settings({**MINIMAL, "configuration_sets": sets}).configuration_sets
    assert [each.suppression for each in read] == [None, (), None]


def test_an_identity_left_alone_may_have_another_set() -> None:
    """With attach_configuration_set: false the sender's identity is free for one of these."""
    sets = {"configuration_sets": [{"name": "news", "identity": "example.com"}]}
    read_settings({**MINIMAL, **sets, "attach_configuration_set": False})


@pytest.mark.parametrize(
    ("home", "place", "expected"),
    [
        (
            Home(region="eu-west-1"),
            "destinations[0].topic",
            "an ARN of region eu-west-1, where this",
        ),
        (Home(account="444455556666"), "configuration_sets[0].destinations[0].stream", "account 4"),
        (
            Home(partition="aws-cn"),
            "destinations[0].topic",
            "an ARN of partition aws-cn, where this",
        ),
    ],
)
def test_an_arn_of_another_place_is_refused(home: Home, place: str, expected: str) -> None:
    """SES publishes to streams of its account and region, and to topics of its region."""
    sets = [set_of(stream())]
    settings = read_settings({**MINIMAL, "destinations": [notices()], "configuration_sets": sets})
    refuse_elsewhere(settings, Home(partition="aws", region="us-east-1", account="111122223333"))
    with pytest.raises(DocumentError) as caught:
        refuse_elsewhere(settings, home)
    first = caught.value.problems[0]
    assert first.place == f"context.bouncer.{place}"
    assert expected in first.expected


def test_a_topic_may_be_another_accounts() -> None:
    """SNS lets SES publish to it; a stream and its role are of SES's own account."""
    settings = read_settings({**MINIMAL, "destinations": [notices()]})
    refuse_elsewhere(settings, Home(region="us-east-1", account="444455556666"))
