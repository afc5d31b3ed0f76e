"""Operates the deployed stack by the commands of docs/deploy.md and docs/operations.md.

Each step brings about what a runbook is for, runs its commands and looks at the result.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bouncer.publishing.pushing import LONGEST, Pushing, pushing_document
from bouncer.sources.source import PUSHING
from bouncer_infra.deployment_settings import NAME_PREFIX, full_name
from bouncer_rehearsal.emulator import Emulator
from bouncer_rehearsal.parameter_changes import ParameterChanges
from bouncer_rehearsal.runbook_commands import RunbookCommands
from bouncer_rehearsal.story import Story, expect

_PAGES = ("deploy.md", "operations.md")
_OTHER_DOMAIN = "unused.example"
_SCRATCH = full_name("local-scratch")

# Commands that are not run here, by their beginnings, and why.
_NOT_RUN = {
    "aws cloudformation continue-update-rollback": "no rollback has failed",
    "cdk deploy --revert-drift": "the emulator does not look for drift",
}
# Documents beside the starter rules: each kind of file, and one beyond a standard parameter.
_FURTHER_RULES = {
    "960-short.yml": "mode: off\naccept: {}\n",
    "961-json.json": '{"mode": "off", "accept": {}}\n',
    "963-large-mail.yaml": (
        "when: {size: {over: 10MB}}\nreject: {type: MessageTooLarge, message: Too large.}\n"
    ),
    "962-large.yaml": f"description: {'long ' * 1000}\nmode: off\naccept: {{}}\n",
}


class Runbooks:
    """One walk through the runbooks; `outputs` are the stack's."""

    def __init__(
        self,
        root: Path,
        out: Path,
        *,
        aws: Emulator,
        story: Story,
        name: str,
        outputs: Mapping[str, str],
    ) -> None:
        self._aws = aws
        self._story = story
        self._outputs = outputs
        self._folder = out / "operator"
        self._folder.mkdir()
        self._rules = self._copy_rules(root / "rules")
        tools = (root / ".venv-emulator" / "bin", Path(sys.executable).parent)
        path = os.pathsep.join([*map(str, tools), aws.environment["PATH"]])
        self._commands = RunbookCommands(
            [root / "docs" / page for page in _PAGES],
            folder=self._folder,
            environment={**aws.environment, "PATH": path, "AWS_PAGER": ""},
            name=name,
            words={_capitals(key): value for key, value in outputs.items()},
        )
        self._run = self.run = self._commands.run
        self._changes = ParameterChanges(aws, outputs)
        shutil.copy(out / "cdk.json", self._folder)

    def _copy_rules(self, rules: Path) -> list[str]:
        """Copy the starter rules to where the operator works; return all rules' names."""
        copied = Path(shutil.copytree(rules, self._folder / "rules"))
        for name, text in _FURTHER_RULES.items():
            (copied / name).write_text(text, encoding="utf-8")
        return sorted(path.stem for path in copied.iterdir())

    def begin(self) -> None:
        """Write rules and settings for the first time, as docs/deploy.md says."""
        prefix = self._outputs["RulesPrefix"]
        with self._story.step("push rules by the command of docs/deploy.md"):
            expect("rules in force before", self._changes.revision().rules, ())
            shown = self.push()
            expect("the rules in SSM", self._parameters("rules/"), self._rules)
            expect("rules in force", self._in_force(), self._rules)
            pointer = self._changes.pointer()
            expect("the revision shown", pointer.revision in shown, True)
            expect("refused documents", pointer.problems, {})
            self._story.tell(f"{len(self._rules)} rules below {prefix}, one of more than 4 KB")
            self._story.tell(f"revision {pointer.revision:.12}, pointer {pointer.serial}")
        with self._story.step("write settings by the command of docs/deploy.md"):
            self._run("ssm get-parameter --name", "/settings", fails="ParameterNotFound")
            self._run("put-parameter", "/settings", "--value 'mode: enforce'")
            self._settings("mode: enforce")
        with self._story.step("change a rule by hand, and publish it by the event of its change"):
            name = f"{prefix}960-short"
            text = "description: changed by hand\nmode: off\naccept: {}\n"
            self._aws.client("ssm").put_parameter(Name=name, Value=text, Overwrite=True)
            changed = self._changes.announce(name)
            expect("another revision", changed.revision != pointer.revision, True)
            expect("the mode in force", changed.settings.mode, "enforce")
            self._story.tell(f"revision {changed.revision:.12}, pointer {changed.serial}")

    def push(self, *, prune: bool = False) -> str:
        """Push the operator's rules; return what the command writes."""
        return self._run(f"bouncer rules push rules {'--prune ' if prune else ''}--yes")

    def rule(self, name: str) -> Path:
        """Return the operator's file of a rule."""
        return self._folder / "rules" / f"{name}.yaml"

    def stop_and_redrive(self) -> None:
        """Take the runbooks that purge the queue of jobs."""
        self._take({"stop bouncing": self._stop, "dead letters": self._dead_letters})

    def operate(self) -> None:
        """Take all other runbooks, and leave the deployment as it was."""
        steps: dict[str, Callable[[], None]] = {
            "a bad rule, and one with another name": self._rule,
            "lists": self._lists,
            "failed events": self._failed_events,
            "replay stored mail": self._replay,
            "look at the stack, and lift its protection": self._stack,
            "repair": self._repair,
            "what is left by hand": self._left,
        }
        self._take(steps)
        with self._story.step("look for commands that were not run"):
            left = [
                each for each in self._commands.unused() if not each.startswith(tuple(_NOT_RUN))
            ]
            expect("commands of the pages that were not run", left, [])
            self._story.tell(f"{len(self._commands)} commands were run as they stand there, but:")
            for beginning, reason in _NOT_RUN.items():
                self._story.tell(f"  {beginning}: {reason}")

    def _take(self, steps: Mapping[str, Callable[[], None]]) -> None:
        for title, step in steps.items():
            with self._story.step(f"runbook: {title}"):
                step()

    def _stop(self) -> None:
        self._run("put-parameter", "/held")
        self._run("ssm delete-parameter", "/held")
        self._run("put-parameter", "sending: paused")
        self._settings("mode: enforce\nsending: paused")
        self._changes.publish()
        expect("sending is held", len(self._changes.pointer().causes), 1)
        self._run("put-parameter", "/settings", "--value 'mode: enforce'")
        self._settings("mode: enforce")
        self._changes.publish()
        expect("sending is held", len(self._changes.pointer().causes), 0)
        (uuid,) = json.loads(self._run("lambda list-event-source-mappings"))
        self._run("update-event-source-mapping", "--no-enabled", UUID=uuid)
        expect("the mapping's state", self._mapping(uuid), "Disabled")
        self.send("QueueUrl", "not a job")
        self._run("sqs purge-queue --queue-url QUEUE_URL")
        self._run("update-event-source-mapping", "--enabled", UUID=uuid)
        expect("the mapping's state", self._mapping(uuid), "Enabled")

    def _dead_letters(self) -> None:
        """Redrive a message; the mapping is stopped, so that it stays where it was moved to."""
        with self.worker_stopped():
            self.send("DeadLetterUrl", '{"v":1,')
            (message,) = self._messages("DEAD_LETTER_URL")
            expect("the dead letter", message["Body"], '{"v":1,')
            self._run("sqs start-message-move-task --source-arn DEAD_LETTER_ARN")
            (task,) = json.loads(self._run("sqs list-message-move-tasks"))["Results"]
            expect("messages moved", task["ApproximateNumberOfMessagesMoved"], 1)
            expect("dead letters", self.count("DeadLetterUrl"), 0)
            expect("jobs that wait", self.count("QueueUrl"), 1)
            self._run("sqs purge-queue --queue-url QUEUE_URL")
            self.send("DeadLetterUrl", "too old")
            self._run("sqs purge-queue --queue-url DEAD_LETTER_URL")
            self._run("sqs start-message-move-task --source-arn LOST_FEEDBACK_ARN")
            expect("dead letters", self.count("DeadLetterUrl"), 0)

    @contextmanager
    def worker_stopped(self) -> Iterator[None]:
        """Take no job from the queue for the length of a `with`."""
        (uuid,) = json.loads(self._run("lambda list-event-source-mappings"))
        functions = self._aws.client("lambda")
        functions.update_event_source_mapping(UUID=uuid, Enabled=False)
        yield
        functions.update_event_source_mapping(UUID=uuid, Enabled=True)

    def _rule(self) -> None:
        rule = self.rule("200-departed")
        text = rule.read_text(encoding="utf-8")
        rule.write_text(f"mode: shadow\n{text}", encoding="utf-8")
        shown = self._run("bouncer rules push rules --dry-run")
        expect("the difference", "    +mode: shadow" in shown.splitlines(), True)
        self.push()
        versions = json.loads(self._run("ssm get-parameter-history"))["Parameters"]
        expect("versions of the rule", len(versions), 2)
        self._give_up_a_push()
        renamed = {*self._rules, "210-departed"} - {"200-departed"}
        rule.rename(self.rule("210-departed"))
        self.push(prune=True)
        expect("the rules in SSM", self._parameters("rules/"), sorted(renamed))
        expect("the rules in force", self._in_force(), sorted(renamed))
        self.rule("200-departed").write_text(text, encoding="utf-8")
        self.push()
        self._run("ssm delete-parameter", "/rules/200-departed")
        self._run("aws lambda invoke --function-name PUBLISHER_ARN")
        expect("the rules in force", self._in_force(), sorted(renamed))

    def _lists(self) -> None:
        """Push a small list and an uploaded one, which no rule names, and take them away."""
        staff = self._folder / "staff-who-left.csv"
        staff.write_text("Name,Mail\nAnn,ann@example.com\n", encoding="utf-8")
        self._run("bouncer lists import")
        many = "".join(f"box{number}@example.com\n" for number in range(1000))
        (self._folder / "lists" / "many.txt").write_text(many, encoding="utf-8")
        before = self._changes.pointer().revision
        shown = self._run("bouncer lists push")
        expect("the lists in SSM", self._parameters("lists/"), ["departed", "many"])
        expect("the revision, as no rule names them", before in shown, True)
        s3, bucket = self._aws.client("s3"), self._outputs["RulesBucket"]
        (found,) = s3.list_objects_v2(Bucket=bucket, Prefix="uploads/")["Contents"]
        expect("the size of the upload", found["Size"], len(many))
        prefix = self._outputs["RulesPrefix"].removesuffix("rules/")
        names = [f"{prefix}lists/{name}" for name in ("departed", "many")]
        self._aws.client("ssm").delete_parameters(Names=names)

    def _give_up_a_push(self) -> None:
        """Leave another's push behind, which keeps the rules as they are until it is deleted."""
        name = self._outputs["RulesPrefix"].removesuffix("rules/") + PUSHING
        expires = datetime.now(UTC) + LONGEST
        text = pushing_document(Pushing("another", "bob", expires))
        self._aws.client("ssm").put_parameter(Name=name, Value=text, Type="String")
        self._run("ssm delete-parameter", "/pushing")

    def _in_force(self) -> list[str]:
        return sorted(rule.name for rule in self._changes.revision().rules)

    def _failed_events(self) -> None:
        """Keep an event in a queue of its own: this deployment's intake is waited for."""
        sqs = self._aws.client("sqs")
        url = sqs.create_queue(QueueName="failed")["QueueUrl"]
        event: dict[str, Any] = {"Records": []}
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"requestPayload": event}))
        (message,) = self._messages("FAILED_EVENTS_URL", FAILED_EVENTS_URL=url)
        payload = json.dumps(json.loads(message["Body"])["requestPayload"])
        (self._folder / "event.json").write_text(payload, encoding="utf-8")
        answer = json.loads(self._run("lambda invoke"))
        expect("the status of an event that is taken", answer["StatusCode"], 202)
        self._run("purge-queue --queue-url FAILED_EVENTS_URL", FAILED_EVENTS_URL=url)
        sqs.delete_queue(QueueUrl=url)

    def _replay(self) -> None:
        self._run("aws s3 sync")
        self._run("bouncer replay --rules ssm:")
        self._run("bouncer replay --rules rules mails/")
        self._story.tell(f"{len(list((self._folder / 'mails').iterdir()))} stored mails")

    def _stack(self) -> None:
        shown = json.loads(self._run("describe-stacks"))
        expect("the outputs", {each["OutputKey"] for each in shown}, set(self._outputs))
        self._run("describe-stack-events")
        stacks = self._aws.client("cloudformation").describe_stacks()["Stacks"]
        protected = [each for each in stacks if each.get("EnableTerminationProtection")]
        expect("protected stacks", len(protected), 1)
        self._run("update-termination-protection", " --no-enable")

    def _repair(self) -> None:
        """Delete by hand what CloudFormation can't see, and bring it back by the page."""
        ses, rule_set = self._aws.client("ses"), self._outputs["RuleSetName"]
        (rule,) = ses.describe_receipt_rule_set(RuleSetName=rule_set)["Rules"]
        ses.set_active_receipt_rule_set()
        ses.delete_receipt_rule_set(RuleSetName=rule_set)
        self._run("ses create-receipt-rule-set")
        self._run("ses create-receipt-rule --rule-set-name")
        self._run("ses set-active-receipt-rule-set")
        self._run("ses create-receipt-filter")
        (made,) = ses.describe_active_receipt_rule_set()["Rules"]
        invoked = rule["Actions"][-1:]  # the action before it stores the mail
        expect("the rule", made, {**rule, "Actions": invoked})
        ses.delete_receipt_rule(RuleSetName=rule_set, RuleName=rule["Name"])
        ses.create_receipt_rule(RuleSetName=rule_set, Rule=rule)

    def _left(self) -> None:
        """Look for what a removal leaves, and delete a bucket and an identity made for that."""
        identities, s3 = self._aws.client("sesv2"), self._aws.client("s3")
        identities.create_email_identity(EmailIdentity=_OTHER_DOMAIN)
        self._run("put-email-identity-configuration-set-attributes", DOMAIN=_OTHER_DOMAIN)
        found = identities.get_email_identity(EmailIdentity=_OTHER_DOMAIN)
        expect("its set", found["ConfigurationSetName"].startswith(NAME_PREFIX), True)
        self._run("sesv2 delete-email-identity", DOMAIN=_OTHER_DOMAIN)
        names = json.loads(self._run("get-parameters-by-path"))
        expect("parameters", len(names), len(self._rules) + 1)
        s3.create_bucket(Bucket=_SCRATCH)
        expect("a bucket is listed", _SCRATCH in self._run("aws s3 ls"), True)
        self._run("aws s3 rb", BUCKET=_SCRATCH)

    def _settings(self, expected: str) -> None:
        shown = self._run("ssm get-parameter --name", "/settings")
        expect("the settings", shown.strip(), expected)

    def _parameters(self, below: str) -> list[str]:
        prefix = self._outputs["RulesPrefix"].removesuffix("rules/") + below
        pages = self._aws.client("ssm").get_paginator("get_parameters_by_path")
        found = pages.paginate(Path=prefix, Recursive=True)
        names = [each["Name"] for page in found for each in page["Parameters"]]
        return sorted(name.removeprefix(prefix) for name in names)

    def _messages(self, queue: str, **words: str) -> list[dict[str, Any]]:
        text = self._run(f"sqs receive-message --queue-url {queue}", **words)
        messages: list[dict[str, Any]] = json.loads(text)["Messages"]
        return messages

    def _mapping(self, uuid: str) -> str:
        return str(self._aws.client("lambda").get_event_source_mapping(UUID=uuid)["State"])

    def send(self, output: str, body: str) -> None:
        """Put a message on the queue in an output of the stack."""
        self._aws.client("sqs").send_message(
            QueueUrl=self._outputs[output],
            MessageBody=body,
            MessageGroupId="bounces",
            MessageDeduplicationId=body.encode().hex(),
        )

    @property
    def folder(self) -> Path:
        """The folder in which the operator works."""
        return self._folder

    def output(self, name: str) -> str:
        """Return an output of the stack."""
        return self._outputs[name]

    def count(self, output: str) -> int:
        """Return the number of visible messages of the queue in an output of the stack."""
        answer = self._aws.client("sqs").get_queue_attributes(
            QueueUrl=self._outputs[output], AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def _capitals(output: str) -> str:
    """Return an output's name as the pages write it: QUEUE_ARN for QueueArn."""
    return "".join(f"_{char}" if char.isupper() else char.upper() for char in output).lstrip("_")
