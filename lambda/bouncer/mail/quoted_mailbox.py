"""Writes a mailbox as RFC 5322 wants it: operators write the name without its quotes.

Not for the intake, which need not import `email`.
"""

from email.utils import formataddr

from bouncer.mail.address import mailbox_address


def quoted_mailbox(mailbox: str) -> str:
    """Return a mailbox with its display name in quotes if it needs them: `"Ops, Night" <a@b>`."""
    address = mailbox_address(mailbox)
    if mailbox == address:
        return mailbox
    return formataddr((mailbox.partition("<")[0].strip(), address))
