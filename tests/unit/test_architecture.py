"""The arrows of the design: who may import whom, and that importing does nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bouncer
import bouncer_local

DEPLOYED = Path(bouncer.__path__[0])
LOCAL = Path(bouncer_local.__path__[0])

# From the outside in: a module imports only from layers further down, or from its own.
LAYERS = [
    {"intake", "worker", "switches"},
    {"parameters", "queue", "ledger", "sesapi", "journal", "aws"},
    {"judge", "gate", "pacer"},
    {"ruleset", "index", "guard", "settings"},
    {"message", "rule", "condition", "condition_reader", "rejection", "address", "job"},
    {"document", "slip", "mime", "reason", "reference", "errors"},
]
DOMAIN = set().union(*LAYERS[2:])
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
MODULES = sorted(path.stem for path in DEPLOYED.glob("*.py") if path.stem != "__init__")


def imports(path: Path) -> set[str]:
    """The full names a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def own(path: Path) -> set[str]:
    """The modules of `bouncer` a file imports."""
    parts = [name.split(".") for name in imports(path) if name.startswith("bouncer.")]
    return {part[1] for part in parts if part[1] in MODULES}


def layer(module: str) -> int:
    return next(index for index, members in enumerate(LAYERS) if module in members)


def test_every_module_has_its_place() -> None:
    """A new module is put into a layer before it lands."""
    assert set().union(*LAYERS) == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_arrows_point_inwards(module: str) -> None:
    """No module imports from a layer further out than its own."""
    outwards = {other for other in own(DEPLOYED / f"{module}.py") if layer(other) < layer(module)}
    assert not outwards


@pytest.mark.parametrize("module", sorted(DOMAIN))
def test_the_domain_knows_no_clock_network_or_environment(module: str) -> None:
    """What decides takes these as arguments, which keeps replay, tests and simulation honest."""
    path = DEPLOYED / f"{module}.py"
    assert not {name.split(".")[0] for name in imports(path)} & OUTSIDE
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not calls & {"now", "utcnow", "today", "getenv"} - {"now"}
    assert "datetime.now" not in path.read_text(encoding="utf-8")


def test_the_deployed_package_never_looks_back() -> None:
    """`bouncer_local` imports `bouncer`, never the other way round."""
    for path in DEPLOYED.glob("*.py"):
        assert not [name for name in imports(path) if name.startswith("bouncer_local")]


def test_importing_does_nothing() -> None:
    """Every module can be imported without environment, credentials, network, files or output."""
    names = [f"bouncer.{module}" for module in MODULES]
    for path in LOCAL.rglob("*.py"):
        dotted = ".".join(path.relative_to(LOCAL.parent).with_suffix("").parts)
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
