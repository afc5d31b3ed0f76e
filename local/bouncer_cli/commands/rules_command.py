"""`bouncer rules`: checks rules as the publisher does, and releases braked ones."""

import argparse
import json
from pathlib import Path

from bouncer.sources.source import Documents
from bouncer_cli.commands.rules_release import add_release
from bouncer_cli.commands.terminal import put, put_folded, say
from bouncer_cli.commands.usage import Commands, UsageError, add_format
from bouncer_cli.documents_check import DocumentsCheck, check_documents
from bouncer_cli.rule_files import FileSource, OneFile
from bouncer_sim.clock import SystemClock, now

_SSM = "ssm:"


def add(commands: Commands) -> None:
    """Declare the command with its verbs and their options."""
    command = commands.add_parser(
        "rules",
        help="check rules, or release one that is braked",
        description="Check rules in files or in SSM, or release a rule that is braked.",
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
        help="a folder with rules, the file of one rule, or ssm:/PREFIX (default: rules)",
    )
    check.add_argument("--settings", type=Path, metavar="FILE", help="check these settings, too")
    add_format(check)
    check.set_defaults(run=run_check)
    add_release(verbs)


def run_check(options: argparse.Namespace) -> int:
    """Run `bouncer rules check` and return its exit status."""
    found = check_documents(_documents(options.source, options.settings), now(SystemClock()))
    show = _put_json if options.format == "json" else _put_lines
    show(found)
    return 1 if found.problems else 0


def _documents(source: str, settings: Path | None) -> Documents:
    if not source.startswith(_SSM):
        path = Path(source)
        if path.is_file():
            return OneFile(path, settings).read()
        return FileSource(path, settings, named="SOURCE").read()
    if settings is not None:
        raise UsageError("--settings: found ssm: beside it, expected one of them (SSM has its own)")
    prefix = source.removeprefix(_SSM)
    if not prefix.startswith("/"):
        expected = "expected ssm:/PREFIX such as ssm:/ses-auto-bouncer/main"
        raise UsageError(f"SOURCE: found {source!r}, {expected}")
    return _parameters(prefix)


def _parameters(prefix: str) -> Documents:
    import boto3  # noqa: PLC0415  # a second that nobody else has to wait for

    from bouncer.sources.parameters import ParameterSource  # noqa: PLC0415

    session = boto3.Session()
    if session.region_name is None:
        raise UsageError("SOURCE: found no region, expected AWS_DEFAULT_REGION to name one")
    return ParameterSource(session.client("ssm"), prefix).read()


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
