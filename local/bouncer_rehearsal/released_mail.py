"""Brings back a stopped mail by the commands of docs/operations.md, and completes cut headers."""

import re
from pathlib import Path

from bouncer.sources.stopped_mail import read_key
from bouncer_rehearsal.emulator import Emulator
from bouncer_rehearsal.mails import ACCEPTED, BOUNCED, Mails
from bouncer_rehearsal.runbooks import Runbooks
from bouncer_rehearsal.story import Story, expect

_LONG = "19-huge-headers"
_ID = re.compile(rb"( with SMTP id )\w{5}(\w+)")
_LINE = b"x" * 78 + b"\r\n"
_THEIRS = "ses-auto-bouncer-released"


class ReleasedMail:
    """One run of `bouncer mail` in the deployed stack; the operator works in `folder`."""

    def __init__(
        self, runbooks: Runbooks, mails: Mails, *, aws: Emulator, folder: Path, story: Story
    ) -> None:
        self._run = runbooks.run
        self._mails = mails
        self._s3 = aws.client("s3")
        self._folder = folder
        self._story = story

    def complete_headers(self) -> None:
        """Have SES receive a mail with more headers than it passes on."""
        with self._story.step("a mail whose headers SES cuts"):
            delivery = self._mails.deliver(_LONG)
            expect("its disposition", delivery.dispositions, ("STOP_RULE_SET",))
            line = self._mails.journal("mail", delivery.message_id)
            expect("its headers are completed", line.get("headers_completed"), True)
            (decision,) = line["decisions"]
            expect("the reason, which stands behind the cut", decision["withheld"], "lists")
            kept = read_key(line["kept"])
            expect("the key of the copy names it", kept and kept.message_id, delivery.message_id)
            self._story.tell(f"{_LONG}: completed from its copy, withheld: {decision['withheld']}")

    def reject_by_size(self) -> None:
        """Have SES receive a mail of 12 MB, which nothing but its size forbids."""
        with self._story.step("a mail that is rejected by its size"):
            before = len(self._mails.sent)
            raw = _ID.sub(rb"\g<1>large\g<2>", self._mails.raw(ACCEPTED), 1)
            delivery = self._mails.deliver_raw(raw + _LINE * (12_000_000 // len(_LINE)))
            expect("its disposition", delivery.dispositions, ("STOP_RULE_SET",))
            (decision,) = self._mails.journal("mail", delivery.message_id)["decisions"]
            expect("its rule", decision["rule"], "963-large-mail")
            bounce = self._mails.wait(before + 1)
            self._story.tell(f"{', '.join(bounce.recipients)}: 12 MB, bounced as too large")

    def release(self) -> None:
        """Release the mail that the journey has bounced, into places of every kind."""
        raw = self._mails.raw(BOUNCED)
        with self._story.step("bouncer mail list, get and release"):
            listed = self._run("bouncer mail list --rule")
            reference = listed.splitlines()[1].split()[2]
            shown = self._run("bouncer mail list REFERENCE", REFERENCE=reference)
            rows = [line.split()[2] for line in shown.splitlines()[1:]]
            expect("the references shown", set(rows), {reference})
            self._run("bouncer mail get REFERENCE", REFERENCE=reference)
            expect("the mail", (self._folder / "mail.eml").read_bytes(), raw)
            for name in ("cur", "new"):
                (self._folder / "Maildir" / name).mkdir(parents=True)
            self._run("bouncer mail release REFERENCE --to Maildir", REFERENCE=reference)
            (delivered,) = (self._folder / "Maildir" / "new").iterdir()
            expect("the mail in the Maildir", delivered.read_bytes(), raw)
            self._run("bouncer mail release --rule 200-departed", "released.mbox")
            again = self._run("bouncer mail release --rule 200-departed", "released.mbox")
            expect("mails released twice", again.count(": released"), 0)
            mbox = (self._folder / "released.mbox").read_bytes()
            (released,) = re.split(rb"(?m)^From .*\n", mbox)[1:]
            plain = re.sub(rb"(?m)^>(>*From )", rb"\1", released).removesuffix(b"\n")
            expect("the mail in the mbox", plain, raw)
            self._run("bouncer replay --rules rules released.mbox")
            self._into_a_bucket(raw)
            self._story.tell(f"{reference}: in a file, a Maildir, an mbox and a bucket, unchanged")

    def _into_a_bucket(self, raw: bytes) -> None:
        self._s3.create_bucket(Bucket=_THEIRS)
        self._run("bouncer mail release --rule", "s3://", BUCKET=_THEIRS, PREFIX="inbox")
        (found,) = self._s3.list_objects_v2(Bucket=_THEIRS)["Contents"]
        key = found["Key"]
        body = self._s3.get_object(Bucket=_THEIRS, Key=key)["Body"].read()
        expect("the mail in the bucket", body, raw)
        self._s3.delete_object(Bucket=_THEIRS, Key=key)
        self._s3.delete_bucket(Bucket=_THEIRS)
