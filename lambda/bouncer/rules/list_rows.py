"""The rows of a list while it is read: reports garbage, duplicates and overlaps, line by line."""

from collections.abc import Iterator

from bouncer.errors import DocumentError
from bouncer.rules.document import Report, show
from bouncer.rules.entry_file import Entry
from bouncer.rules.entry_reader import (
    LONGEST_ENTRY,
    EntryRefused,
    entry_doubt,
    entry_key,
    read_network,
)
from bouncer.rules.list_about import ListAbout
from bouncer.rules.list_keys import first_word_key, network_key, parents
from bouncer.rules.list_kind import ListKind
from bouncer.rules.named_list import list_form

MOST_ENTRIES = 2_000_000
MOST_REPORTED = 20  # problems, and doubts; a wrong file may have a million


class ListRows:
    """The rows by key; the first of two with one key stays."""

    def __init__(self, about: ListAbout, report: Report) -> None:
        self.rows: dict[str, tuple[str, ...]] = {}
        self._about = about
        self._report = report
        self._lines: dict[str, int | None] = {}
        self._written: dict[str, Entry] = {}  # only of kinds that overlap: there may be a million
        self._doubts = 0
        self._prefixes: set[tuple[int, int]] = set()
        self._longest = 1
        self._beginnings: set[str] = set()

    def add(self, entry: Entry) -> None:
        """Add one entry; stops with `DocumentError` when too many are wrong."""
        try:
            key = entry_key(self._about.kind, entry.text)
        except EntryRefused as refused:
            self._refuse(entry, show(entry.text), str(refused))
            return
        if max(map(len, entry.columns), default=0) > LONGEST_ENTRY:
            self._refuse_long(entry)
            return
        if doubt := entry_doubt(self._about.kind, entry.text):
            self._doubt(entry, show(entry.text), doubt)
        if key in self.rows:
            self._repeated(entry, key)
            return
        if len(self.rows) == MOST_ENTRIES:
            self._refuse(entry, f"more than {MOST_ENTRIES:,} entries", "several lists")
            raise DocumentError(tuple(self._report.problems))
        if not all(entry.columns):
            self._doubt_gaps(entry)
        self.rows[key] = entry.columns
        self._lines[key] = entry.line
        if self._about.kind in (ListKind.DOMAINS, ListKind.NETWORKS):
            self._written[key] = entry
        self._measure(key, entry)

    def settle(self) -> None:
        """Report overlaps and the number of all doubts; raises `DocumentError` for problems."""
        self._report.settle()
        if not self.rows:
            self._report.add((), found="no entry", expected="at least one")
            self._report.settle()
        for key, wider in self._overlaps():
            entry = self._written[key]
            found = f"{show(entry.text)}, which {self._named(wider)} includes"
            self._doubt(entry, found, "entries that do not overlap")
        if (more := self._doubts - MOST_REPORTED) > 0:
            found = f"{more:,} more doubts of these kinds"
            self._report.warn((), found=found, expected="none")

    def form(self) -> bytes:
        """Return the list in look-up form."""
        beginnings = dict.fromkeys(self._beginnings, ())
        return list_form(self.rows | beginnings, self.about())

    def about(self) -> ListAbout:
        """Return the description of the list with what its rows add to it."""
        prefixes = tuple(sorted(self._prefixes, key=lambda prefix: (prefix[0], -prefix[1])))
        return self._about._replace(
            entries=len(self.rows), prefixes=prefixes, longest=self._longest
        )

    def _measure(self, key: str, entry: Entry) -> None:
        if self._about.kind is ListKind.NETWORKS:
            network = read_network(entry.text)
            self._prefixes.add((network.version, network.prefixlen))
        elif self._about.kind is ListKind.WORDS:
            self._longest = max(self._longest, key.count(" ") + 1)
            self._beginnings |= {first_word_key(key.partition(" ")[0])} if " " in key else set()

    def _refuse_long(self, entry: Entry) -> None:
        cells = zip(self._about.columns, entry.columns, strict=True)
        name, cell = next((name, cell) for name, cell in cells if len(cell) > LONGEST_ENTRY)
        self._refuse(entry, f"{show(cell)} in column {name}", f"at most {LONGEST_ENTRY} characters")

    def _doubt_gaps(self, entry: Entry) -> None:
        cells = zip(self._about.columns, entry.columns, strict=True)
        gaps = [name for name, cell in cells if not cell]
        expected = "one: a rule whose text shows it is unknown for this entry"
        self._doubt(entry, f"no {' and no '.join(gaps)} beside {show(entry.text)}", expected)

    def _refuse(self, entry: Entry, found: str, expected: str) -> None:
        self._report.add(entry.place, line=entry.line, found=found, expected=expected)
        if len(self._report.problems) == MOST_REPORTED:
            found = f"{MOST_REPORTED} problems so far, so that reading ends here"
            self._report.add((), line=entry.line, found=found, expected=f"{self._about.kind}")
            self._report.settle()

    def _repeated(self, entry: Entry, key: str) -> None:
        differs = (
            " with other columns, which do not count" if self.rows[key] != entry.columns else ""
        )
        found = f"{show(entry.text)} again{differs} (first: {self._named(key)})"
        self._doubt(entry, found, "each entry once")

    def _named(self, key: str) -> str:
        line = self._lines[key]
        text = show(self._written[key].text if key in self._written else key)
        return f"{text} in line {line}" if line else text

    def _doubt(self, entry: Entry, found: str, expected: str) -> None:
        self._doubts += 1
        if self._doubts <= MOST_REPORTED:
            self._report.warn(entry.place, line=entry.line, found=found, expected=expected)

    def _overlaps(self) -> Iterator[tuple[str, str]]:
        """Yield the key of each entry that a wider one includes, and that of the nearest such."""
        if self._about.kind is ListKind.DOMAINS and self._about.subdomains:
            for key in self.rows:
                wider = next((parent for parent in parents(key) if parent in self.rows), None)
                if wider:
                    yield key, wider
        elif self._about.kind is ListKind.NETWORKS:
            for key, entry in self._written.items():
                wider = next(filter(self.rows.__contains__, self._around(entry)), None)
                if wider:
                    yield key, wider

    def _around(self, entry: Entry) -> Iterator[str]:
        """Yield the keys of the wider networks of lengths that the list has, the nearest first."""
        network = read_network(entry.text)
        lengths = (n for version, n in self._prefixes if version == network.version)
        for length in sorted(lengths, reverse=True):
            if length < network.prefixlen:
                yield network_key(network.supernet(new_prefix=length))
