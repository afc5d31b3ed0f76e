"""Folders are read as people have them, and what is not a mail is counted."""

from pathlib import Path

from bouncer_cli.mail_files import read_items
from bouncer_cli.passed_over import PassedOver
from bouncer_cli.raw_mail import Envelope

HEAD = b"From: bob@sender.example\nTo: ann@example.com\n"


def test_folders_of_people_are_read(tmp_path: Path) -> None:
    """Maildirs within Maildirs, a synchronised bucket, and files beside mails."""
    for name, content in {
        "Maildir/cur/1": b"Subject: inbox\n\n",
        "Maildir/new/2": HEAD,
        "Maildir/tmp/3": HEAD,
        "Maildir/dovecot-uidlist": b"3 V1",
        "Maildir/.Sent/cur/4": HEAD,
        "Maildir/.Sent.2026/new/5": HEAD,
        "Maildir/.Sent.2026/tmp/6": HEAD,
        "Maildir/Archive/cur/7": HEAD,
        "Maildir/Archive/new/8": HEAD,
        "bucket/AMAZON_SES_SETUP_NOTIFICATION": HEAD,
        "bucket/7m4nu9t1k8s0": HEAD,
        "bucket/README": b"# Mail\n\nHow to read it: see below.\n",
        "bucket/Notes.md": b"Title: x\nDate: 2026-12-01\n\nText.\n",
        "bucket/package.json": b'{"name": "x", "version": "1"}',
        "bucket/empty": b"",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    passed_over = PassedOver()
    found = [
        f"{item.source.removeprefix(f'{tmp_path}/')}: {item.error or 'mail'}"
        for item in read_items([str(tmp_path)], Envelope(), passed_over)
    ]
    assert found == [
        "Maildir/cur/1: found no recipient in the mail, expected --recipient ADDR to name one",
        "Maildir/new/2: mail",
        "Maildir/.Sent/cur/4: mail",
        "Maildir/.Sent.2026/new/5: mail",
        "Maildir/Archive/cur/7: mail",
        "Maildir/Archive/new/8: mail",
        "bucket/7m4nu9t1k8s0: mail",
    ]
    assert str(passed_over).startswith("4 files are not mails and were passed over: ")
    assert str(passed_over).endswith("/bucket/empty, ...")
