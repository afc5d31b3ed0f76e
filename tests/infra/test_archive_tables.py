"""The archive's tables: every line fits, and they are read where the streams write."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.journal_lines import NOW, lines, metrics
from tests.infra.monitoring_parts import OPERATIONS, Template, of_type


def tables(template: Template) -> dict[str, dict[str, Any]]:
    found = [p["TableInput"] for p in of_type(template, "AWS::Glue::Table")]
    return {table["Name"]: table for table in found}


def columns(table: dict[str, Any]) -> dict[str, str]:
    """The types of a table's columns by the keys they are read from, without regard to case."""
    descriptor = table["StorageDescriptor"]
    mapped = descriptor["SerdeInfo"]["Parameters"]
    return {
        mapped.get(f"mapping.{column['Name']}", column["Name"]): column["Type"]
        for column in descriptor["Columns"]
    }


def fits(value: object, kind: str) -> bool:
    """Tell whether a JSON value is of a Hive type; null is of every type."""
    if value is None:
        return True
    if kind.startswith("array<"):
        inner = kind.removeprefix("array<")[:-1]
        return isinstance(value, list) and all(fits(item, inner) for item in value)
    if kind.startswith("struct<"):
        members = dict(_members(kind.removeprefix("struct<")[:-1]))
        if not isinstance(value, dict):
            return False
        lower = {key.lower(): item for key, item in value.items()}
        return set(lower) <= set(members) and all(fits(lower[k], members[k]) for k in lower)
    if kind.startswith("map<string,"):
        inner = kind.removeprefix("map<string,")[:-1]
        return isinstance(value, dict) and all(fits(item, inner) for item in value.values())
    return isinstance(value, {"string": str, "bigint": int, "boolean": bool}[kind])


def _members(text: str) -> Iterator[tuple[str, str]]:
    """`name:type` pairs, split at the commas outside of brackets."""
    depth = start = 0
    for index, character in enumerate(f"{text},"):
        depth += {"<": 1, ">": -1}.get(character, 0)
        if character == "," and depth == 0:
            name, _, kind = text[start:index].partition(":")
            yield name, kind
            start = index + 1


def test_every_line_reaches_the_archive(template: Template) -> None:
    """The subscription's selector names a text in every line: of an object it would take none."""
    found = of_type(template, "AWS::Logs::SubscriptionFilter")
    assert [each["FilterPattern"] for each in found] == ['{ $.service = "*" }'] * 4
    assert {type(line["service"]) for line in lines()} == {str}


def test_the_journals_table_takes_every_line(template: Template) -> None:
    """Each field has a column of its type; only metrics have none, and no column is made up."""
    kinds = columns(tables(template)["journal"])
    seen: set[str] = set()
    for line in lines():
        counted = {name for name in metrics(line) if name.lower() not in kinds}
        fields = {
            key.lower(): value for key, value in line.items() if key not in counted | {"_aws"}
        }
        assert set(fields) <= set(kinds)
        for key, value in fields.items():
            assert fits(value, kinds[key]), (key, value)
        seen |= set(fields)
    assert seen == set(kinds)


def test_no_two_keys_of_a_line_differ_in_case_only() -> None:
    """The SerDe looks at keys without case, and refuses a line that has one twice."""
    for line in lines():
        assert len({key.lower() for key in line}) == len(line)


def test_the_events_table_takes_a_bounce_of_a_bounce(template: Template) -> None:
    """As the SES Developer Guide shows one; its further members are left out."""
    kinds = columns(tables(template)["events"])
    recipient = {
        "emailAddress": "eve@partner.example",
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
    }
    told = {
        "eventType": "Bounce",
        "mail": {"timestamp": NOW.isoformat(), "messageId": "b1", "source": "", "destination": []},
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [recipient],
            "timestamp": NOW.isoformat(),
            "feedbackId": "f1",
            "reportingMTA": "dsn; a8-50.smtp-out.amazonses.com",
        },
    }
    for key, value in told.items():
        assert fits(value, kinds[key.lower()]), key


