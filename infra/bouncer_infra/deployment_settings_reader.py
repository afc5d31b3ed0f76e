"""Reads the settings of deployments from `context.bouncer` in cdk.json, for synth and the doctor.

Everything wrong is reported at once, before anything is deployed: each problem names its key, what
was found and what was expected. Nothing here imports CDK or asks AWS.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bouncer.errors import BouncerError, DocumentError
from bouncer.mail.address import identities, mailbox_address
from bouncer.operator_settings import Settings
from bouncer.rules.document import Node, Report, show, show_path
from bouncer.settings_reader import overlaid
from bouncer_infra import configuration_set_settings
from bouncer_infra.deployment_settings import (
    DEFAULT_NAME,
    DeploymentSettings,
    full_name,
    setting_rows,
)
from bouncer_infra.deployments import DEPLOYMENTS, refuse_clashes, split
from bouncer_infra.misplaced_arns import misplaced_arns
from bouncer_infra.service_arn import Home

_MOST_RUNTIME = 3000  # bytes
_MOST_ENVIRONMENT = 3500  # bytes, with the senders that the worker knows
_MOST_POLICY = 6000  # characters; IAM allows a policy 6,144
_ROWS = setting_rows()


class SettingsFileError(BouncerError):
    """A cdk.json has no readable settings; the text says where and what was expected."""


def read_cdk_json(
    path: Path, *, option: str = "--settings", deployment: str | None = None
) -> DeploymentSettings:
    """Read the settings in a cdk.json; raises `BouncerError` with everything wrong in it.

    `option` is the one that names the file to a command, for an error. `deployment` is the name of
    the deployment, which must be given if the file has several.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsFileError(
            f"{path}: can't be read ({error.strerror}), expected the cdk.json of a deployment: "
            f"run this in its folder, or name it with {option}"
        ) from error
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise SettingsFileError(
            f"{place}: found no JSON ({error.msg}), expected a cdk.json"
        ) from error
    except RecursionError as error:
        raise SettingsFileError(
            f"{path}: found values nested too deeply, expected a cdk.json"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsFileError(f"{path}: found no UTF-8, expected a cdk.json") from error
    except ValueError as error:
        raise SettingsFileError(
            f"{path}: found a number with thousands of digits, expected a cdk.json"
        ) from error
    context = document.get("context") if isinstance(document, dict) else None
    bouncer = context.get("bouncer") if isinstance(context, dict) else None
    found = read_deployments(bouncer, document=str(path))
    return chosen(found, deployment, document=str(path))


def chosen(
    found: Sequence[DeploymentSettings], name: str | None, *, document: str = "cdk.json"
) -> DeploymentSettings:
    """Return the deployment of that name, or the only one; raises `SettingsFileError`."""
    names = " or ".join(each.name for each in found)
    if name is None and len(found) > 1:
        raise SettingsFileError(
            f"{document}: found {len(found)} deployments, expected the name of one: add "
            f"--deployment {names}"
        )
    for each in found:
        if name in (None, each.name):
            return each
    raise SettingsFileError(f"deployment: found {show(name)}, expected {names}, as in {document}")


def read_settings(context: object, *, document: str = "cdk.json") -> DeploymentSettings:
    """Read a `context.bouncer` of one deployment, as `read_deployments` reads it."""
    return chosen(read_deployments(context, document=document), None)


def read_deployments(
    context: object, *, document: str = "cdk.json"
) -> tuple[DeploymentSettings, ...]:
    """Read the value of `context.bouncer`; raises `DocumentError` with everything wrong in it."""
    report = Report(document)
    root = Node(context, ("context", "bouncer"), report)
    given = root.members((*_ROWS, DEPLOYMENTS), "a mapping with recipients and bounce_sender")
    several = given.pop(DEPLOYMENTS, None)
    if several and several.value is None:
        several = None
    blocks = split(given, several, tuple(_ROWS)) if several else [(root, given)]
    found = [_read(block, entries) for block, entries in blocks]
    report.problems[:] = dict.fromkeys(report.problems)  # what is shared is read for each
    report.settle()
    deployments = tuple(DeploymentSettings(**values) for values in found)
    for (block, _), each in zip(blocks, deployments, strict=True):
        place = show_path(block.path)
        report.problems += misplaced_arns(each, Home(), document=document, place=place)
    if several:
        refuse_clashes(several, deployments)
    report.settle()
    return deployments


def _read(root: Node, given: dict[str, Node]) -> dict[str, Any]:
    """Return the values of one deployment by the names of their fields."""
    entries = {key: node for key, node in given.items() if node.value is not None}
    for key, row in _ROWS.items():
        if row.needed and isinstance(root.value, dict) and key not in entries:
            root.report.add((*root.path, key), found="nothing", expected=row.needed)
    found: dict[str, Any] = {key: _ROWS[key].read(node) for key, node in entries.items()}
    _refuse_contradictions(entries, found)
    found.pop("settings", None)
    return {**found, "runtime": _runtime(root, entries.get("settings"), found)}


def refuse_elsewhere(
    settings: DeploymentSettings, home: Home, *, document: str = "cdk.json"
) -> None:
    """Raise `DocumentError` for ARNs of another place than that of the deployment."""
    problems = misplaced_arns(settings, home, document=document)
    if problems:
        raise DocumentError(problems)


def _refuse_contradictions(entries: dict[str, Node], found: dict[str, Any]) -> None:
    _refuse_rule_set(entries, found)
    _refuse_own_rule(entries, found)
    _refuse_identity(entries, found)
    _refuse_prefix(entries, found)
    _refuse_sender(entries, found)
    _refuse_many_identities(entries, found)
    _refuse_analysis(entries, found)
    _refuse_former_key(entries, found)
    configuration_set_settings.refuse_contradictions(entries, found)


def _refuse_rule_set(entries: dict[str, Node], found: dict[str, Any]) -> None:
    creates = found.get("create_rule_set")
    if found.get("activate_rule_set") and not creates:
        expected = (
            "false, or create_rule_set: true beside it: a stack activates only its own rule set"
        )
        entries["activate_rule_set"].fault(expected)
    if found.get("after") and creates:
        expected = 'no "after": a rule set created by this stack has no other rules yet'
        entries["after"].fault(expected)


def _refuse_own_rule(entries: dict[str, Node], found: dict[str, Any]) -> None:
    own = full_name(found.get("name") or DEFAULT_NAME)
    if found.get("after") == own:
        expected = "the name of another receipt rule: this deployment creates this one"
        entries["after"].fault(expected)


def _refuse_identity(entries: dict[str, Node], found: dict[str, Any]) -> None:
    """SES verifies an address by itself, by its domain or by a domain above that."""
    creates = found.get("create_identity")
    if creates and found.get("attach_configuration_set") is False:
        expected = "true beside create_identity: true, which creates the identity with our set"
        entries["attach_configuration_set"].fault(expected)
    identity, sender = found.get("identity"), found.get("bounce_sender")
    if identity and creates:
        expected = 'no "identity" beside create_identity: true, which creates the sender\'s domain'
        entries["identity"].fault(expected)
    elif identity and sender and identity.lower() not in identities(_lower(sender)):
        expected = "the bounce sender's address, its domain or a domain above that"
        entries["identity"].fault(expected)


def _lower(mailbox: str) -> str:
    return mailbox_address(mailbox).lower()


def _refuse_prefix(entries: dict[str, Node], found: dict[str, Any]) -> None:
    """The functions know their deployment, and count, by the last part of the prefix."""
    name, prefix = found.get("name", DEFAULT_NAME), found.get("prefix")
    if name and prefix and prefix.rpartition("/")[2] != name:
        expected = f"a path that ends in /{name}, the deployment's name, by which metrics are kept"
        entries["prefix"].fault(expected)


def _refuse_sender(entries: dict[str, Node], found: dict[str, Any]) -> None:
    """The worker's role may send from the configured addresses only."""
    runtime = entries["settings"].value if "settings" in entries else None
    sender = runtime.get("bounce_sender") if isinstance(runtime, dict) else None
    own, further = found.get("bounce_sender"), found.get("further_senders") or ()
    if not isinstance(sender, str) or own is None:
        return
    if _lower(sender) not in {_lower(own), *(each.address.lower() for each in further)}:
        entries["settings"].child("bounce_sender", sender).fault(
            "the deployment's own bounce_sender or one of its further_senders: "
            "the worker may send from no other address"
        )


def _refuse_many_identities(entries: dict[str, Node], found: dict[str, Any]) -> None:
    """The policies of worker and replier name every sender, and all identities that verify one."""
    for key in ("further_senders", "reply_senders"):
        senders = found.get(key) or ()
        own = [sender.address for sender in senders if not sender.arn]
        named = {name for address in own for name in identities(address)}
        size = sum(len(name) + 60 for name in named)
        size += sum(len(each.arn or "") + len(each.address) + 6 for each in senders)
        if size > _MOST_POLICY:
            expected = (
                f"at most {_MOST_POLICY} (IAM's limit): name fewer senders, or senders of one "
                "domain"
            )
            entries[key].fault(expected, found=f"a policy of {size} characters")


def _refuse_analysis(entries: dict[str, Node], found: dict[str, Any]) -> None:
    if found.get("analysis") and found.get("archive") is False:
        entries["analysis"].fault("archive: true as well: the tables show what is in the archive")


def _refuse_former_key(entries: dict[str, Node], found: dict[str, Any]) -> None:
    key = found.get("kms_key")
    if key and key in (found.get("former_kms_keys") or ()):
        entries["former_kms_keys"].fault("other keys than kms_key", found=show(key))


def _runtime(root: Node, node: Node | None, found: dict[str, Any]) -> Mapping[str, Any]:
    """Return the functions' default settings, checked as the functions check them."""
    bounce_sender, prefix = found.get("bounce_sender"), found.get("prefix") or ""
    value = node.value if node else {}
    if not isinstance(value, dict):
        if node:
            node.fault("a mapping of settings")
        return {}
    runtime = {"bounce_sender": bounce_sender, **value} if bounce_sender else value
    if "store" in found and found["store"] is None:
        runtime = {"store": False, **runtime}  # a replay then has no stored copies either
    size = len(json.dumps(runtime)) + len(prefix)
    senders = sum(len(each.address) + 1 for each in found.get("further_senders") or ())
    most = min(_MOST_RUNTIME, _MOST_ENVIRONMENT - senders - len(bounce_sender or ""))
    if node and size > most:
        expected = f"at most {most} with the prefix: a function's environment holds 4 KB"
        node.fault(expected, found=f"{size} bytes")
        return {}
    try:
        below = (*root.path, "settings")
        overlaid(Settings(), json.dumps(runtime), document=root.report.document, below=below)
    except DocumentError as error:
        root.report.problems += error.problems
    return runtime
