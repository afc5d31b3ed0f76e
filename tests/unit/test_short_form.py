"""Short forms in a narrow table: they fit, and two texts never look alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bouncer_cli.short_form import (
    ShortForms,
    cut_address,
    cut_rule,
    cut_source,
    short_decision,
)

CUTS = {"address": cut_address, "rule": cut_rule, "source": cut_source}
LETTERS = st.sampled_from("ab.-")
NAMES = st.text(LETTERS, min_size=1, max_size=30)
TEXTS = {
    "address": st.builds("{}@{}".format, NAMES, NAMES),
    "rule": NAMES,
    "source": st.builds("{}/{}{}".format, NAMES, NAMES, st.sampled_from(["", ".eml", "#7", "#12"])),
}


@pytest.mark.parametrize("kind", CUTS)
@given(data=st.data(), most=st.integers(7, 40))
def test_texts_that_differ_have_forms_that_differ(
    kind: str, data: st.DataObject, most: int
) -> None:
    """A form fits, and stands for one text alone, after any others that the column has shown."""
    texts = data.draw(st.lists(TEXTS[kind], unique=True, max_size=12))
    forms = ShortForms(CUTS[kind])
    shown = {text: forms.of(text, most) for text in texts}
    assert len(set(shown.values())) == len(texts)
    assert all(form == text or cell_len(form) <= most for text, form in shown.items())


@pytest.mark.parametrize("kind", CUTS)
@given(
    text=st.text(min_size=1, max_size=60) | st.text("ab#12\u8acb./@", min_size=1, max_size=60),
    most=st.integers(7, 40),
)
def test_any_text_is_cut_to_fit(kind: str, text: str, most: int) -> None:
    """Letters that are two columns wide or none included."""
    assert cell_len(CUTS[kind](text, most)) <= max(most, cell_len(text))
    assert cell_len(ShortForms(CUTS[kind]).of(text, most)) <= most


@pytest.mark.parametrize(
    ("text", "most", "form"),
    [
        ("tom.baker@gmail.com", 14, "tom…@gmail.com"),
        ("tom.baker@bakery.example", 12, "tom.b…xample"),
        ("tom.baker@bakery.example", 23, "tom.bak…@bakery.example"),
        ("tom@a.example", 13, "tom@a.example"),
    ],
)
def test_an_address_keeps_its_two_ends(text: str, most: int, form: str) -> None:
    """The whole domain where it fits, else its end, and the start of the local part."""
    assert ShortForms(cut_address).of(text, most) == form


def test_addresses_with_the_same_ends_show_where_they_differ() -> None:
    """A sender that writes the recipient into its address sends thousands of these."""
    forms = ShortForms(cut_address)
    first = forms.of("bounces+4417-ann=example.com@mail.shop.example", 14)
    second = forms.of("bounces+4417-bob=example.com@mail.shop.example", 14)
    assert (first, second) == ("bounce…example", "bo…bob=exampl…")


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("reject 900-unknown-mailbox", 26, "reject 900-unknown-mailbox"),
        ("reject 900-unknown-mailbox", 16, "reject 900-u…box"),
        ("reject 900-unknown-mailbox", 12, "reject 900-unk…lbox"),
        ("24x reject 310-too-many, drop 1", 22, "24x reject 310-to…any, drop 1"),
        ("no rule (shadow: drop 400-spam-of-all-kinds)", 18, "no rule (shadow: drop 400-spa…inds)"),
    ],
)
def test_a_decision_keeps_its_verb_and_the_number_of_its_rule(
    text: str, most: int, shown: str
) -> None:
    """Each word fits in a line, and a verb shares the line of its rule where both fit."""
    assert short_decision(text, most, ShortForms(cut_rule)) == shown


def test_forms_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million strangers take no more memory than a few thousand: the first are forgotten."""
    monkeypatch.setattr("bouncer_cli.short_form._MOST_REMEMBERED", 10)
    forms = ShortForms(cut_address)
    for number in range(100):
        forms.of(f"{number:05}-name@a-long-domain.example", 12)
    assert forms.of("00000-other@b-long-domain.example", 12) == "00000…xample"
