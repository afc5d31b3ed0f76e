"""The folder in which one target is fuzzed: its corpus, its findings, what was drawn."""

from hashlib import sha256
from pathlib import Path

from tests.fuzz.execution import execute
from tests.fuzz.fuzz_target import FuzzTarget

CORPORA = Path(__file__).with_name("corpora")  # the inputs that are kept in the repository
# Inputs kept by hand: they once broke a property, or do so where a mistake is planted.
REGRESSIONS = Path(__file__).with_name("regressions")
_NAME = 20  # characters of the name of an input


class Workshop:
    """A folder for one target; a finding is kept once for each place in which it shows."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.corpus = self.folder / "corpus"
        self.findings = self.folder / "findings"
        self.drawn = self.folder / "drawn"  # the number of inputs that Hypothesis drew
        self.words = self.folder / "words"
        for each in (self.corpus, self.findings):
            each.mkdir(parents=True, exist_ok=True)

    def run(self, target: FuzzTarget, data: bytes) -> None:
        """Run one input; keep it, with a text beside it, if it is the first to break a property."""
        finding = execute(target, data)
        if finding is None:
            return
        name = sha256(finding.place.encode()).hexdigest()[:_NAME]
        if not (self.findings / name).exists():
            (self.findings / name).write_bytes(data)
            text = f"{finding.place}\n{finding.text}\n".encode("ascii", "backslashreplace")
            (self.findings / f"{name}.txt").write_bytes(text)

    def keep(self, data: bytes) -> None:
        """Keep an input for the mutations to start from."""
        (self.corpus / sha256(data).hexdigest()[:_NAME]).write_bytes(data)

    def write_words(self, target: FuzzTarget) -> None:
        """Write the words of a target as a dictionary of libFuzzer."""
        quoted = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in target.words)
        self.words.write_text("".join(f'"{word}"\n' for word in quoted), encoding="ascii")

    def found(self) -> list[Path]:
        """Return the inputs that broke a property, those included that ended the process."""
        return sorted(path for path in self.findings.iterdir() if path.suffix != ".txt")
