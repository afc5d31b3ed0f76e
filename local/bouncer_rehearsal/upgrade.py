"""Rehearses an upgrade.

Deploys a frozen release, leaves work waiting, then deploys the present version over it.

What waits in the queues or is in flight, what the ledger has claimed and what the rules say must
survive: nothing is lost, replaced or bounced twice. The first step that shows something else ends
the rehearsal with one sentence.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bouncer_rehearsal.cdk_command import Cdk
from bouncer_rehearsal.emulated_region import emulated_region
from bouncer_rehearsal.emulator import ACCOUNT, REGION, Emulator
from bouncer_rehearsal.journey import (
    DOMAIN,
    NAME,
    SENDER,
    STACK,
    function_logs,
    settings,
    stack_resources,
)
from bouncer_rehearsal.mails import Mails
from bouncer_rehearsal.receipt_rules import Delivery
from bouncer_rehearsal.release import thaw
from bouncer_rehearsal.release_work import InFlight, ReleaseWork
from bouncer_rehearsal.runbook_commands import RunbookCommands
from bouncer_rehearsal.story import Story, expect
from bouncer_sim.fake_ses.server import FakeSes

_BEFORE = "02-left-the-company"
_DEAD, _DEAD_FOR = "05-answer-to-no-reply", ("no-reply@example.com",)
_WAITING = ("01-unknown-mailbox", "03-departed-plus-tag", "10-two-recipients-two-rules")
_CLAIMED = "12-crlf-line-endings"
_ACCEPTED = "04-existing-mailbox"
_PATIENCE_S = 60.0

# Resources that hold data or whose names operators use elsewhere.
_LASTING = {
    "AWS::DynamoDB::GlobalTable",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SES::ConfigurationSet",
    "AWS::SES::ReceiptRule",
    "AWS::SES::ReceiptRuleSet",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """Work that the release left: a mail that is claimed, a dead letter, a job in flight."""

    claimed: Delivery
    dead: str
    in_flight: InFlight


class Upgrade:
    """One rehearsal from the frozen `release`, for the checkout at `root`; logs go to `out`."""

    def __init__(self, *, release: Path, root: Path, out: Path, story: Story) -> None:
        self._release = release
        self._root = root
        self._out = out
        self._story = story

    def run(self) -> None:
        """All steps; whatever was started has ended when this returns or raises."""
        with emulated_region(
            self._root, self._out, domain=DOMAIN, settings=settings(), story=self._story
        ) as region:
            aws, cdk, ses = region.aws, region.cdk, region.ses
            mails = self._deploy_release(aws, cdk, ses)
            first = self._bounce_one(mails)
            work = _release_work(aws, self._outputs("frozen-outputs.json"))
            left = self._leave_work(aws, work, mails)
            lasting = _lasting(aws)
            with self._story.step("deploy the present version over it"):
                cdk.run("deploy", "--outputs-file", "outputs.json", "--output", "cdk.out")
                expect("what was replaced or removed", sorted(lasting - _lasting(aws)), [])
                self._story.tell(f"{len(lasting)} resources that hold something are the same")
            mails = self._mails(aws, ses)
            work.end_flight(left.in_flight)
            self._work_off(aws, mails, left)
            self._retry_dead_letter(aws, mails, left.dead)
            self._answer_nothing_twice(mails, first)

    def _deploy_release(self, aws: Emulator, cdk: Cdk, ses: FakeSes) -> Mails:
        name = self._release.name
        with self._story.step(f"lay out {name} as it was frozen"):
            architecture = settings()["architecture"]
            thaw(self._release, STACK, self._out / "frozen.out", architecture=architecture)
        with self._story.step(f"cdk bootstrap, cdk deploy of {name}"):
            cdk.bootstrap(f"aws://{ACCOUNT}/{REGION}")
            cdk.run("deploy", "--app", "frozen.out", "--outputs-file", "frozen-outputs.json")
            self._story.tell(f"{len(stack_resources(aws))} resources")
        with self._story.step("write its rules to SSM"):
            outputs = self._outputs("frozen-outputs.json")
            for rule in sorted((self._release / "rules").glob("*.yaml")):
                aws.client("ssm").put_parameter(
                    Name=f"{outputs['RulesPrefix']}{rule.stem}",
                    Value=rule.read_text(encoding="utf-8"),
                    Type="String",
                )
        return self._mails(aws, ses)

    def _mails(self, aws: Emulator, ses: FakeSes) -> Mails:
        samples = self._root / "local" / "bouncer_cli" / "samples"
        logs = function_logs(aws)
        return Mails(aws, ses, self._story, samples=samples, sender=SENDER, logs=logs)

    def _bounce_one(self, mails: Mails) -> Delivery:
        with self._story.step("a mail that it bounces"):
            delivery = mails.deliver(_BEFORE)
            expect("its disposition", delivery.dispositions, ("STOP_RULE_SET",))
            mails.wait(1)
            mails.settle()
        return delivery

    def _outputs(self, name: str) -> dict[str, str]:
        outputs: dict[str, dict[str, str]] = json.loads(
            (self._out / name).read_text(encoding="utf-8")
        )
        return outputs[STACK]

    def _leave_work(self, aws: Emulator, work: ReleaseWork, mails: Mails) -> _Left:
        """Queue jobs while nothing takes them, and leave some of them in the midst of it."""
        with self._story.step("stop the mapping and queue five jobs"):
            _enable(aws, enabled=False)
            for sample in (_DEAD, *_WAITING, _CLAIMED):
                delivery = mails.deliver(sample)
                expect(f"{sample}: disposition", delivery.dispositions, ("STOP_RULE_SET",))
            dead, in_flight = work.bury_first(), work.receive_first()
            work.claim(delivery)
            self._story.tell(f"{dead} is a dead letter, {in_flight.reference} is in flight")
            self._story.tell(f"{delivery.recipients[0]} is claimed, with an unknown outcome")
        return _Left(claimed=delivery, dead=dead, in_flight=in_flight)

    def _work_off(self, aws: Emulator, mails: Mails, left: _Left) -> None:
        with self._story.step("start the mapping: what waited is bounced, each once"):
            _enable(aws, enabled=True)
            mails.wait(1 + len(_WAITING))
            sent = mails.sent[1:]
            expect("bounces for jobs of the release", len(sent), len(_WAITING))
            bounced = [each for bounce in sent for each in bounce.recipients]
            claimed = [each for each in bounced if each in left.claimed.recipients]
            expect("recipients whose claim was held", claimed, [])
            self._story.tell(f"{len(sent)} bounced, that in flight among them")
            self._story.tell("the claimed one was not sent again")

    def _retry_dead_letter(self, aws: Emulator, mails: Mails, dead: str) -> None:
        with self._story.step("bouncer jobs list and retry, for the dead letter of the release"):
            operator = self._operator(aws)
            rows = operator.run("bouncer jobs list").splitlines()[1:]
            expect("dead letters listed", [row.split()[0] for row in rows], [dead])
            before = len(mails.sent)
            operator.run("bouncer jobs retry REFERENCE", REFERENCE=dead)
            sent = mails.wait(before + 1)
            expect("its recipients", sent.recipients, _DEAD_FOR)
            mails.settle(withheld=1)
            expect("bounces since then", len(mails.sent) - before, 1)
            self._story.tell(f"{dead} was listed, put back, and bounced once")

    def _operator(self, aws: Emulator) -> RunbookCommands:
        """Return the commands of docs/operations.md, for the upgraded stack."""
        path = os.pathsep.join([str(Path(sys.executable).parent), aws.environment["PATH"]])
        return RunbookCommands(
            [self._root / "docs" / "operations.md"],
            folder=self._out,
            environment={**aws.environment, "PATH": path},
            name=NAME,
            words={},
        )

    def _answer_nothing_twice(self, mails: Mails, first: Delivery) -> None:
        with self._story.step("the first mail again, and one that the rules accept"):
            before = len(mails.sent)
            expect("its message id", mails.deliver(_BEFORE).message_id, first.message_id)
            mails.settle(withheld=1)
            expect("further bounces", len(mails.sent) - before, 0)
            expect("disposition", mails.deliver(_ACCEPTED).dispositions, ("CONTINUE",))


def _release_work(aws: Emulator, outputs: Mapping[str, str]) -> ReleaseWork:
    (table,) = _names(aws, "AWS::DynamoDB::GlobalTable")
    return ReleaseWork(
        aws, jobs_url=outputs["QueueUrl"], dead_url=outputs["DeadLetterUrl"], table=table
    )


def _enable(aws: Emulator, *, enabled: bool) -> None:
    """Start or stop the mapping of the queue of jobs, the only FIFO queue that one is of."""
    functions = aws.client("lambda")
    (uuid,) = [
        name
        for name in _names(aws, "AWS::Lambda::EventSourceMapping")
        if functions.get_event_source_mapping(UUID=name)["EventSourceArn"].endswith(".fifo")
    ]
    functions.update_event_source_mapping(UUID=uuid, Enabled=enabled)
    until = time.monotonic() + _PATIENCE_S
    wanted = "Enabled" if enabled else "Disabled"
    while functions.get_event_source_mapping(UUID=uuid)["State"] != wanted:
        if time.monotonic() > until:
            expect("the mapping's state", "neither", wanted)
        time.sleep(0.2)


def _names(aws: Emulator, kind: str) -> list[str]:
    found = stack_resources(aws)
    return [each["PhysicalResourceId"] for each in found if each["ResourceType"] == kind]


def _lasting(aws: Emulator) -> set[str]:
    """Every resource that must outlive an upgrade, by type and physical id."""
    return {
        f"{each['ResourceType']} {each['PhysicalResourceId']}"
        for each in stack_resources(aws)
        if each["ResourceType"] in _LASTING
    }
