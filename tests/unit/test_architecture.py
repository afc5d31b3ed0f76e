"""The architecture: import-linter's contracts hold, and so do the laws they can't express."""

import ast
import subprocess
import sys
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
NEEDS_CDK = PACKAGES[1]

# Whatever decides is pure: it gets clock, network and environment as arguments.
OUTERMOST = {"intake", "worker", "account_settings", "journal", "lost_answer"}
OUTER_ROOMS = {"sources", "aws"}
OUTER_SENDING = {"ledger", "table", "queue", "ses"}
OUTSIDE = {
    "boto3",
    "botocore",
    "os",
    "sys",
    "time",
    "random",
    "uuid",
    "subprocess",
    "aws_lambda_powertools",
}


def is_domain(path: Path) -> bool:
    """Tell whether a module of the deployed package belongs to the domain."""
    room = path.relative_to(DEPLOYED).parts[0]
    if room == "sending":
        return path.stem not in OUTER_SENDING
    return room not in OUTER_ROOMS and path.stem not in OUTERMOST


DOMAIN = sorted(filter(is_domain, DEPLOYED.rglob("*.py")))


def imported_packages(path: Path) -> set[str]:
    """The top-level packages a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", DOMAIN, ids=lambda path: str(path.relative_to(DEPLOYED)))
def test_the_domain_knows_no_clock_network_or_environment(path: Path) -> None:
    """The domain takes these as arguments, so that replay and tests run the code that AWS runs."""
    assert not imported_packages(path) & OUTSIDE
    text = path.read_text(encoding="utf-8")
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not calls & {"utcnow", "today", "getenv"}
    assert "datetime.now" not in text


def test_the_domain_is_found() -> None:
    """An empty list would pass every test above."""
    names = {path.stem for path in DOMAIN}
    assert {"judge", "guard", "gate", "pacer", "ruleset", "message", "job"} <= names
    assert not names & (OUTERMOST | OUTER_SENDING)


def test_the_arrows_of_the_design_hold() -> None:
    """The contracts in pyproject.toml: who may import whom."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
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
            if "aws_cdk" not in path.read_text(encoding="utf-8") and path.stem != "launch":
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
