"""A function's environment is read once, whole, or named key by key."""

from collections.abc import Callable, Mapping

import pytest

from bouncer.environment import (
    BUCKET_KEY,
    DEAD_LETTER_KEY,
    DEFAULTS_KEY,
    DOMAIN_KEY,
    LEDGER_KEY,
    PREFIX_KEY,
    QUEUE_KEY,
    REGION_KEY,
    SENDERS_KEY,
    FeedbackEnvironment,
    IntakeEnvironment,
    PublisherEnvironment,
    WorkerEnvironment,
)
from bouncer.errors import DocumentError, EnvironmentKeyError
from bouncer.settings_reader import deployment_settings, overlaid

ENVIRON = {
    PREFIX_KEY: "/ses-auto-bouncer/main/",
    QUEUE_KEY: "https://sqs.eu-west-1.amazonaws.com/1/bounces.fifo",
    DEAD_LETTER_KEY: "https://sqs.eu-west-1.amazonaws.com/1/dead.fifo",
    LEDGER_KEY: "ledger",
    BUCKET_KEY: "rules",
    DOMAIN_KEY: "amazonaws.com",
    REGION_KEY: "eu-west-1",
    SENDERS_KEY: "a@example.com b@example.com",
}
INTAKE = (PREFIX_KEY, BUCKET_KEY, QUEUE_KEY, DOMAIN_KEY, REGION_KEY)
PUBLISHER = (PREFIX_KEY, BUCKET_KEY, REGION_KEY)
WORKER = (PREFIX_KEY, BUCKET_KEY, QUEUE_KEY, DEAD_LETTER_KEY, LEDGER_KEY)


FEEDBACK = (PREFIX_KEY, LEDGER_KEY, BUCKET_KEY, SENDERS_KEY)


def without(key: str) -> Mapping[str, str]:
    return {name: value for name, value in ENVIRON.items() if name != key}


def test_every_function_has_an_environment_of_its_own() -> None:
    """Each value stands under its name; the deployment is the last part of the prefix."""
    intake, worker = IntakeEnvironment.from_env(ENVIRON), WorkerEnvironment.from_env(ENVIRON)
    publisher = PublisherEnvironment.from_env(ENVIRON)
    for each in (intake, worker, publisher):
        assert each.prefix == "/ses-auto-bouncer/main"
        assert each.deployment == "main"
    assert publisher.bucket == intake.bucket == worker.bucket == "rules"
    assert (intake.region, intake.aws_domain) == ("eu-west-1", "amazonaws.com")
    assert intake.queue_url == worker.queue_url == ENVIRON[QUEUE_KEY]
    feedback = FeedbackEnvironment.from_env(ENVIRON)
    assert (feedback.deployment, feedback.ledger_table) == ("main", "ledger")
    assert feedback.senders == ("a@example.com", "b@example.com")
    assert (worker.dead_letter_url, worker.ledger_table) == (ENVIRON[DEAD_LETTER_KEY], "ledger")


@pytest.mark.parametrize(
    ("read", "key"),
    [
        *((IntakeEnvironment.from_env, key) for key in INTAKE),
        *((WorkerEnvironment.from_env, key) for key in WORKER),
        *((PublisherEnvironment.from_env, key) for key in PUBLISHER),
        *((FeedbackEnvironment.from_env, key) for key in FEEDBACK),
    ],
)
def test_a_missing_key_is_named(read: Callable[[Mapping[str, str]], object], key: str) -> None:
    """An empty value is a missing one; the sentence says what the key should hold."""
    for environ in (without(key), {**ENVIRON, key: ""}):
        with pytest.raises(EnvironmentKeyError, match=f"^environment: found no {key}, expected "):
            read(environ)


@pytest.mark.threat
def test_the_worker_knows_the_senders_of_its_deployment() -> None:
    """They are compared in lower case; a worker of a moment's upgrade may have none."""
    listed = {**ENVIRON, SENDERS_KEY: "Bounces@example.com help@brand.example"}
    senders = WorkerEnvironment.from_env(listed).senders
    assert senders == {"bounces@example.com", "help@brand.example"}
    assert WorkerEnvironment.from_env(without(SENDERS_KEY)).senders == frozenset()


def test_the_deployments_settings_are_the_defaults() -> None:
    """They have the form of the operator's document; the reporting MTA is the region's of SES."""
    found = PublisherEnvironment.from_env({**ENVIRON, DEFAULTS_KEY: '{"cache": 7, "rate": 0.5}'})
    defaults = deployment_settings(found.settings, found.region, document=DEFAULTS_KEY)
    assert (defaults.cache_s, defaults.rate) == (7, 0.5)
    assert defaults.reporting_mta == "dns; inbound-smtp.eu-west-1.amazonaws.com"
    assert overlaid(defaults, "rate: 0.25").rate == 0.25
    assert PublisherEnvironment.from_env(ENVIRON).settings == "{}"
    with pytest.raises(DocumentError, match=f"{DEFAULTS_KEY}: cash"):
        deployment_settings('{"cash": 7}', "eu-west-1", document=DEFAULTS_KEY)
