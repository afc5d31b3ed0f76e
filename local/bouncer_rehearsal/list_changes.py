"""Changes a list in SSM and in an upload: the revision moves, and the next mail is judged by it."""

import time
from collections.abc import Mapping
from hashlib import sha256

from bouncer.sources.source import LISTS, RULES
from bouncer_rehearsal.emulator import Emulator
from bouncer_rehearsal.mails import Mails
from bouncer_rehearsal.operator_commands import NOTICED_S
from bouncer_rehearsal.parameter_changes import ParameterChanges
from bouncer_rehearsal.story import Story, expect

_MAIL, _RECIPIENT = "04-existing-mailbox", "info@example.com"
_LIST, _RULE = "rehearsal", "000-rehearsal"
_KEY = "uploads/rehearsal.csv"


class ListChanges:
    """One list and the rule that asks it; both are gone in the end."""

    def __init__(
        self, aws: Emulator, mails: Mails, *, story: Story, outputs: Mapping[str, str]
    ) -> None:
        self._aws = aws
        self._mails = mails
        self._story = story
        self._bucket = outputs["RulesBucket"]
        self._prefix = outputs["RulesPrefix"].removesuffix(RULES)
        self._changes = ParameterChanges(aws, outputs)

    def change(self) -> None:
        """Write the list in a parameter, then in an upload, then not at all."""
        with self._story.step("a list changes in SSM"):
            self._put(f"{RULES}{_RULE}", f"when: {{recipient: {{in: {_LIST}}}}}\ndrop: {{}}")
            self._judged("no list", "CONTINUE")
            self._put(f"{LISTS}{_LIST}", f"entries: [{_RECIPIENT}]")
            self._judged("the recipient on it", "STOP_RULE_SET")
        with self._story.step("a list changes in an upload"):
            self._upload("ann@example.com")
            self._judged("somebody else on it", "CONTINUE")
            self._upload(f"ann@example.com\n{_RECIPIENT}")
            self._judged("the recipient on it again", "STOP_RULE_SET")
            self._aws.client("s3").delete_object(Bucket=self._bucket, Key=_KEY)
            self._put(f"{LISTS}{_LIST}", self._pointing("missing"), problems=1)
            self._judged("the upload missing, so that the list stays", "STOP_RULE_SET")
        with self._story.step("list and rule are deleted"):
            for name in (f"{RULES}{_RULE}", f"{LISTS}{_LIST}"):
                self._aws.client("ssm").delete_parameter(Name=f"{self._prefix}{name}")
            self._changes.publish()
            expect("lists in force", dict(self._changes.revision().lists), {})
            self._judged("neither of them", "CONTINUE")

    def _put(self, name: str, text: str, *, problems: int = 0) -> None:
        """Write a parameter, and wait for the pointer that its event moves."""
        path = f"{self._prefix}{name}"
        ssm = self._aws.client("ssm")
        ssm.put_parameter(Name=path, Value=text, Type="String", Overwrite=True)
        pointer = self._changes.announce(path)
        expect("refused documents", len(pointer.problems), problems)

    def _upload(self, text: str) -> None:
        self._aws.client("s3").put_object(Bucket=self._bucket, Key=_KEY, Body=text.encode())
        self._put(f"{LISTS}{_LIST}", self._pointing(text))

    def _pointing(self, text: str) -> str:
        digest, count = sha256(text.encode()).hexdigest(), text.count("\n") + 1
        return f"upload: {{key: {_KEY}, sha256: {digest}, count: {count}}}"

    def _judged(self, words: str, disposition: str) -> None:
        time.sleep(NOTICED_S)
        expect(
            f"the disposition with {words}", self._mails.deliver(_MAIL).dispositions, (disposition,)
        )
        self._story.tell(f"{words}: {disposition}, revision {self._changes.pointer().revision:.12}")