SENT = {
    "timestamp": NOW.isoformat(),
    "messageId": "b1",
    "source": "bounces@example.com",
    "destination": ["eve@partner.example"],
    "tags": {"ses:configuration-set": ["ses-auto-bouncer-main"], "rule": ["200-departed"]},
}
PREFERENCES = {
    "unsubscribeAll": True,
    "topicSubscriptionStatus": [{"topicName": "news", "subscriptionStatus": "OptOut"}],
}
# Of each further kind of event, the members that have a column (SES Developer Guide, "Examples of
# event data that Amazon SES publishes to Amazon Data Firehose").
FURTHER_EVENTS: dict[str, dict[str, Any]] = {
    "open": {"ipAddress": "192.0.2.1", "timestamp": NOW.isoformat(), "userAgent": "Mozilla/5.0"},
    "click": {
        "ipAddress": "192.0.2.1",
        "timestamp": NOW.isoformat(),
        "userAgent": "Mozilla/5.0",
        "link": "https://example.com/",
        "linkTags": {"samplekey0": ["samplevalue0"]},
    },
    "failure": {"errorMessage": "Attribute 'x' is not present.", "templateName": "MyTemplate"},
    "subscription": {
        "contactList": "news",
        "timestamp": NOW.isoformat(),
        "source": "UnsubscribeHeader",
        "newTopicPreferences": PREFERENCES,
        "oldTopicPreferences": PREFERENCES,
    },
}


@pytest.mark.parametrize("kind", FURTHER_EVENTS)
def test_the_events_table_takes_every_kind_of_event(template: Template, kind: str) -> None:
    """A kind that the settings ask for has a column, and every event has its tags."""
    kinds = columns(tables(template)["events"])
    assert fits(SENT, kinds["mail"])
    assert fits(FURTHER_EVENTS[kind], kinds[kind])


def test_tables_are_read_where_the_streams_write(template: Template) -> None:
    """Folders by day in the archive's bucket; the partitions are worked out from the date."""
    written = {}
    for stream in of_type(template, "AWS::KinesisFirehose::DeliveryStream"):
        target = stream["ExtendedS3DestinationConfiguration"]
        written[target["Prefix"]] = target["BucketARN"]["Fn::GetAtt"][0]
        assert target["CompressionFormat"] == "GZIP"
    for name, table in tables(template).items():
        bucket = written[f"{name}/day=!{{timestamp:yyyy-MM-dd}}/"]
        location = table["StorageDescriptor"]["Location"]["Fn::Join"][1]
        assert location == ["s3://", {"Ref": bucket}, f"/{name}/"]
        parameters = table["Parameters"]
        by_day = parameters["storage.location.template"]["Fn::Join"][1]
        assert by_day == ["s3://", {"Ref": bucket}, f"/{name}/day=${{day}}/"]
        assert parameters["projection.day.format"] == "yyyy-MM-dd"
        assert [key["Name"] for key in table["PartitionKeys"]] == ["day"]


def test_answers_are_encrypted_and_do_not_stay(template: Template) -> None:
    """They show addresses, so no query can put them elsewhere."""
    (group,) = of_type(template, "AWS::Athena::WorkGroup")
    configuration = group["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"]
    results = configuration["ResultConfiguration"]
    assert results["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    (_, bucket, prefix) = results["OutputLocation"]["Fn::Join"][1]
    rules = template["Resources"][bucket["Ref"]]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert f"/{rules[-1]['Prefix']}" == prefix
    assert rules[-1]["ExpirationInDays"] < rules[0]["ExpirationInDays"]


def test_every_question_reads_a_month_and_no_more(template: Template) -> None:
    """Athena charges for what it reads: each table of each query is narrowed by its day."""
    for query in of_type(template, "AWS::Athena::NamedQuery"):
        text = query["QueryString"]
        read = len(re.findall(r"(?:FROM|JOIN) (?:journal|events)\b", text))
        assert read
        assert len(re.findall(r"day >= date_format\(", text)) == read, query["Name"]


def test_the_questions_are_told_about(template: Template) -> None:
    """docs/operations.md names every saved Athena query, and no other."""
    named = set(re.findall(r"question `([a-z-]+)`", OPERATIONS))
    saved = of_type(template, "AWS::Athena::NamedQuery")
    assert named == {q["Name"].removeprefix("ses-auto-bouncer/main/") for q in saved}
    assert all(q["QueryString"].startswith(f"-- {q['Description']}\n") for q in saved)
