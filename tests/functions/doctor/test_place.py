"""The account and region that cdk.json names, beside those of the credentials and the options."""

import pytest

from bouncer_cli.doctor.examination import examine
from bouncer_cli.doctor.finding import Level
from bouncer_infra.deployment_settings import DeploymentSettings
from tests.functions.doctor.aws import INBOUND, NOW, Aws, deployment, lines


def place(wanted: DeploymentSettings, region: str | None, level: Level) -> str:
    """The first finding of a level, which is that about credentials or region."""
    session = Aws({}).session
    looked = examine(wanted, region=region, now=NOW, session=session, look_up=lambda _: (INBOUND,))
    return lines([*looked], level)[0]


def test_the_region_of_the_settings_holds() -> None:
    """Without an option; one that differs is reported before anything is looked for there."""
    wanted = deployment(region="us-east-1", account="123456789012")
    found = place(wanted, None, Level.OK)
    assert found.startswith("credentials: account 123456789012")
    assert found.endswith("in us-east-1")
    other = place(wanted, "eu-west-1", Level.PROBLEM)
    assert other == "region: region eu-west-1, and cdk.json says us-east-1"


@pytest.mark.parametrize("region", [None, "eu-west-1"])
def test_credentials_of_another_account_are_reported(
    region: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of that account is looked at."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    found = place(deployment(account="111122223333"), region, Level.PROBLEM)
    assert found == "credentials: account 123456789012, and cdk.json says 111122223333"
