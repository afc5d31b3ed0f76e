"""Addresses in the journal: full, masked or hashed, wherever a line may quote one."""

import re
import string
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bouncer.errors import DocumentError
from bouncer.journal_address import AddressForm, Form
from bouncer.operator_settings import Settings
from bouncer.settings_reader import overlaid

KEY = "0123456789abcdef"
MASKED = AddressForm(form=Form.MASKED)
HASHED = AddressForm(form=Form.HASHED, key=KEY)
PRIVATE = pytest.mark.parametrize("shown", [MASKED, HASHED], ids=["masked", "hashed"])
ATEXT = string.ascii_letters + string.digits + "!#$%&*+-/=?^_`{|}~."
LOCALS = st.one_of(st.text(ATEXT, min_size=2, max_size=90), st.just("o'hara"))
ADDRESSES = st.builds("person-{}@{}".format, LOCALS, st.sampled_from(["a.example", "B.example"]))
_PAIRS = st.sampled_from(['\\"', "\\\\", "\\p"])  # quoted pairs (RFC 5322 section 3.2.4)
_INNER = st.lists(st.text(ATEXT + " ,;:<>()", max_size=9) | _PAIRS, max_size=6).map("".join)
QUOTED = st.builds('"person {}"@x.example'.format, st.text(ATEXT + " @,;:<>()", max_size=30))
PAIRED = st.builds('"person {} person"@x.example'.format, _INNER)


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("ann@example.com", "a***@example.com"),
        ('"ann smith"@example.com', '"***@example.com'),
        ("SRS0=a=b=home.example=ann@relay.example", "S***@relay.example"),
        ("a@b@example.com", "a***@example.com"),
        ("ann", "a***"),
        ("", ""),
    ],
)
def test_a_masked_address_keeps_its_domain(address: str, masked: str) -> None:
    """One letter and the domain stay; what is not an address keeps the letter alone."""
    assert MASKED.address(address) == masked


def test_a_hashed_address_is_the_same_in_each_line_and_differs_by_the_key() -> None:
    """Lines of one person can be joined, in any case; another key makes other words of them."""
    shown = HASHED.address("Ann@Example.com")
    assert shown == HASHED.address("ann@example.com")
    assert len({HASHED.address(each) for each in ("ann@x.example", "bob@x.example")}) == 2
    other = AddressForm(form=Form.HASHED, key="f" * 16)
    assert other.address("ann@example.com") != HASHED.address("ann@example.com")
    assert shown.endswith("@example.com")


@PRIVATE
@pytest.mark.parametrize(
    "text",
    [
        "Email address is not verified: {}",
        "JobError: found '{}' as recipient, expected text on one line",
        'settings:3: allow[0]: found "{}", expected a domain',
        "refused <{}>; (see {})",
        "from={} to:{}",
        "{}",
    ],
)
def test_a_text_names_no_mailbox(shown: AddressForm, text: str) -> None:
    """However an error quotes an address; the other words stay."""
    said = shown.text(text.replace("{}", "ann.smith@example.com"))
    assert "ann.smith" not in said
    assert "@example.com" in said
    assert said.endswith(text.rpartition("{}")[2])


@PRIVATE
@given(address=st.one_of(ADDRESSES, QUOTED), frame=st.sampled_from(["{}", "found {!r}", "<{}>,"]))
def test_no_local_part_is_left(shown: AddressForm, address: str, frame: str) -> None:
    """No address leaves a trace, and a text that is looked through again stays as it is."""
    once = shown.text(frame.format(address))
    assert "person" not in once
    assert shown.text(once) == once


@PRIVATE
@pytest.mark.threat
@given(address=PAIRED, frame=st.sampled_from(["{}", "found {!r}", "<{}>,"]))
@example(address='"person\\"person"@x.example', frame="{}")
@example(address='"person\\"person"@x.example', frame="found {!r}")
@example(address='"person \\\\"@x.example', frame="{}, found {!r}")
def test_no_quote_within_a_local_part_shows_it(
    shown: AddressForm, address: str, frame: str
) -> None:
    """A stranger escapes a quote by a backslash, and an error that quotes it escapes it again."""
    once = shown.text(frame.format(address, address))
    assert "person" not in once
    assert "@x.example" in once
    assert shown.text(once) == once


@pytest.mark.parametrize(
    "text", ["found {}.", "found '{}'!", "is it {}?", 'found "{}".', "is '{}'?", 'found \\"{}\\".']
)
def test_the_end_of_a_sentence_makes_no_other_person(text: str) -> None:
    """The hash of an address in a sentence is that of the address, and the sentence keeps its end.

    So one query finds all lines of a person.
    """
    address = "ann@example.com"
    assert HASHED.text(text.format(address)) == text.format(HASHED.address(address))
    assert MASKED.text(text.format(address)) == text.format(MASKED.address(address))


@PRIVATE
@given(text=st.text())
def test_any_text_has_a_form(shown: AddressForm, text: str) -> None:
    """Hostile texts cost no more than their length, and have one form."""
    assert shown.text(shown.text(text)) == shown.text(text)
    assert shown.address(text).count("\n") <= text.count("\n")


@PRIVATE
@pytest.mark.parametrize(
    "unit",
    ["a", "@", '"', "'", '"@', "<", "a@b ", '"a"', "\\", '\\"', '"\\', '\\"@', '\\\\"@', '" \\"a'],
)
def test_long_texts_cost_no_time(shown: AddressForm, unit: str) -> None:
    """A stranger cannot keep a function busy with its own log."""
    before = time.process_time()
    shown.text(f'"{unit * 50_000}')
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    ("setting", "form"),
    [
        ("journal: {addresses: full}", Form.FULL),
        ("journal: {addresses: masked}", Form.MASKED),
        (f"journal: {{addresses: hashed, key: {KEY}}}", Form.HASHED),
        ("mask_addresses: true", Form.MASKED),
        ("mask_addresses: false", Form.FULL),
        ("journal: {addresses: masked}\nmask_addresses: true", Form.MASKED),
    ],
)
def test_the_setting_is_read(setting: str, form: Form) -> None:
    """The word of earlier versions for masked addresses keeps its meaning."""
    assert overlaid(Settings(), setting).addresses.form is form


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("journal: masked", 'journal: found "masked", expected a mapping with addresses'),
        ("journal: {key: secret}", "found no addresses, expected addresses, one of full, masked"),
        ("journal: {addresses: hidden}", 'found "hidden", expected one of full, masked, hashed'),
        ("journal: {addresses: hashed}", "journal: found no key, expected 16 to 64 characters"),
        ("journal: {addresses: hashed, key: secret}", "journal.key: found a key of another form"),
        ("journal: {addresses: hashed, key: 12}", "journal.key: found a key of another form"),
        (f"journal: {{addresses: masked, key: {KEY}}}", "journal.key: found a key, expected no"),
        (
            "mask_addresses: true\njournal: {addresses: full}",
            'mask_addresses: found true, expected what "journal" says',
        ),
    ],
)
def test_another_setting_is_refused(setting: str, says: str) -> None:
    """The sentence says what was expected, and quotes no key: it is a secret."""
    with pytest.raises(DocumentError, match=re.escape(says)) as refused:
        overlaid(Settings(), setting)
    assert KEY not in str(refused.value)
    assert "secret" not in str(refused.value)
