"""The settings of a deployment: one field each, with its default and the reader of its value.

A field and its row in docs/deploy.md are all a new setting needs before a construct can use it.
`deployment_settings_reader` reads them from cdk.json. Nothing here imports CDK: the doctor and the
local rehearsal read the same settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from bouncer.function_limits import PRODUCT, default_prefix
from bouncer.mail.address import canonical, mailbox_address
from bouncer.rules.address_reader import read_mailbox
from bouncer.rules.document import Node
from bouncer_infra import configuration_set_settings, destination_settings
from bouncer_infra import deployment_values as values
from bouncer_infra import organization_values as organization
from bouncer_infra.configuration_set_settings import FurtherSet
from bouncer_infra.deployment_values import FurtherSender, IpFilter, MailStore, Reader
from bouncer_infra.destination_settings import Destination
from bouncer_infra.report_setting import ReportSetting, report_setting

NAME_PREFIX = f"{PRODUCT}-"
DEFAULT_NAME = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """One setting: the reader of its value, and its default as docs/deploy.md words it.

    Without `default_in_words` the page shows the default's JSON. `needed` is set for a setting that
    has no default: the words for what was expected where it is missing.
    """

    read: Reader
    default_in_words: str = ""
    needed: str = ""
    key: str = ""  # in cdk.json, if not the field's name


def _row(read: Reader, default_in_words: str = "", **more: str) -> Mapping[str, SettingRow]:
    return {"row": SettingRow(read=read, default_in_words=default_in_words, **more)}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentSettings:
    """One deployment; docs/deploy.md says what each setting does."""

    name: str = field(default=DEFAULT_NAME, metadata=_row(values.name))
    recipients: tuple[str, ...] = field(
        metadata=_row(
            values.recipients,
            "required",
            needed='domains or addresses whose mail is judged, such as ["example.com"] '
            "(cdk deploy needs them)",
        )
    )
    bounce_sender: str = field(
        metadata=_row(
            read_mailbox,
            "required",
            needed="an address such as mailer-daemon@example.com (cdk deploy needs it)",
        )
    )
    further_senders: tuple[FurtherSender, ...] = field(
        default=(), metadata=_row(values.senders, "none")
    )
    reply_senders: tuple[FurtherSender, ...] = field(
        default=(), metadata=_row(values.senders, "none: no replies are sent")
    )
    identity: str = field(default="", metadata=_row(values.identity, "the sender's domain"))
    prefix: str = field(
        default="",
        metadata=_row(values.parameter_path, f"`{default_prefix('<name>')}`"),
    )
    rule_set: str = field(default="default-rule-set", metadata=_row(values.rule_set))
    create_rule_set: bool = field(default=False, metadata=_row(Node.flag))
    activate_rule_set: bool = field(default=False, metadata=_row(Node.flag))
    after: str | None = field(default=None, metadata=_row(values.rule, "none: ours is the first"))
    invocation: str = field(
        default="request_response", metadata=_row(values.one_of("request_response", "event"))
    )
    scan: bool = field(default=True, metadata=_row(Node.flag))
    require_tls: bool = field(default=False, metadata=_row(Node.flag))
    store: MailStore | None = field(
        default=MailStore(), metadata=_row(values.store, '`{"prefix": "mail/", "days": 1}`')
    )
    stopped_days: int = field(default=14, metadata=_row(values.days))
    ip_filters: tuple[IpFilter, ...] = field(default=(), metadata=_row(values.ip_filters, "none"))
    architecture: str = field(default="arm64", metadata=_row(values.one_of("arm64", "x86_64")))
    log_days: int = field(default=90, metadata=_row(values.log_days))
    create_identity: bool = field(default=False, metadata=_row(Node.flag))
    attach_configuration_set: bool | None = field(
        default=None,
        metadata=_row(Node.flag, "`true`, with a warning if others may be affected"),
    )
    events: tuple[str, ...] = field(
        default=values.UNOBTRUSIVE_EVENTS,
        metadata=_row(values.events, "all but `open` and `click`"),
    )
    destinations: tuple[Destination, ...] = field(
        default=(), metadata=_row(destination_settings.destinations, "none")
    )
    configuration_sets: tuple[FurtherSet, ...] = field(
        default=(), metadata=_row(configuration_set_settings.further_sets, "none")
    )
    archive: bool = field(default=True, metadata=_row(Node.flag))
    archive_days: int = field(default=400, metadata=_row(values.days))
    analysis: bool | None = field(
        default=None, metadata=_row(Node.flag, "`true`, unless `archive` is `false`")
    )
    dashboard: bool = field(default=True, metadata=_row(Node.flag))
    ledger_recovery: bool = field(default=False, metadata=_row(Node.flag))
    alarm_email: str | None = field(default=None, metadata=_row(read_mailbox, "none"))
    alarm_topic: str | None = field(default=None, metadata=_row(organization.alarm_topic, "none"))
    alarm_without_mail: int | None = field(
        default=None, metadata=_row(values.quiet_hours, "none: no alarm")
    )
    report: ReportSetting | None = field(
        default=None, metadata=_row(report_setting, "none: no report")
    )
    went_on_percent: int = field(default=20, metadata=_row(values.percent))
    kms_key: str | None = field(
        default=None, metadata=_row(organization.kms_key, "none: AWS's own keys")
    )
    former_kms_keys: tuple[str, ...] = field(
        default=(), metadata=_row(organization.former_kms_keys, "none")
    )
    permissions_boundary: str | None = field(
        default=None, metadata=_row(organization.permissions_boundary, "none")
    )
    tags: Mapping[str, str] = field(default_factory=dict, metadata=_row(organization.tags, "`{}`"))
    termination_protection: bool = field(default=False, metadata=_row(Node.flag))
    intake_concurrency: int | None = field(
        default=None, metadata=_row(organization.concurrency, "none: as many as are free")
    )
    account: str | None = field(
        default=None, metadata=_row(organization.account, "that of the credentials")
    )
    region: str | None = field(
        default=None, metadata=_row(organization.region, "that of the AWS profile")
    )
    runtime: Mapping[str, Any] = field(
        default_factory=dict, metadata=_row(lambda node: node.value, "`{}`", key="settings")
    )

    def __post_init__(self) -> None:
        """Fill in what follows from other settings."""
        object.__setattr__(self, "prefix", self.prefix or default_prefix(self.name))
        named = self.identity or self.senders[0].rpartition("@")[2]
        object.__setattr__(self, "identity", canonical(named))

    @property
    def full_name(self) -> str:
        """The name of the stack, the receipt rule, the configuration set and the dashboard."""
        return full_name(self.name)

    @property
    def folder(self) -> str:
        """The folder of the saved queries."""
        return f"{PRODUCT}/{self.name}"

    @property
    def attaches(self) -> bool:
        """True if our configuration set becomes the identity's default, as it does unless asked."""
        return self.attach_configuration_set is not False

    @property
    def analyses(self) -> bool:
        """True if the archive gets tables and saved questions, as it does unless asked."""
        return self.archive and self.analysis is not False

    @property
    def senders(self) -> tuple[str, ...]:
        """The bare addresses bounces may come from."""
        further = (sender.address for sender in self.further_senders)
        return (mailbox_address(self.bounce_sender), *further)

    @property
    def report_sender(self) -> str:
        """The mailbox that the report comes from."""
        return (self.report and self.report.sender) or self.bounce_sender

    @property
    def reply_addresses(self) -> tuple[str, ...]:
        """The bare addresses replies may come from."""
        return tuple(dict.fromkeys(sender.address for sender in self.reply_senders))

    @property
    def own_senders(self) -> tuple[str, ...]:
        """The bare addresses of bounces that identities of this account verify."""
        foreign = {sender.address for sender in self.further_senders if sender.arn}
        return tuple(address for address in self.senders if address not in foreign)


def full_name(name: str) -> str:
    """Return the name that a deployment's resources have where AWS shows one."""
    return f"{NAME_PREFIX}{name}"


def setting_rows() -> dict[str, SettingRow]:
    """Return the row of every setting, by its key in cdk.json."""
    rows = {each.name: each.metadata["row"] for each in fields(DeploymentSettings)}
    return {row.key or name: row for name, row in rows.items()}
