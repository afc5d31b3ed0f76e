"""What cdk.json says of a deployment: those settings that an account can be compared with.

The settings are refused at synth, with everything wrong in them, by
`deployment_settings_reader`, which this package must not import; here only what is read must have
its shape. A test holds the two together.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bouncer.errors import BouncerError
from bouncer.mail.address import canonical, mailbox_address
from bouncer.rules.address_reader import read_mailbox
from bouncer.rules.document import Node, Report

EVENTS = (
    "send",
    "reject",
    "bounce",
    "complaint",
    "delivery",
    "renderingFailure",
    "deliveryDelay",
    "subscription",
)


class SettingsFileError(BouncerError):
    """The settings can't be read; the text says where and what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment as its settings want it; the names of its resources follow from `name`."""

    name: str = "main"
    recipients: tuple[str, ...]
    bounce_sender: str
    further_senders: tuple[str, ...] = ()
    identity: str = ""
    prefix: str = ""
    rule_set: str = "default-rule-set"
    create_rule_set: bool = False
    activate_rule_set: bool = False
    after: str | None = None
    invocation: str = "request_response"
    scan: bool = True
    require_tls: bool = False
    create_identity: bool = False
    attach_configuration_set: bool | None = None
    events: tuple[str, ...] = EVENTS
    alarm_email: str | None = None
    runtime: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill what follows from other settings."""
        name = self.identity or self.senders[0].rpartition("@")[2]
        object.__setattr__(self, "identity", canonical(name))
        if not self.prefix:
            object.__setattr__(self, "prefix", f"/ses-auto-bouncer/{self.name}")

    @property
    def full_name(self) -> str:
        """The name of the stack, of the receipt rule and of the configuration set."""
        return f"ses-auto-bouncer-{self.name}"

    @property
    def senders(self) -> tuple[str, ...]:
        """The bare addresses bounces may come from."""
        return tuple(map(mailbox_address, (self.bounce_sender, *self.further_senders)))


def read_deployment(path: Path) -> Deployment:
    """The deployment of a cdk.json; raises `BouncerError` naming what is missing or wrong."""
    settings = _context(path)
    report = Report(str(path))
    root = Node(settings, ("context", "bouncer"), report)
    given = root.entries("a mapping with recipients and bounce_sender")
    entries = {key: node for key, node in given.items() if node.value is not None}
    for key in ("recipients", "bounce_sender"):
        if key not in entries:
            report.add((*root.path, key), found="nothing", expected="it, as cdk deploy needs it")
    found: dict[str, Any] = {
        key: _READERS[key](node) for key, node in entries.items() if key in _READERS
    }
    report.settle()
    runtime = found.pop("settings", {})
    return Deployment(runtime={"bounce_sender": found["bounce_sender"], **runtime}, **found)


def _context(path: Path) -> object:
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsFileError(
            f"{path}: can't be read ({error.strerror}), expected the cdk.json of a deployment"
        ) from error
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise SettingsFileError(
            f"{place}: found no JSON ({error.msg}), expected a cdk.json"
        ) from error
    except ValueError as error:
        raise SettingsFileError(f"{path}: found no UTF-8, expected a cdk.json") from error
    context = document.get("context") if isinstance(document, dict) else None
    if not isinstance(context, dict) or "bouncer" not in context:
        raise SettingsFileError(
            f"{path}: found no context.bouncer, expected a deployment's settings"
        )
    return context["bouncer"]


def _texts(node: Node) -> tuple[str, ...]:
    return tuple(text for text in (item.text() for item in node.items()) if text)


def _settings(node: Node) -> dict[str, Any]:
    return {key: item.value for key, item in node.entries("a mapping of settings").items()}


def _senders(node: Node) -> tuple[str, ...]:
    items = node.items() if node.value != [] else ()
    return tuple(text for text in map(read_mailbox, items) if text)


_READERS: Mapping[str, Callable[[Node], object]] = {
    "name": Node.text,
    "recipients": _texts,
    "bounce_sender": read_mailbox,
    "further_senders": _senders,
    "identity": Node.text,
    "prefix": Node.text,
    "rule_set": Node.text,
    "create_rule_set": Node.flag,
    "activate_rule_set": Node.flag,
    "after": Node.text,
    "invocation": Node.text,
    "scan": Node.flag,
    "require_tls": Node.flag,
    "create_identity": Node.flag,
    "attach_configuration_set": Node.flag,
    "events": _texts,
    "alarm_email": read_mailbox,
    "settings": _settings,
}
