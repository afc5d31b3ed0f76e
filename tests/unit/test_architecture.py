"""The architecture: import-linter's contracts hold, and so do the laws they can't express."""

import ast
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

import bouncer
import bouncer_cli
import bouncer_infra
import bouncer_rehearsal
import bouncer_sim

PACKAGES = [
    Path(package.__path__[0])
    for package in (bouncer, bouncer_infra, bouncer_cli, bouncer_sim, bouncer_rehearsal)
]
DEPLOYED = PACKAGES[0]
ROOT = Path(__file__).parents[2]

# The contracts of import-linter name the modules that may look for AWS, environment or clock.
# Whatever decides is in none of them, and is pure: it gets these as arguments.
EDGES = {"boto3", "time"}
CLOCKS = {"now", "utcnow", "today", "getenv"}
ASKS_OUTSIDE = {"open", "print", "input", "breakpoint", "exec", "eval", "__import__"}


def outer_modules() -> set[str]:
    """The modules that a contract about AWS, its errors, environment or clock names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    whole = [each for each in contracts if each.get("source_modules") == [DEPLOYED.name]]
    about = [each for each in whole if EDGES & set(each["forbidden_modules"])]
    assert len(about) == len(EDGES)
    (errors,) = (each for each in contracts if each["type"] == "protected")
    excepted = {line.partition(" -> ")[0] for each in about for line in each["ignore_imports"]}
    return excepted.union(errors["allowed_importers"])


def module(path: Path) -> str:
    """The dotted name of a module of the deployed package."""
    return ".".join(path.relative_to(DEPLOYED.parent).with_suffix("").parts)


OUTER = outer_modules()
DOMAIN = sorted(path for path in DEPLOYED.rglob("*.py") if module(path) not in OUTER)


@pytest.mark.parametrize("path", DOMAIN, ids=lambda path: str(path.relative_to(DEPLOYED)))
def test_the_domain_asks_neither_clock_nor_machine(path: Path) -> None:
    """Built-in functions and methods need no import, so that no contract about imports sees them.

    The domain takes their answers as arguments: replay and tests run the code that AWS runs.
    """
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    methods = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    functions = {node.id for node in nodes if isinstance(node, ast.Name)}
    assert not methods & CLOCKS
    assert not functions & ASKS_OUTSIDE


def test_the_domain_is_found() -> None:
    """An empty list would pass every test above."""
    names = {path.stem for path in DOMAIN}
    assert {"judge", "guard", "gate", "pacer", "ruleset", "message", "job"} <= names
    assert not names & {"intake", "worker", "account_settings", "journal", "queue", "ses"}


def test_the_arrows_of_the_design_hold() -> None:
    """The contracts in pyproject.toml: who may import whom."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout


def test_no_file_name_has_two_meanings() -> None:
    """A name of a file says which one is meant, wherever it is imported."""
    places = defaultdict(list)
    for package in PACKAGES:
        for path in package.rglob("*.py"):
            if not path.stem.startswith("__"):
                places[path.stem].append(str(path))
    assert not {stem: paths for stem, paths in places.items() if len(paths) > 1}


def test_importing_does_nothing() -> None:
    """Every module can be imported without environment, credentials, network, files or output."""
    names = []
    for package in PACKAGES:
        for path in package.rglob("*.py"):
            dotted = ".".join(path.relative_to(package.parent).with_suffix("").parts)
            ours = path.parent.name != "emulator_process"  # which runs on another Python
            text = path.read_text(encoding="utf-8")
            if ours and "aws_cdk" not in text and "bouncer_infra.metrics" not in text:  # CDK's
                names.append(dotted.removesuffix(".__init__"))
    script = f"""
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "subprocess.Popen", "os.mkdir"):
        raise SystemExit(f"importing did {{event}} {{arguments}}")
sys.addaudithook(refuse)
for name in {names!r}:
    __import__(name)
"""
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-B", "-c", script],  # Python's own __pycache__ folders don't count
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": ""},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
