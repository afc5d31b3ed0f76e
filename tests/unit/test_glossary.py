"""The pages lead to the glossary where they first use one of its words."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
GLOSSARY = (DOCS / "glossary.md").read_text(encoding="utf-8")
PAGES = ("flow.md", "rules.md", "operations.md")
# These mean on the pages what they mean everywhere, or the page itself explains them.
PLAIN = {
    *("bounce", "case", "fact", "finding", "leaf", "outcome", "query", "question", "reason"),
    *("recipient", "rule", "sample", "settings"),
}
TERMS = sorted(set(re.findall(r"(?m)^### (.+)$", GLOSSARY)) - PLAIN, key=len, reverse=True)
_CODE = re.compile(r"(?ms)^ *```.*?^ *```$|^(?: {4}|\|).*?$|^#.*?$|`[^`\n]+`|<[^>\n]+>")
_LINK = re.compile(r"\[([^]]*)\]\(([^)]*)\)")


def prose(page: str) -> str:
    """Return a page without headings, tables and code; what is left keeps its place."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return _CODE.sub(lambda found: " " * len(found[0]), text)


def first_uses(page: str) -> dict[str, str]:
    """Return the target of the link in which each word first stands, "" for one without."""
    text = prose(page)
    links = [(link.span(1), link[2]) for link in _LINK.finditer(text)]
    linked = [span for span, target in links if not target.startswith("glossary.md#")]
    spans = {span: target for span, target in links if target.startswith("glossary.md#")}
    hidden = [*linked, *(link.span(2) for link in _LINK.finditer(text))]
    found: dict[str, str] = {}
    taken: list[tuple[int, int]] = []  # `deployment settings` is not a use of `deployment`
    for term in TERMS:
        pattern = re.compile(rf"(?i)(?<![\w-]){term.replace(' ', chr(92) + 's+')}s?(?![\w-])")
        uses = [use.span() for use in pattern.finditer(text)]
        free = [use for use in uses if not any(_within(use, each) for each in (*hidden, *taken))]
        taken += uses
        if free:
            found[term] = next((spans[each] for each in spans if _within(free[0], each)), "")
    return found


def _within(use: tuple[int, int], span: tuple[int, int]) -> bool:
    return span[0] <= use[0] and use[1] <= span[1]


@pytest.mark.parametrize("page", PAGES)
def test_the_first_use_of_a_word_leads_to_the_glossary(page: str) -> None:
    """A reader who meets a word for the first time can look it up."""
    wrong = {
        term: target
        for term, target in first_uses(page).items()
        if target != f"glossary.md#{term.lower().replace(' ', '-')}"
    }
    assert wrong == {}


def test_the_words_are_used() -> None:
    """The pages use most of them, so that the test above looks at something."""
    assert len({term for page in PAGES for term in first_uses(page)}) > len(TERMS) // 2
