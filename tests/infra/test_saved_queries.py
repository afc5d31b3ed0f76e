"""Saved queries of the logs: they name events and fields that the journal and Lambda write."""

import json
import re

import pytest

from bouncer_infra.saved_queries import QUERIES
from tests.infra.journal_lines import lines
from tests.infra.monitoring_parts import OPERATIONS, Template, of_type

# Of the query language, names given in the queries, and what an operator replaces.
WORDS = """fields filter sort limit stats unnest into parse by as desc asc count max and or not in
like count_distinct dedup ispresent jsonParse line decision problem reason bounces jobs times
last_reported recipients megabytes seconds duration_ms init_ms null mails name sender_domain
replace text concat to REFERENCE REPORT"""
# What Lambda and its runtime client write themselves, in text format (Lambda Developer Guide,
# "Sending Lambda function logs to CloudWatch Logs"; awslambdaric).
REPORT = (
    "REPORT RequestId: 79b4\tDuration: 12.86 ms\tBilled Duration: 13 ms\tMemory Size: 256 MB\t"
    "Max Memory Used: 58 MB\tInit Duration: 193.77 ms\t"
)
CRASH = "[ERROR] ImportError: no re2\rTraceback (most recent call last):"
TIMEOUT = "2026-11-02T08:00:00.000Z 79b4 Task timed out after 20.00 seconds"
HANDLERS = [f"bouncer.{name}.handler" for name in ("intake", "worker", "publisher", "feedback")]


def queries(template: Template) -> dict[str, str]:
    return {
        p["Name"].removeprefix("ses-auto-bouncer/main/"): p["QueryString"]
        for p in of_type(template, "AWS::Logs::QueryDefinition")
    }


def test_saved_queries_are_told_about(template: Template, other: Template) -> None:
    """Every one is named in docs/operations.md, and no other is; one is about replies."""
    named = set(re.findall(r"query `([a-z-]+)`", OPERATIONS))
    assert named == {*queries(template), "replies"}
    assert len(queries(other)) == len(queries(template)) + 1


def test_saved_queries_ask_all_functions(template: Template) -> None:
    """The groups are those the functions write to."""
    functions = [f for f in of_type(template, "AWS::Lambda::Function") if f["Handler"] in HANDLERS]
    functions.sort(key=lambda f: HANDLERS.index(f["Handler"]))
    groups = [f["LoggingConfig"]["LogGroup"] for f in functions]
    for query in of_type(template, "AWS::Logs::QueryDefinition"):
        assert query["LogGroupNames"] == groups


def test_saved_queries_name_fields_and_events_that_exist(template: Template) -> None:
    """Every quoted event is one the journal writes, every field one of its lines' or Lambda's."""
    events = {line["message"] for line in lines()}
    fields = {key for line in lines() for key in line} | {"action", "recipient", "rule", "withheld"}
    words = set(re.findall(r"\w+", WORDS))
    for name, text in queries(template).items():
        bare = re.sub(r"/[^/\n]+/(?!\d)|@\w+", " ", text.replace(" / ", " ")).replace("`", "")
        for event_list in re.findall(r"message (?:in )?(?:= )?(\[[^]]*\]|\"\w+\")", bare):
            assert set(re.findall(r'"(\w+)"', event_list)) <= events, name
        asked = set(re.findall(r"[A-Za-z_]+", re.sub(r'"[^"]*"', " ", bare)))
        assert asked <= fields | words, (name, asked - fields - words)


def test_problems_and_doubts_are_one_list(template: Template) -> None:
    """Each line about documents has its sentences where the query looks for them."""
    query = queries(template)["invalid-rules"]
    (old, new) = re.findall(r"'(\"\w+\":)'", query)
    asked = set(re.findall(r'"(documents_\w+)"', query))
    about_documents = [line for line in lines() if line["message"].startswith("documents_")]
    assert {line["message"] for line in about_documents} == asked
    for line in about_documents:
        text = json.dumps(line, separators=(",", ":")).replace(old, new)
        assert json.loads(text)["problems"] == line.get("problems", line.get("warnings")) != []


def test_a_sentence_that_names_the_member_stays_as_it_is() -> None:
    """Within a text of JSON a quote has a backslash before it, so nothing there is replaced."""
    (old, new) = re.findall(r"'(\"\w+\":)'", QUERIES["invalid-rules"])
    sentence = 'rules/a:1: found "warnings": in its text'
    assert json.loads(json.dumps([sentence]).replace(old, new)) == [sentence]


def found_by(query: str, line: str) -> list[str]:
    """Which patterns of a query are in a line."""
    patterns = re.findall(r"@message like /((?:[^/])+)/", query)
    patterns += map(re.escape, re.findall(r'@message like "([^"]+)"', query))
    return [pattern for pattern in patterns if re.search(pattern, line)]


@pytest.mark.parametrize("line", [CRASH, TIMEOUT])
def test_crashes_are_found(template: Template, line: str) -> None:
    """Lambda's own lines about an uncaught exception and a function out of time are found."""
    for name in ("intake-errors", "worker-errors"):
        assert found_by(queries(template)[name], line)
        assert not found_by(queries(template)[name], REPORT)


def test_durations_are_read(template: Template) -> None:
    """From Lambda's own line, without the fields CloudWatch may find in a group it knows."""
    query = queries(template)["slowest"]
    assert found_by(query, REPORT)
    read: dict[str, str] = {}
    for pattern in re.findall(r"parse @message /(.+)/", query):
        found = re.search(pattern.replace("(?<", "(?P<"), REPORT)
        assert found
        read |= found.groupdict()
    assert read == {"duration_ms": "12.86", "init_ms": "193.77", "megabytes": "58"}


@pytest.mark.threat
@pytest.mark.parametrize("name", ["intake-errors", "worker-errors"])
def test_a_stranger_does_not_speak_for_lambda(name: str) -> None:
    """An address that reads like a crash stands in a line of ours, which has a `message`."""
    words = '(@message like /Task timed out|Runtime exited/ or @message like "[ERROR]")'
    text = " ".join(QUERIES[name].split())
    assert f"or (not ispresent(message) and {words})" in text
    for pattern in ("Task timed out", "[ERROR]"):
        assert text.count(pattern) == 1
