"""The law of all output: nothing in it controls the terminal that it is printed on."""

from unicodedata import category


def assert_harmless(text: str) -> None:
    """No character controls a terminal, turns the direction of text or cannot be encoded."""
    raw = {char for char in text if category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}}
    assert raw <= {"\n"}, sorted(map(ascii, raw))
