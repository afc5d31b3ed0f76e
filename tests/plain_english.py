"""Counts the turns of phrase that readers stumble over; `make check` holds the count at zero.

A docstring starts with what it describes, or with a verb: not with What, Where, How, Whether, Who.
A negation negates the verb: it reads "is not a mail". Texts are the pages
in docs/, README and the other pages at the top, the comments and values of YAML and
TOML files, shell scripts, queries and the Makefile, and every docstring, string and comment in the
code. Of tests and benchmarks only docstrings and comments are read.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
QUESTION = re.compile(r"(?:What|Where|How|Whether|Who|Whom|Whose|Whoever|Whatever)\b")
NEGATED_NOUN = re.compile(r"\b(?:is|are) (?:no|none)\b(?! (?:longer|more|later)\b)", re.IGNORECASE)
SUFFIXES = (".py", ".md", ".yaml", ".yml", ".toml", ".sh", ".sql")
# A phrase that says it best all the same, by the file it stands in.
EXCEPTIONS: dict[str, tuple[str, ...]] = {}


def main() -> int:
    """Print each place and both counts; 1 if there is any."""
    questions, negations = [], []
    for path in _tracked():
        name = str(path.relative_to(ROOT))
        for kind, line, text in _texts(path):
            if any(phrase in text for phrase in EXCEPTIONS.get(name, ())):
                continue
            if kind == "docstring" and QUESTION.match(text):
                questions.append(f"{name}:{line}: {text.splitlines()[0]}")
            match = NEGATED_NOUN.search(" ".join(text.split()))
            if match:
                shown = " ".join(text.split())[max(match.start() - 30, 0) : match.end() + 20]
                negations.append(f"{name}:{line}: ...{shown}...")
    for place in (*questions, *negations):
        print(place)  # noqa: T201  # the output
    print(  # noqa: T201
        f"plain English: {len(questions)} docstrings begin with a question word, "
        f'{len(negations)} texts say "is no", "is none" or "are no"'
    )
    return 1 if questions or negations else 0


def _tracked() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files"],  # noqa: S607  # the developer's git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        path = ROOT / name
        sample = "/samples/" in name or name.startswith(("tests/cases/", "tests/invalid/"))
        readable = path.suffix == ".md" if sample else path.suffix in SUFFIXES or name == "Makefile"
        if readable and path.exists():
            yield path


def _texts(path: Path) -> Iterator[tuple[str, int, str]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from _python_texts(path, text)
    else:
        for number, paragraph in _paragraphs(text):
            yield "prose", number, paragraph


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Paragraphs with the number of their first line: a phrase may be broken over two lines."""
    start, lines = 1, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip():
            lines.append(line.strip().lstrip("#>- "))
        else:
            if lines:
                yield start, " ".join(lines)
            start, lines = number + 1, []


def _python_texts(path: Path, text: str) -> Iterator[tuple[str, int, str]]:
    is_test = path.is_relative_to(ROOT / "tests") or path.is_relative_to(ROOT / "bench")
    told: set[str] = set()  # a docstring is a string, too
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                line = 1 if isinstance(node, ast.Module) else node.lineno
                told.add(ast.get_docstring(node, clean=False) or "")
                yield "docstring", line, docstring
        elif is_test or not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        elif node.value not in told:
            yield "string", node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield "comment", token.start[0], token.string


if __name__ == "__main__":
    sys.exit(main())
