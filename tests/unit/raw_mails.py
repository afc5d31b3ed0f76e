"""Builders for the tests of rawmail."""

from typing import Any

from bouncer.mail.message import Message, read_record
from bouncer_cli.raw_mail import Envelope, read_raw_mail

ID = "7m4nu9t1k8s0rawmail"


RECEIVED = (
    "Received: from mail.sender.example (mail.sender.example [203.0.113.7])\n"
    f" by inbound-smtp.us-east-1.amazonaws.com with SMTP id {ID}\n"
    " for ann@example.com;\n"
    " Mon, 02 Nov 2026 08:14:21 +0000 (UTC)\n"
)


RESULTS = (
    "Authentication-Results: amazonses.com;\n"
    " spf=pass (spfCheck: domain of sender.example) client-ip=203.0.113.7;"
    " envelope-from=bob@sender.example; helo=mail.sender.example;\n"
    " dkim=pass header.i=@sender.example;\n dmarc=pass header.from=sender.example;\n"
)


FROM_SES = (
    f"Return-Path: <bob@sender.example>\n{RECEIVED}"
    f"X-SES-Spam-Verdict: PASS\nX-SES-Virus-Verdict: PASS\n{RESULTS}"
    "X-SES-RECEIPT: AEF\nX-SES-DKIM-SIGNATURE: a=rsa-sha256; d=amazonses.com;\n"
)


WRITTEN = "From: Bob <bob@sender.example>\nTo: Team <team@example.com>\nSubject: Hello\n"


BODY = "\nHello.\n"


def record(text: str, envelope: Envelope | None = None) -> dict[str, Any]:
    """Return the record of a mail; its recipient is ann@example.com unless given."""
    given_ = envelope or Envelope(recipients=("ann@example.com",))
    return read_raw_mail(text.encode("utf-8", "surrogateescape"), given_).record


def read(text: str, envelope: Envelope | None = None) -> Message:
    """Return the message that a mail becomes."""
    return read_record(record(text, envelope))
