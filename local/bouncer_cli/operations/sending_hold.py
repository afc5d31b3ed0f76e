"""Holds and resumes the sending of a deployment: writes and removes its parameter `held`.

Each is one call of SSM, so that a command that was interrupted is run again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bouncer.held import GOES_ON_AFTER, Held, shown_time
from bouncer.held_document import held_document, read_held
from bouncer.sending.delays import LONGEST_DELAY_S
from bouncer.sources.loaded import Loaded
from bouncer.sources.source import HELD, SETTINGS
from bouncer.worker import LAST_CALL_S
from bouncer_cli.doctor.account import NotFoundError, UnavailableError
from bouncer_cli.operations.operated_account import OperationError
from bouncer_cli.operations.operated_deployment import OperatedDeployment

_PAUSED = re.compile(r"^sending:[ \t]*[\"']?paused[\"']?[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingHold:
    """The hold on a deployment's sending: by its parameter `held`, its settings, both or nothing.

    `paused` is `sending: paused` in the parameter `settings` or in the deployment's own settings.
    """

    deployment: OperatedDeployment
    loaded: Loaded
    held: Held | None
    paused: Held | None

    @property
    def parameter(self) -> str:
        """The name of the parameter that holds sending."""
        return f"{self.deployment.prefix}/{HELD}"

    def lines(self) -> Iterator[str]:
        """Yield a line for each cause, with the document that has to change."""
        for cause in self.loaded.causes:
            yield f"held:    {cause.document}: {cause}"
        for problem in self.loaded.problems:
            yield f"problem: {problem}"

    def pausing(self, now: datetime) -> Iterator[str]:
        """Yield what holding sending from now on will do."""
        longest_s = self.loaded.settings.cache_s + LAST_CALL_S
        yield f"pause:   writes {self.parameter}"
        yield f"         after {longest_s} s at the latest no bounce is sent"
        yield "         jobs wait in the queue, each until 24 hours after its mail"
        goes_on = shown_time(now + GOES_ON_AFTER)
        yield f"         mail is stopped as ever until {goes_on};"
        yield "         after that, mail goes on that would be bounced (docs/flow.md#held)"

    def resuming(self) -> Iterator[str]:
        """Yield what the removal of the parameter will do."""
        longest_s = self.loaded.settings.cache_s + LONGEST_DELAY_S
        yield f"resume:  deletes {self.parameter}"
        if self.paused is None:
            pace = f"{self.loaded.settings.rate:g} a second"
            yield f"         within {longest_s} s the jobs that wait are sent, {pace};"
            yield "         those that have expired end as withheld"

    def hold(self, *, now: datetime, why: str) -> bool:
        """Write the parameter; returns False if somebody else wrote it first.

        A write whose answer was lost is repeated by the SDK, and then finds its own. Raises
        `OperationError` for a deployment that would not read it.
        """
        self.expect_a_reader()
        text = held_document(since=now, by=self._caller(), why=why)
        account = self.deployment.account
        try:
            account.do("ssm", "put_parameter", Name=self.parameter, Type="String", Value=text)
        except UnavailableError:
            found = sending_hold(self.deployment).held
            if found is None:
                raise
            return found == read_held(text, document=self.parameter)
        return True

    def expect_a_reader(self) -> None:
        """Raise `OperationError` if the functions are of a version that ignores the parameter."""
        if not self.deployment.reads_held:
            raise OperationError(
                f"stack {self.deployment.stack.name}: found no output HeldParameter, expected a "
                f"version that reads {self.parameter}: run cdk deploy, or write sending: paused "
                f"into {self.deployment.prefix}/{SETTINGS}"
            )

    def resume(self) -> None:
        """Delete the parameter; it may be gone already."""
        self.deployment.account.do("ssm", "delete_parameters", Names=[self.parameter])

    def _caller(self) -> str:
        try:
            answer = self.deployment.account.ask("sts", "get_caller_identity")
        except (NotFoundError, UnavailableError):
            return "bouncer pause"
        return str(answer.get("Arn") or "bouncer pause")

    def way_out(self) -> Iterator[str]:
        """Yield how to end `sending: paused`: the document to change, and a command if there is."""
        if self.paused is None:
            return
        parameter = f"{self.deployment.prefix}/{SETTINGS}"
        if self.paused.document != parameter:
            yield (
                "sending is paused by the settings that the deployment has: set sending: on in "
                "context.bouncer.settings of cdk.json and run cdk deploy"
            )
            return
        yield f"sending is paused by {parameter}: set sending: on there"
        if changed := self._resumed_settings(parameter):
            put = "aws ssm put-parameter --type String --overwrite"
            yield f"    {put} --name {parameter} --value {_quoted(changed)}"

    def _resumed_settings(self, parameter: str) -> str | None:
        """Return the settings with `sending: on`, if they say `sending: paused` on one line."""
        answer = self.deployment.account.do("ssm", "get_parameters", Names=[parameter])
        texts = [each["Value"] for each in answer["Parameters"] if each["Type"] == "String"]
        changed, count = _PAUSED.subn("sending: on", texts[0]) if texts else ("", 0)
        return changed.strip("\n") if count == 1 else None


def sending_hold(deployment: OperatedDeployment) -> SendingHold:
    """Return what holds sending now; raises what `OperatedDeployment.loaded` raises."""
    loaded = deployment.loaded()
    parameter = f"{deployment.prefix}/{HELD}"
    ours = [cause for cause in loaded.causes if cause.document == parameter]
    settings = [cause for cause in loaded.causes if cause.document != parameter]
    return SendingHold(
        deployment=deployment,
        loaded=loaded,
        held=next(iter(ours), None),
        paused=next(iter(settings), None),
    )


def _quoted(text: str) -> str:
    """Return a text as one word of bash, on one line."""
    escapes = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return "$'" + "".join(escapes.get(letter, letter) for letter in text) + "'"
