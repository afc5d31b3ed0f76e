"""A SecureString is reported by that name wherever documents are read; nothing decrypts it."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from bouncer.operator_settings import Settings
from bouncer.publisher_journal import PublisherJournal
from bouncer.publishing.list_forms import FormsInMemory
from bouncer.publishing.publication import publication
from bouncer.sources.loaded import Loaded
from bouncer.sources.parameters import ParameterSource, SettingsSource
from bouncer.sources.source import SourceError
from bouncer_cli import command_line as cli
from bouncer_sim.document_bucket import document_loader, load_documents
from tests.embedded_aws import embedded_aws
from tests.functions.doctor.aws import found

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

PREFIX = "/ses-auto-bouncer/main"
SAYS = (
    "found a SecureString, expected String: delete this parameter and put it again with "
    "--type String"
)
# A rule that no warning is about; ciphertext as SSM returns it when not asked to decrypt.
ANY = 'when: {recipient: "*"}\ndrop: {}'
CIPHERTEXT = "AQICAHgf4bU7Gk2k0yqJ+x5y3Q=="


@pytest.fixture
def ssm() -> "Iterator[SSMClient]":
    """SSM in this process, with a rule of each type."""
    with embedded_aws():
        client = boto3.client("ssm")
        for name, kind in (("100-secret", "SecureString"), ("200-plain", "String")):
            client.put_parameter(Name=f"{PREFIX}/rules/{name}", Value=ANY, Type=kind)  # type: ignore[arg-type]  # the stub lists literals
        yield client


def load(ssm: "SSMClient") -> Loaded:
    return load_documents(ParameterSource(ssm, PREFIX), Settings())


def test_the_intake_leaves_out_that_rule_alone_and_names_its_type(ssm: "SSMClient") -> None:
    """The other rules are in force; the publisher's journal has the sentence and not the value."""
    loaded = load(ssm)
    assert [rule.name for rule in loaded.ruleset.rules] == ["200-plain"]
    assert loaded.problems[0] == f"{PREFIX}/rules/100-secret: {SAYS}"
    out = io.StringIO()
    documents = ParameterSource(ssm, PREFIX).read()
    published = publication(
        documents, None, defaults=Settings(), now=datetime.now(UTC), forms=FormsInMemory()
    )
    assert [rule.name for rule in published.revision.rules] == ["200-plain"]
    PublisherJournal("publisher", "main", stream=out).refused(published.pointer)
    assert json.loads(out.getvalue())["problems"][0] == loaded.problems[0]


def test_secret_settings_are_named_to_intake_and_worker(ssm: "SSMClient") -> None:
    """Without earlier settings nothing is in force, as with any invalid settings."""
    ssm.put_parameter(Name=f"{PREFIX}/settings", Value="mode: shadow", Type="SecureString")
    with pytest.raises(SourceError, match=f"settings: {SAYS}"):
        load(ssm)
    source = SettingsSource(ssm, PREFIX)
    with pytest.raises(SourceError, match=f"settings: {SAYS}"):
        document_loader(source, Settings(), now=lambda: 0.0).load()


def test_replay_names_it(
    ssm: "SSMClient",  # noqa: ARG001  # it stands in for AWS
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Replay judges as the intake does, without that rule, and names it; its text is not shown."""
    (tmp_path / "a.eml").write_text("To: ann@example.com\nSubject: x\n\nx")
    assert cli.main(["replay", "--rules", f"ssm:{PREFIX}", str(tmp_path)]) == 0
    err = capsys.readouterr().err
    assert f"{PREFIX}/rules/100-secret: {SAYS}" in err
    assert f"{PREFIX}/rules/100-secret: this rule is left out; the publisher keeps" in err
    assert not [line for line in err.splitlines() if "100-secret" in line and "drop" in line]


def test_the_doctor_names_it() -> None:
    """Both kinds of documents, with what SSM returns in place of the text."""
    shown = [
        {"Name": f"{PREFIX}/{name}", "Value": CIPHERTEXT, "Type": "SecureString", "Version": 1}
        for name in ("rules/a", "settings")
    ]
    findings = found({"ssm.GetParametersByPath": {"Parameters": shown}})
    told = {(line.level, line.check, line.found) for line in findings}
    assert ("problem", "rules", f"{PREFIX}/rules/a: {SAYS}") in told
    assert ("problem", "settings", f"{PREFIX}/settings: {SAYS}") in told
    assert not [line for line in findings if CIPHERTEXT in line.found]
