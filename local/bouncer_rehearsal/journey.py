"""The journey: deploy into the emulator, send mail in, read what comes out, operate, remove all.

Every step checks what it reports; the first that finds something else ends the journey with one
sentence. The mails are shipped samples, the rules are the starter rules, the operator's commands
those of the pages.
"""

import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bouncer.errors import BouncerError
from bouncer.function_limits import PRODUCT
from bouncer_infra.deployment_settings import full_name
from bouncer_rehearsal.automatic_replies import REPLY_SENDER, AutomaticReplies, put_in_force
from bouncer_rehearsal.braked_rule import BrakedRule
from bouncer_rehearsal.cdk_command import Cdk
from bouncer_rehearsal.daily_report import RECEIVER, DailyReport
from bouncer_rehearsal.destination_changes import DestinationChanges, first_settings
from bouncer_rehearsal.emulated_region import emulated_region
from bouncer_rehearsal.emulator import ACCOUNT, REGION, Emulator
from bouncer_rehearsal.feedback_events import FeedbackEvents
from bouncer_rehearsal.inventory import inventory
from bouncer_rehearsal.list_changes import ListChanges
from bouncer_rehearsal.mails import Mails
from bouncer_rehearsal.operator_commands import OperatorCommands
from bouncer_rehearsal.organization import AskedFor, encrypt_anew
from bouncer_rehearsal.parameter_changes import ParameterChanges
from bouncer_rehearsal.released_mail import ReleasedMail
from bouncer_rehearsal.runbooks import Runbooks
from bouncer_rehearsal.story import Story, expect
from bouncer_sim.fake_ses.server import FakeSes

DOMAIN = "example.com"  # the starter rules' own
SENDER = f"mailer-daemon@{DOMAIN}"
NAME = "local"
STACK = full_name(NAME)
_CACHE_S = 3  # a command that changes a document takes effect within seconds

_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def settings() -> dict[str, Any]:
    """Return settings that use what a deployment can have, on this machine's architecture."""
    machine = platform.machine().lower()
    if platform.system() != "Linux" or machine not in _ARCHITECTURES:
        raise BouncerError(
            f"found {platform.system()} on {machine}, expected Linux on x86_64 or arm64: the "
            "functions are bundled for Lambda and run as they are"
        )
    return {
        "name": NAME,
        "recipients": [DOMAIN],
        "bounce_sender": SENDER,
        "rule_set": "local-rules",
        "create_rule_set": True,
        "activate_rule_set": True,
        "attach_configuration_set": True,
        "store": {"prefix": "mail/"},
        "ip_filters": [{"block": "192.0.2.66/32"}],
        "architecture": _ARCHITECTURES[machine],
        "reply_senders": [REPLY_SENDER],
        "report": {"to": [RECEIVER], "timezone": "Europe/Berlin"},
        "settings": {"cache": _CACHE_S},
    }


