"""Writes a mailbox as RFC 5322 wants it: operators may write the name without its quotes.

Not for the intake, which need not import `email`.
"""

from email.utils import formataddr

from bouncer.mail.address import display_name, mailbox_address


def quoted_mailbox(mailbox: str) -> str:
    """Return a mailbox with its display name in quotes if it needs them: `"Ops, Night" <a@b>`.

    Encoded words (RFC 2047) stay as they are: in quotes they would be read as text.
    """
    name = display_name(mailbox)
    if "=?" in name:
        return mailbox
    return formataddr((name, mailbox_address(mailbox)))
