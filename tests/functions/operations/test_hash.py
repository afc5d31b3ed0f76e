"""`bouncer hash` prints an address as the journal of the deployment has it."""

import pytest

from bouncer.journal_address import AddressForm, Form
from tests.functions.operations.deployed import Deployed, Operate

KEY = "0123456789abcdef"
HASHED = AddressForm(form=Form.HASHED, key=KEY)


@pytest.mark.parametrize(
    ("setting", "shown", "says"),
    [
        ("mode: enforce", "ann@example.com", "full: lines have the address itself"),
        ("journal: {addresses: masked}", "a***@example.com", "masked: others of this domain"),
        (
            f"journal: {{addresses: hashed, key: {KEY}}}",
            HASHED.address("ann@example.com"),
            "hashed: lines before the present key",
        ),
    ],
)
def test_an_address_is_shown_as_the_journal_has_it(
    deployed: Deployed, operate: Operate, setting: str, shown: str, says: str
) -> None:
    """Its output is the word alone, for a query; the key is not printed."""
    deployed.put("settings", setting)
    status, out, err = operate("hash", "ann@example.com")
    assert (status, out) == (0, f"{shown}\n")
    assert says in err
    assert KEY not in out + err


def test_hostile_text_is_shown_as_an_escape(deployed: Deployed, operate: Operate) -> None:
    """A text that is not an address is shown too, and controls no terminal."""
    deployed.put("settings", "mode: enforce")
    _, out, _ = operate("hash", "\x1b[2J")
    assert out == "\\u001b[2J\n"
