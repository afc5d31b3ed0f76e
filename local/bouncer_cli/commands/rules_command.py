"""`bouncer rules`: checks rules as the publisher does, pushes them to SSM, releases braked ones."""

import argparse
import json
from pathlib import Path

from bouncer_cli.commands import rules_push
from bouncer_cli.commands.deployment_options import (
    REVISION,
    SSM,
    DeploymentOptions,
    add_deployment_options,
    deployment_options,
)
from bouncer_cli.commands.prefix_documents import read_parameters
from bouncer_cli.commands.revision_rules import check_revision
from bouncer_cli.commands.rules_release import add_release
from bouncer_cli.commands.terminal import put, put_folded, say
from bouncer_cli.commands.usage import Commands, UsageError, add_format
from bouncer_cli.documents_check import DocumentsCheck, check_documents
from bouncer_cli.rule_files import FileSource, OneFile
from bouncer_sim.clock import SystemClock, now


def add(commands: Commands) -> None:
    """Declare the command with its verbs and their options."""
    command = commands.add_parser(
        "rules",
        help="check rules, push them to SSM, release one that is braked",
        description="Check rules in files, in SSM or in force, push those of a folder to SSM, or "
        "release a rule that is braked.",
        epilog="example: bouncer rules check rules",
    )
    verbs = command.add_subparsers(required=True, metavar="VERB", title="verbs")
    check = verbs.add_parser(
        "check",
        help="check rules as the publisher does, and put nothing in force",
        description="Check rules as the publisher does, and put nothing in force. The exit status "
        "is 1 if a document is refused.",
        epilog="example: bouncer rules check rules --settings settings.yaml",
    )
    check.add_argument(
        "source",
        nargs="?",
        default="rules",
        metavar="SOURCE",
        help="a folder with rules, the file of one rule, ssm:/PREFIX, or what is in force in a "
        "deployment: revision:current or revision:ID (default: rules)",
    )
    check.add_argument("--settings", type=Path, metavar="FILE", help="check these settings, too")
    add_deployment_options(check)
    add_format(check)
    check.set_defaults(run=run_check)
    rules_push.add(verbs)
    add_release(verbs)


def run_check(options: argparse.Namespace) -> int:
    """Run `bouncer rules check` and return its exit status."""
    deployment = deployment_options(options, options.source)
    found = _checked(options.source, options.settings, deployment)
    show = _put_json if options.format == "json" else _put_lines
    show(found)
    return 1 if found.problems else 0


def _checked(source: str, settings: Path | None, deployment: DeploymentOptions) -> DocumentsCheck:
    at = now(SystemClock())
    if not source.startswith((SSM, REVISION)):
        path = Path(source)
        files = OneFile(path, settings) if path.is_file() else None
        documents = (files or FileSource(path, settings, named="SOURCE")).read()
        if not documents.rules:
            raise UsageError(f"SOURCE: found no rule in {source}, expected at least one")
        return check_documents(documents, at)
    if settings is not None:
        raise UsageError(
            f"--settings: found {source.partition(':')[0]}: beside it, expected one of them (it "
            "has its own)"
        )
    if source.startswith(REVISION):
        found, said = check_revision(source, deployment)
        say(said)
        return found
    prefix = source.removeprefix(SSM)
    if not prefix.startswith("/"):
        expected = "expected ssm:/PREFIX such as ssm:/ses-auto-bouncer/main"
        raise UsageError(f"SOURCE: found {source!r}, {expected}")
    documents, deployed = read_parameters(prefix, "SOURCE", deployment.region)
    if not documents.rules:
        raise UsageError(
            f"SOURCE: found no rule below {prefix}, expected at least one: check the prefix and "
            "the region"
        )
    return check_documents(documents, at, defaults=deployed.settings)


def _put_lines(found: DocumentsCheck) -> None:
    for said in found.problems.values():
        for problem in said:
            put_folded(f"problem: {problem}")
    for warning in found.warnings:
        put_folded(f"warning: {warning}")
    say(str(found))


def _put_json(found: DocumentsCheck) -> None:
    """Write one line for each problem and warning, then one for the rules that are valid."""
    for name, said in found.problems.items():
        for problem in said:
            put(json.dumps({"level": "problem", "document": name, "found": problem}))
    for warning in found.warnings:
        put(json.dumps({"level": "warning", "document": None, "found": warning}))
    rules = [rule.name for rule in found.revision.rules]
    revision = None if found.problems else found.revision.id
    put(json.dumps({"level": "ok", "rules": rules, "revision": revision}))