class Journey:
    """One run for the checkout at `root`; logs, templates and bounces go to `out`."""

    def __init__(self, *, root: Path, out: Path, story: Story) -> None:
        self._root = root
        self._out = out
        self._story = story

    def run(self) -> None:
        """Take all steps; every process that was started has ended when this returns or raises."""
        wanted = {**settings(), **first_settings()}
        with emulated_region(
            self._root,
            self._out,
            domain=DOMAIN,
            settings=wanted,
            story=self._story,
            organized=True,
        ) as region:
            destinations = DestinationChanges(
                region.aws, own=STACK, sender=SENDER, story=self._story
            )
            destinations.prepare()
            before = self._deploy(region.aws, region.cdk)
            AskedFor(region.aws, STACK, self._story, region.settings).find()
            runbooks = Runbooks(
                self._root,
                self._out,
                aws=region.aws,
                story=self._story,
                name=NAME,
                outputs=self._outputs(),
            )
            put_in_force(runbooks)
            runbooks.begin()
            self._show_rule(region.aws, wanted)
            mails = self._mails(region.aws, region.ses)
            replies = AutomaticReplies(
                runbooks, mails, aws=region.aws, own=STACK, story=self._story
            )
            replies.reply()
            outputs = self._outputs()
            ListChanges(region.aws, mails, story=self._story, outputs=outputs).change()
            operator = OperatorCommands(runbooks, mails, aws=region.aws, story=self._story)
            released = ReleasedMail(
                runbooks, mails, aws=region.aws, folder=runbooks.folder, story=self._story
            )
            released.complete_headers()
            released.reject_by_size()
            released.release()
            feedback = FeedbackEvents(runbooks, mails, aws=region.aws, story=self._story)
            feedback.suppress_and_forget()
            feedback.trip_the_breaker()
            changes = ParameterChanges(region.aws, self._outputs())
            brake = BrakedRule(runbooks, mails, changes, aws=region.aws, story=self._story)
            brake.trip_and_release()
            runbooks.stop_and_redrive()
            operator.push_rules()
            operator.work_on_dead_letters()
            operator.hold_and_resume()
            operator.write_a_folder()
            replies.retry()
            encrypt_anew(runbooks, self._story, region.settings["kms_key"])
            reporter = reporter_name(region.aws)
            report = DailyReport(runbooks, changes, reporter, aws=region.aws, story=self._story)
            report.mail_and_print()
            runbooks.operate()
            archive = self._outputs()["ArchiveBucket"]
            destinations.publish(archive)
            unprotected = {**region.settings, "termination_protection": False}  # as it is by now
            destinations.change(region.cdk, unprotected, archive)
            operator.wait_for_the_bounce()
            self._doctor(region.aws)
            self._destroy(region.aws, region.cdk, before)

    def _deploy(self, aws: Emulator, cdk: Cdk) -> frozenset[str]:
        """Deploy and compare; returns the inventory from before."""
        with self._story.step("cdk bootstrap"):
            cdk.bootstrap(f"aws://{ACCOUNT}/{REGION}")
        before = inventory(aws)
        with self._story.step("cdk deploy"):
            cdk.run("deploy", "--outputs-file", "outputs.json", "--output", "cdk.out")
            self._story.tell(self._resources(aws))
        with self._story.step("cdk diff, synthesised and bundled anew"):
            cdk.run("diff", "--fail", "--output", "again.out")
            self._story.tell("no difference")
        return before

    def _resources(self, aws: Emulator) -> str:
        found = stack_resources(aws)
        ready = [each for each in found if each["ResourceStatus"] == "CREATE_COMPLETE"]
        expect("resources created", len(ready), len(found))
        return f"{len(found)} resources of {len({each['ResourceType'] for each in found})} types"

    def _outputs(self) -> Mapping[str, str]:
        text = (self._out / "outputs.json").read_text(encoding="utf-8")
        outputs: dict[str, str] = json.loads(text)[STACK]
        return outputs

    def _show_rule(self, aws: Emulator, wanted: Mapping[str, Any]) -> None:
        with self._story.step("read the receipt rule that is in force"):
            (rule,) = aws.client("ses").describe_active_receipt_rule_set()["Rules"]
            expect("its name", rule["Name"], full_name(NAME))
            expect("its recipients", rule["Recipients"], wanted["recipients"])
            expect("enabled and scanning", (rule["Enabled"], rule["ScanEnabled"]), (True, True))
            kinds = [kind for action in rule["Actions"] for kind in action]
            expect("its actions in order", kinds, ["S3Action", "LambdaAction"])
            store, invoke = rule["Actions"][0]["S3Action"], rule["Actions"][1]["LambdaAction"]
            expect("its prefix", store["ObjectKeyPrefix"], wanted["store"]["prefix"])
            expect("its invocation type", invoke["InvocationType"], "RequestResponse")
            self._story.tell(
                f"{rule['Name']} for {', '.join(rule['Recipients'])}: store below "
                f"{store['ObjectKeyPrefix']}, then invoke {invoke['FunctionArn'].split(':')[-1]} "
                f"({invoke['InvocationType']})"
            )

    def _mails(self, aws: Emulator, ses: FakeSes) -> Mails:
        logs = function_logs(aws)
        samples = self._root / "local" / "bouncer_cli" / "samples"
        mails = Mails(aws, ses, self._story, samples=samples, sender=SENDER, logs=logs)
        mails.send()
        return mails

    def _doctor(self, aws: Emulator) -> None:
        with self._story.step("bouncer doctor"):
            command = [sys.executable, "-m", "bouncer_cli.command_line", "doctor"]
            done = subprocess.run(  # noqa: S603  # our own command
                [*command, "--format", "json", "--settings", str(self._out / "cdk.json")],
                env=dict(aws.environment),
                capture_output=True,
                text=True,
                check=False,
            )
            findings = [json.loads(line) for line in done.stdout.splitlines()]
            problems = [
                f"{each['check']}: {each['found']}"
                for each in findings
                if each["level"] == "problem"
            ]
            expect("problems", problems, [])
            expect(f"exit status ({done.stderr.strip()})", done.returncode, 0)
            self._story.tell(
                f"{len(findings)} findings, no problem; warnings for what the emulator lacks:"
            )
            for finding in findings:
                if finding["level"] != "ok":
                    self._story.tell(f"  {finding['check']}: {finding['found']}")

    def _destroy(self, aws: Emulator, cdk: Cdk, before: frozenset[str]) -> None:
        with self._story.step("cdk destroy"):
            kept = self._meant_to_stay(aws)
            cdk.run("destroy", "--force", "--app", "cdk.out")
            left = inventory(aws) - before
            expect("resources left that should be gone", sorted(left - kept), [])
            expect("resources gone that should have stayed", sorted(kept - left), [])
            others = sorted(thing for thing in kept if not thing.startswith("parameter "))
            self._story.tell(f"left, as meant: the {len(kept) - len(others)} rules and")
            for thing in others:
                self._story.tell(f"  {thing}")

    def _meant_to_stay(self, aws: Emulator) -> frozenset[str]:
        """Return the resources that the template retains, and the rules of the operator."""
        (path,) = (self._out / "cdk.out").glob(f"{STACK}.template.json")
        template = json.loads(path.read_text(encoding="utf-8"))["Resources"]
        kinds = {"AWS::S3::Bucket": "bucket", "AWS::SES::ReceiptRuleSet": "receipt rule set"}
        retained = {
            f"{kinds[each['ResourceType']]} {each['PhysicalResourceId']}"
            for each in stack_resources(aws)
            if each["ResourceType"] in kinds
            and template[each["LogicalResourceId"]]["DeletionPolicy"].startswith("Retain")
        }
        return frozenset(retained) | {
            thing for thing in inventory(aws) if thing.startswith(f"parameter /{PRODUCT}/")
        }


def function_logs(aws: Emulator) -> list[str]:
    """The log groups of the functions that see mail, or what came of it."""
    return [
        each["PhysicalResourceId"]
        for each in stack_resources(aws)
        if each["ResourceType"] == "AWS::Logs::LogGroup"
        and each["LogicalResourceId"].startswith(("Intake", "Worker", "Feedback", "Replies"))
    ]


def reporter_name(aws: Emulator) -> str:
    """The name of the function that sends the daily report."""
    (name,) = (
        each["PhysicalResourceId"]
        for each in stack_resources(aws)
        if each["LogicalResourceId"].startswith("ReporterFunction")
    )
    return str(name)


def stack_resources(aws: Emulator) -> list[dict[str, Any]]:
    """The resources of the deployed stack, as CloudFormation lists them."""
    pages = aws.client("cloudformation").get_paginator("list_stack_resources")
    return [
        each for page in pages.paginate(StackName=STACK) for each in page["StackResourceSummaries"]
    ]
