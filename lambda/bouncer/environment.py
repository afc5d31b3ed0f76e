"""The environment variables of each function, read once into a typed object.

The stack sets these keys and the functions read them; only this file names them. `environ` is an
argument: nothing here looks at the process it runs in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bouncer.errors import EnvironmentKeyError

PREFIX_KEY = "BOUNCER_PREFIX"
DEFAULTS_KEY = "BOUNCER_SETTINGS"
QUEUE_KEY = "BOUNCER_QUEUE_URL"
LEDGER_KEY = "BOUNCER_LEDGER_TABLE"
DEAD_LETTER_KEY = "BOUNCER_DEAD_LETTER_URL"
BUCKET_KEY = "BOUNCER_RULES_BUCKET"
MAIL_BUCKET_KEY = "BOUNCER_MAIL_BUCKET"  # missing where mail is not stored
MAIL_PREFIX_KEY = "BOUNCER_MAIL_PREFIX"
KEEPS_KEY = "BOUNCER_KEEPS_STOPPED"  # set where SES waits for the answer, and so stops mail
DOMAIN_KEY = "BOUNCER_AWS_DOMAIN"
REPLY_QUEUE_KEY = "BOUNCER_REPLY_QUEUE_URL"  # missing where no replies are sent
REPLY_SENDERS_KEY = "BOUNCER_REPLY_SENDERS"  # with blanks between them; missing there as well
SENDERS_KEY = "BOUNCER_SENDERS"  # missing in the worker for moments of an upgrade
PUBLISHER_KEY = "BOUNCER_PUBLISHER"  # so is this one
LOG_GROUPS_KEY = "BOUNCER_LOG_GROUPS"
DEAD_LETTERS_KEY = "BOUNCER_DEAD_LETTERS"
REPORT_KEY = "BOUNCER_REPORT"
REGION_KEY = "AWS_REGION"  # Lambda sets it

# The name in the journal of a function that could not read its environment.
UNKNOWN_DEPLOYMENT = "unknown"

_EXPECTED: Mapping[str, str] = {
    PREFIX_KEY: "the path of its parameters, such as /ses-auto-bouncer/main",
    QUEUE_KEY: "the URL of the queue of jobs",
    LEDGER_KEY: "the name of the ledger's table",
    DEAD_LETTER_KEY: "the URL of the dead-letter queue",
    REPLY_QUEUE_KEY: "the URL of the queue of replies",
    REPLY_SENDERS_KEY: "the addresses that replies come from, with blanks between them",
    BUCKET_KEY: "the name of the bucket of revisions",
    SENDERS_KEY: "the addresses that bounces come from, with blanks between them",
    LOG_GROUPS_KEY: "the log groups of the functions, with blanks between them",
    DEAD_LETTERS_KEY: "pairs such as dead-letters=URL, with blanks between them",
    REPORT_KEY: 'JSON such as {"from": "a@example.com", "to": [], "timezone": "UTC"}',
    DOMAIN_KEY: "the domain of AWS's endpoints, such as amazonaws.com",
    REGION_KEY: "an AWS region, such as eu-west-1",
}


def deployment_name(prefix: str) -> str:
    """Return the last part of a prefix, by which a deployment is called."""
    return prefix.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The part that every function of a deployment has."""

    prefix: str

    @property
    def deployment(self) -> str:
        """The name of the deployment."""
        return deployment_name(self.prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeEnvironment(Environment):
    """The intake's environment; `bucket` has what is in force.

    `mail_bucket` is "" where mail is not stored; SES stores it below `mail_prefix`. With
    `keeps_stopped`, stopped mail is kept there. `reply_queue_url` is "" where no replies are sent;
    `reply_senders` are the bare addresses that they come from.
    """

    region: str
    aws_domain: str
    queue_url: str
    bucket: str
    mail_bucket: str
    mail_prefix: str
    keeps_stopped: bool
    reply_queue_url: str = ""
    reply_senders: frozenset[str] = frozenset()

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "IntakeEnvironment":
        """Read it; raises `EnvironmentKeyError` naming the key."""
        return cls(
            prefix=_prefix(environ),
            region=_required(environ, REGION_KEY),
            aws_domain=_required(environ, DOMAIN_KEY),
            queue_url=_required(environ, QUEUE_KEY),
            bucket=_required(environ, BUCKET_KEY),
            mail_bucket=environ.get(MAIL_BUCKET_KEY, ""),
            mail_prefix=environ.get(MAIL_PREFIX_KEY, ""),
            keeps_stopped=bool(environ.get(KEEPS_KEY)),
            reply_queue_url=environ.get(REPLY_QUEUE_KEY, ""),
            reply_senders=frozenset(environ.get(REPLY_SENDERS_KEY, "").lower().split()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEnvironment(Environment):
    """The worker's environment; `senders` are the bare addresses that it may bounce from.

    `publisher` is the name of that function, or "" if it is not known.
    """

    queue_url: str
    dead_letter_url: str
    ledger_table: str
    bucket: str
    senders: frozenset[str]
    publisher: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "WorkerEnvironment":
        """Read it; raises `EnvironmentKeyError` naming the key."""
        return cls(
            prefix=_prefix(environ),
            queue_url=_required(environ, QUEUE_KEY),
            dead_letter_url=_required(environ, DEAD_LETTER_KEY),
            ledger_table=_required(environ, LEDGER_KEY),
            bucket=_required(environ, BUCKET_KEY),
            senders=frozenset(environ.get(SENDERS_KEY, "").lower().split()),
            publisher=environ.get(PUBLISHER_KEY, ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplierEnvironment(Environment):
    """The replier's environment; `reply_senders` are the bare addresses that replies come from.

    `senders` are those of bounces, which get no replies either.
    """

    queue_url: str
    dead_letter_url: str
    ledger_table: str
    bucket: str
    senders: frozenset[str]
    reply_senders: frozenset[str]

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "ReplierEnvironment":
        """Read it; raises `EnvironmentKeyError` naming the key."""
        return cls(
            prefix=_prefix(environ),
            queue_url=_required(environ, REPLY_QUEUE_KEY),
            dead_letter_url=_required(environ, DEAD_LETTER_KEY),
            ledger_table=_required(environ, LEDGER_KEY),
            bucket=_required(environ, BUCKET_KEY),
            senders=frozenset(_required(environ, SENDERS_KEY).lower().split()),
            reply_senders=frozenset(_required(environ, REPLY_SENDERS_KEY).lower().split()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackEnvironment(Environment):
    """The environment of the feedback function; `senders` are the addresses of our bounces."""

    ledger_table: str
    bucket: str
    senders: tuple[str, ...]

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "FeedbackEnvironment":
        """Read it; raises `EnvironmentKeyError` naming the key."""
        return cls(
            prefix=_prefix(environ),
            ledger_table=_required(environ, LEDGER_KEY),
            bucket=_required(environ, BUCKET_KEY),
            senders=tuple(_required(environ, SENDERS_KEY).split()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherEnvironment(Environment):
    """The publisher's environment; `settings` is the document of the deployment's own settings.

    `ledger_table` is "" for moments of an upgrade. `reply_senders` are the bare addresses that
    replies may come from.
    """

    region: str
    bucket: str
    settings: str
    ledger_table: str = ""
    reply_senders: frozenset[str] = frozenset()

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "PublisherEnvironment":
        """Read it; raises `EnvironmentKeyError` naming the key."""
        return cls(
            prefix=_prefix(environ),
            region=_required(environ, REGION_KEY),
            bucket=_required(environ, BUCKET_KEY),
            settings=environ.get(DEFAULTS_KEY) or "{}",
            ledger_table=environ.get(LEDGER_KEY, ""),
            reply_senders=frozenset(environ.get(REPLY_SENDERS_KEY, "").lower().split()),
        )


class ReporterEnvironment(NamedTuple):
    """The reporter's environment; `report` is JSON with `from`, `to` and `timezone`.

    `dead_letters` has the URLs of queues by the key of the alarm that watches each of them. The
    intake imports this file, too, and a dataclass takes longer to make.
    """

    prefix: str
    queue_url: str
    ledger_table: str
    bucket: str
    log_groups: tuple[str, ...]
    dead_letters: Mapping[str, str]
    report: str

    @property
    def deployment(self) -> str:
        """The name of the deployment."""
        return deployment_name(self.prefix)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "ReporterEnvironment":
        """Read it; raises `EnvironmentKeyError` naming the key."""
        pairs = (pair.partition("=") for pair in _required(environ, DEAD_LETTERS_KEY).split())
        return cls(
            prefix=_prefix(environ),
            queue_url=_required(environ, QUEUE_KEY),
            ledger_table=_required(environ, LEDGER_KEY),
            bucket=_required(environ, BUCKET_KEY),
            log_groups=tuple(_required(environ, LOG_GROUPS_KEY).split()),
            dead_letters={key: url for key, _, url in pairs},
            report=_required(environ, REPORT_KEY),
        )


def _required(environ: Mapping[str, str], key: str) -> str:
    if value := environ.get(key):
        return value
    raise EnvironmentKeyError(f"environment: found no {key}, expected {_EXPECTED[key]}")


def _prefix(environ: Mapping[str, str]) -> str:
    return _required(environ, PREFIX_KEY).rstrip("/")
