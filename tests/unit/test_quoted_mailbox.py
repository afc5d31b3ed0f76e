"""A mailbox of an operator is sent as RFC 5322 has it, whether its name is in quotes or not."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from bouncer.mail.address import display_name, is_mailbox, mailbox_address
from bouncer.mail.quoted_mailbox import quoted_mailbox

ADDRESS = "a@b.example"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (ADDRESS, ""),
        (f" <{ADDRESS}>", ""),
        (f'"" <{ADDRESS}>', ""),
        (f"Mail system <{ADDRESS}>", "Mail system"),
        (f"Example Ltd. <{ADDRESS}>", "Example Ltd."),
        (f"Ops, Night <{ADDRESS}>", "Ops, Night"),
        (f"(x <{ADDRESS}>", "(x"),
        (f'"Ops, Night" <{ADDRESS}>', "Ops, Night"),
        (rf'"a \"b\" \\ c" <{ADDRESS}>', r'a "b" \ c'),
        (f"=?utf-8?q?M=C3=BCller_Ltd.?= <{ADDRESS}>", "Müller Ltd."),
    ],
)
def test_a_reader_sees_the_name_and_one_address(written: str, name: str) -> None:
    """A header with it says the same to everybody."""
    assert is_mailbox(written)
    assert mailbox_address(written) == ADDRESS
    message = EmailMessage(policy=SMTP)
    message["From"] = quoted_mailbox(written)
    assert message["From"].addresses == (Address(name, addr_spec=ADDRESS),)
    assert is_mailbox(quoted_mailbox(written))
    assert quoted_mailbox(quoted_mailbox(written)) == quoted_mailbox(written)


@pytest.mark.parametrize(
    "broken", ['"x"y" <a@b.example>', '"x <a@b.example>', '"\n" <a@b.example>']
)
def test_broken_quotes_are_not_a_mailbox(broken: str) -> None:
    """A line end in a name would be a header of its own."""
    assert not is_mailbox(broken)
    assert display_name(broken) == ""
