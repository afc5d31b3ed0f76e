"""Lets a rule of the deployed stack pass its `at_most`, and releases it by the page."""

import time

from bouncer_rehearsal.emulator import Emulator
from bouncer_rehearsal.mails import Mails
from bouncer_rehearsal.operator_commands import NOTICED_S
from bouncer_rehearsal.parameter_changes import ParameterChanges
from bouncer_rehearsal.runbooks import Runbooks
from bouncer_rehearsal.story import Story, expect

_SAMPLES = ("01-unknown-mailbox", "03-departed-plus-tag", "07-closed-department")
_RULE = "100-brake"
_RECIPIENT = ("brake@example.com",)
_TEXT = """\
at_most: {bounces: 1, per: 1h}
when: {recipient: brake@example.com}
reject: {type: DoesNotExist}
"""
_LONGEST_WAIT_S = 60.0


class BrakedRule:
    """A rule that may send one bounce an hour, in the deployed stack."""

    def __init__(
        self,
        runbooks: Runbooks,
        mails: Mails,
        changes: ParameterChanges,
        *,
        aws: Emulator,
        story: Story,
    ) -> None:
        self._runbooks = runbooks
        self._mails = mails
        self._changes = changes
        self._ssm = aws.client("ssm")
        self._story = story

    def trip_and_release(self) -> None:
        """Send three mails to the rule: bounced, withheld as braked, and passed over."""
        parameter = f"{self._runbooks.output('RulesPrefix')}{_RULE}"
        with self._story.step("a rule passes its at_most"):
            self._ssm.put_parameter(Name=parameter, Type="String", Value=_TEXT)
            self._changes.publish()
            time.sleep(NOTICED_S)
            before = len(self._mails.sent)
            self._mails.deliver(_SAMPLES[0], _RECIPIENT)
            self._mails.wait(before + 1)
            delivery = self._mails.deliver(_SAMPLES[1], _RECIPIENT)
            line = self._mails.journal("withheld", delivery.message_id)
            expect("the reason", (line["reason"], line["cap"]), ("braked", f"{_RULE}: 1 in 1h"))
            self._wait_for_pointer()
            self._story.tell(f"{_RULE}: 1 bounce, then {line['reason']}; the pointer names it")
        with self._story.step("the next mail of a braked rule"):
            time.sleep(NOTICED_S)
            delivery = self._mails.deliver(_SAMPLES[2], _RECIPIENT)
            line = self._mails.journal("mail", delivery.message_id)
            expect("braked rules that were passed over", line["braked"], [_RULE])
            self._mails.wait(before + 2)  # by the rule for unknown mailboxes
            self._story.tell(f"decided by {line['decisions'][0]['rule']}")
        with self._story.step("bouncer rules release"):
            shown = self._runbooks.run("bouncer rules release", NAME=_RULE)
            expect("the rule is shown", f"braked:  {_RULE}" in shown, True)
            expect("braked rules", self._changes.pointer().braked, ())
            self._ssm.delete_parameter(Name=parameter)
            self._changes.publish()

    def _wait_for_pointer(self) -> None:
        """Wait until the publisher, which the worker has asked, names the rule."""
        ends = time.monotonic() + _LONGEST_WAIT_S
        while not self._changes.pointer().braked and time.monotonic() < ends:
            time.sleep(0.5)
        expect("braked rules", self._changes.pointer().braked, (_RULE,))
