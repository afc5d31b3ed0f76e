"""Sends the daily report from the deployed function, and prints it by the command of the pages.

The emulator evaluates no query of Logs Insights: the report says so, and is sent all the same.
"""

import json
from typing import Any

from bouncer.function_limits import REPORT_SCHEDULED
from bouncer_rehearsal.emulator import Emulator
from bouncer_rehearsal.parameter_changes import ParameterChanges
from bouncer_rehearsal.runbooks import Runbooks
from bouncer_rehearsal.story import Story, expect

RECEIVER = "ops@example.com"
_PAYLOAD = json.dumps({REPORT_SCHEDULED: "2026-11-28T06:00:00Z"})


class DailyReport:
    """The report of the deployed stack; `function` is the name of the reporter."""

    def __init__(
        self,
        runbooks: Runbooks,
        changes: ParameterChanges,
        function: str,
        *,
        aws: Emulator,
        story: Story,
    ) -> None:
        self._runbooks = runbooks
        self._changes = changes
        self._function = function
        self._aws = aws
        self._story = story

    def mail_and_print(self) -> None:
        """Invoke the function twice, read its one mail, and compare the command's text with it."""
        with self._story.step("the daily report, asked for twice"):
            first, second = self._invoke(), self._invoke()
            expect("the states", [first["state"], second["state"]], ["sent", "sent"])
            (mail,) = [each for each in self._aws.mails() if RECEIVER in each["To"]]
            expect("its id", mail["MessageId"], first["mail_id"])
            self._expect_revision(mail["BodyText"])
            self._story.tell(mail["Subject"])
        with self._story.step("bouncer report --days 7"):
            shown = self._runbooks.run("bouncer report --days 7")
            self._expect_revision(shown)
            self._story.tell(shown.splitlines()[0])

    def _invoke(self) -> dict[str, Any]:
        answer = self._aws.client("lambda").invoke(FunctionName=self._function, Payload=_PAYLOAD)
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        expect("an error of the reporter", answer.get("FunctionError"), None)
        return found

    def _expect_revision(self, text: str) -> None:
        revision = self._changes.pointer().revision
        expect("the revision in force", f"revision {revision:.12}, mode" in text, True)
