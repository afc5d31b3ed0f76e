"""The doctor says of lists what it says of rules."""

from io import BytesIO
from typing import Any

from bouncer_cli.doctor.finding import Level
from tests.functions.doctor.aws import RESOURCES, found, lines, parameter, summaries

RULE = parameter("rules/a", "when: {recipient: {in: departed}}\ndrop: {}")
BUCKET = {
    **summaries({"AWS::S3::Bucket": ["rules-bucket"]})[0],
    "LogicalResourceId": "RevisionsBucket",
}
UPLOAD = f"upload: {{key: uploads/a.csv, sha256: {'0' * 64}, count: 1}}"


def examined(text: str | None, answers: dict[str, Any] | None = None) -> dict[Level, list[str]]:
    """Return the findings about lists, by their level."""
    shown = [RULE, *([parameter("lists/departed", text)] if text else [])]
    resources = {"StackResourceSummaries": [*summaries(RESOURCES), BUCKET]}
    answers = {"cloudformation.ListStackResources": resources, **(answers or {})}
    findings = found({"ssm.GetParametersByPath": {"Parameters": shown}, **answers})
    return {level: [line for line in lines(findings, level) if "list" in line] for level in Level}


def test_a_valid_list_is_ok() -> None:
    """It is counted with its entries."""
    told = examined("entries: [ann@example.com, bob@example.com]")
    assert "list: 1 list that rules name, all valid, with 2 entries" in told[Level.OK]
    assert not told[Level.PROBLEM]


def test_garbage_is_a_problem_and_a_missing_list_a_warning() -> None:
    """In the words of the publisher."""
    (problem,) = examined("entries: [nobody]")[Level.PROBLEM]
    assert problem.startswith('list: /ses-auto-bouncer/main/lists/departed:1: entries[0]: found "n')
    (warning,) = examined(None)[Level.WARNING]
    assert "recipient.in: found no list departed, expected one" in warning


def test_an_upload_is_read_from_the_bucket_of_revisions() -> None:
    """Another object than the one named is a problem; a permission may be missing here alone."""
    body = BytesIO(b"ann@example.com")
    (problem,) = examined(UPLOAD, {"s3.GetObject": {"Body": body}})[Level.PROBLEM]
    assert "upload.sha256: found" in problem
    (problem,) = examined(UPLOAD, {"s3.GetObject": "NoSuchKey"})[Level.PROBLEM]
    assert "found no object there that may be read (NoSuchKey)" in problem
    told = examined(UPLOAD, {"s3.GetObject": "AccessDenied"})
    assert not told[Level.PROBLEM]
