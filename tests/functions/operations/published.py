"""The publisher of the deployment that commands push to, and what they find in SSM."""

import io
import json
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from bouncer.errors import BouncerError
from bouncer.operator_settings import Settings
from bouncer.publisher import Publisher, Sources
from bouncer.publisher_journal import PublisherJournal
from bouncer.publishing.occasion import Scope
from bouncer.publishing.revision_store import RevisionStore
from bouncer.sources.parameters import ParameterSource, SettingsSource
from bouncer.sources.uploads import Uploads
from bouncer_cli.operations.operated_account import OperatedAccount
from bouncer_sim.clock import SystemClock, now
from tests.functions.operations.deployed import PREFIX, REGION, Deployed
from tests.functions.publisher.published_world import FakeBrakes

BUCKET = "rules-bucket"


class Published:
    """A publisher of the deployment, as Lambda invokes it, by `account.do`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, deployed: Deployed) -> None:
        deployed.outputs["PublisherArn"] = "arn:publisher"
        deployed.outputs["RulesBucket"] = BUCKET
        self.bucket: Any = boto3.client("s3")
        self.bucket.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        self.failure: dict[str, Any] | BaseException | None = None
        self.answers: list[dict[str, Any]] = []  # in place of its own
        self.invocations = 0
        ssm, fetch = deployed.ssm, Uploads(self.bucket, BUCKET).fetch
        self._publisher = Publisher(
            store=RevisionStore(self.bucket, BUCKET),
            sources=Sources(ParameterSource(ssm, PREFIX, fetch), SettingsSource(ssm, PREFIX)),
            ledger=FakeBrakes(),
            defaults=Settings(),
            journal=PublisherJournal("publisher", "p", stream=io.StringIO()),
            now=lambda: now(SystemClock()),
            pause=lambda: None,
        )
        do = OperatedAccount.do

        def invoke(account: OperatedAccount, service: str, operation: str, **given: Any) -> Any:
            if (service, operation) != ("lambda", "invoke"):
                return do(account, service, operation, **given)
            assert given["FunctionName"] == "arn:publisher"
            assert json.loads(given["Payload"]) == {"publish": "everything"}
            return self._answer()

        monkeypatch.setattr(OperatedAccount, "do", invoke)

    def _answer(self) -> dict[str, Any]:
        self.invocations += 1
        if isinstance(self.failure, BaseException):
            raise self.failure
        if self.failure:
            return self.failure
        try:
            pointer = self._publisher.publish(Scope.EVERYTHING)
        except BouncerError:
            return {"StatusCode": 200, "FunctionError": "Unhandled"}
        now = {"revision": pointer.revision, "problems": dict(pointer.problems)}
        answer = self.answers.pop(0) if self.answers else now
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answer).encode())}


def in_ssm(deployed: Deployed) -> dict[str, str]:
    found = deployed.ssm.get_parameters_by_path(Path=PREFIX, Recursive=True)["Parameters"]
    return {each["Name"].removeprefix(f"{PREFIX}/"): each["Value"] for each in found}


def failing(monkeypatch: pytest.MonkeyPatch, operation: str, error: BaseException) -> None:
    """Let one operation of every service fail, as the SDK raises it."""
    call = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001  # where the SDK meets the network

    def made(client: Any, name: str, given: Any) -> Any:
        if name == operation:
            raise error
        return call(client, name, given)

    monkeypatch.setattr(BaseClient, "_make_api_call", made)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "x")
