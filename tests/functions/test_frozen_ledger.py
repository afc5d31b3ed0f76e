"""A frozen release's ledger holds for the present version: nobody it answered is answered again."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from bouncer.jobs.job_json import from_json
from bouncer.sending.ledger import Ledger
from bouncer.sending.table import Table
from tests.embedded_aws import embedded_aws

RELEASES = sorted((Path(__file__).parents[1] / "upgrade").glob("*/"))


def _now() -> datetime:
    return datetime(2026, 11, 27, 13, tzinfo=UTC)


def lines(path: Path) -> list[dict[str, Any]]:
    """One JSON document from each line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_claims_of_an_earlier_release_hold(release: Path) -> None:
    """Each recipient whose claim it wrote counts as answered, and no other."""
    items = [json.loads(line) for line in (release / "ledger.jsonl").read_text().splitlines()]
    bodies = [
        json.loads(line)["body"] for line in (release / "jobs.jsonl").read_text().splitlines()
    ]
    jobs = [from_json(body) for body in bodies]
    with embedded_aws():
        client = boto3.client("dynamodb")
        (table,) = client.list_tables()["TableNames"]
        for item in items:
            client.put_item(TableName=table, Item=item)
        ledger = Ledger(Table(client, table), now=_now, sleep=time.sleep, new_name=lambda: "name")
        readings = [ledger.read("waiting", job) for job in jobs]
        answered = [
            found.answered == set(job.recipients) for found, job in zip(readings, jobs, strict=True)
        ]
        untouched = [not found.answered for found in readings]
    assert answered.count(True) == 3
    assert untouched.count(True) == len(jobs) - 3
