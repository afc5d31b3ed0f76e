"""CloudWatch Logs Insights as far as our queries use it: no emulator evaluates one.

It knows `filter`, `fields` with jsonParse, `unnest`, `stats` with count, `sort` and `limit`, each
on a line of its own, and refuses any other word: a query that it answers uses nothing else. Source:
CloudWatch Logs User Guide, "CloudWatch Logs Insights language query syntax".
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from bouncer.reporting.journal_query import MOST_ROWS, Answer, JournalQuery, Row
from bouncer.reporting.period import Period

_MOST_FIELDS = 200  # of a JSON line that are found without jsonParse
_PATH = r"@?\w+(?:\.\w+)*"
_MISSING = object()

Record = dict[str, Any]  # fields by name; those of the line itself below "@line"
Records = Iterable[Record]


class LogsInsights:
    """`JournalQueries` over lines of JSON; `null` is the text of a null that was parsed, if any.

    The documentation does not say what a null of a parsed line becomes.
    """

    def __init__(self, lines: Sequence[str], *, null: str | None = None) -> None:
        self._lines = lines
        self._null = null

    def answers(self, queries: Sequence[JournalQuery], period: Period) -> list[Answer]:
        """Return an answer to each query, in their order."""
        lines = [line for line in self._lines if _is_within(line, period)]
        return [self._answer(query.text, lines) for query in queries]

    def _answer(self, text: str, lines: Sequence[str]) -> Answer:
        found: Records = map(_record, lines)
        for command in re.split(r"\n\| ", text.strip()):
            word, _, rest = " ".join(command.split()).partition(" ")
            found = _COMMANDS[word](found, rest)
        rows = tuple(self._row(record) for record in islice(found, MOST_ROWS))
        return Answer(rows, complete=len(rows) < MOST_ROWS)

    def _row(self, record: Record) -> Row:
        shown = {name: self._null if value is None else value for name, value in record.items()}
        return {name: str(value) for name, value in shown.items() if value is not None}


def _is_within(line: str, period: Period) -> bool:
    written = datetime.fromisoformat(json.loads(line)["timestamp"])
    return period.start <= written <= period.end


def _record(line: str) -> Record:
    return {"@message": line, "@line": dict(islice(_leaves(json.loads(line)), _MOST_FIELDS))}


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields that CloudWatch Logs finds by itself, such as `recipients.0`."""
    match value:
        case dict():
            members: Iterable[tuple[Any, Any]] = value.items()
        case list():
            members = enumerate(value)
        case None:
            return
        case _:
            yield name, value
            return
    for key, member in members:
        yield from _leaves(member, f"{name}.{key}" if name else str(key))


def _value(record: Record, path: str) -> Any:
    """Return a field: of the line, or within what was parsed or unnested; `_MISSING` without."""
    if path in record["@line"]:
        return record["@line"][path]
    first, *rest = path.split(".")
    value = record.get(first, _MISSING)
    for key in rest:
        value = value.get(key, _MISSING) if isinstance(value, dict) else _MISSING
    return value


def _filter(found: Records, words: str) -> Records:
    tests = [_test(each) for each in words.split(" and ")]
    return [record for record in found if all(test(record) for test in tests)]


def _test(words: str) -> Callable[[Record], bool]:
    if match := re.fullmatch(rf"(not )?ispresent\(({_PATH})\)", words):
        absent, path = match.groups()
        return lambda record: (_value(record, path) is _MISSING) is bool(absent)
    if match := re.fullmatch(rf"({_PATH}) like /(.+)/", words):
        path, pattern = match.groups()
        return lambda record: re.search(pattern, str(_value(record, path))) is not None
    if match := re.fullmatch(rf'({_PATH}) = "(\w+)"', words):
        path, text = match.groups()
        return lambda record: _value(record, path) == text
    if match := re.fullmatch(rf"({_PATH}) in (\[.+\])", words):
        path, texts = match[1], json.loads(match[2])
        return lambda record: _value(record, path) in texts
    raise ValueError(words)


def _fields(found: Records, words: str) -> Records:
    match = _matched(r"jsonParse\(@message\) as (\w+)", words)
    return [{**record, match[1]: json.loads(record["@message"])} for record in found]


def _unnest(found: Records, words: str) -> Records:
    match = _matched(rf"({_PATH}) into (\w+)", words)
    for record in found:
        items = _value(record, match[1])
        for item in items if isinstance(items, list) else [items]:
            if item is not _MISSING:
                yield {**record, match[2]: item}


def _stats(found: Records, words: str) -> Records:
    """Count records in groups; a field that is missing is missing in the group's row as well."""
    counts, _, groups = words.partition(" by ")
    counted = [_matched(rf"count\((\*|{_PATH})\) as (\w+)", each) for each in counts.split(", ")]
    by = [_matched(rf"({_PATH})(?: as (\w+))?", each) for each in groups.split(", ")]
    tally: dict[tuple[Any, ...], Counter[str]] = {}
    for record in found:
        group = tuple(_value(record, each[1]) for each in by)
        own = tally.setdefault(group, Counter())
        own.update(
            each[2] for each in counted if each[1] == "*" or _value(record, each[1]) is not _MISSING
        )
    for group, own in tally.items():
        named = {each[2] or each[1]: value for each, value in zip(by, group, strict=True)}
        row = {name: value for name, value in named.items() if value is not _MISSING}
        yield {**row, **{each[2]: own[each[2]] for each in counted}}


def _sort(found: Records, words: str) -> Records:
    name = _matched(r"(\w+) desc", words)[1]
    return sorted(found, key=lambda record: -int(record[name]))


def _limit(found: Records, words: str) -> Records:
    return islice(found, int(words))


def _matched(pattern: str, words: str) -> re.Match[str]:
    match = re.fullmatch(pattern, words)
    if match is None:
        raise ValueError(words)
    return match


_COMMANDS: dict[str, Callable[[Records, str], Records]] = {
    "filter": _filter,
    "fields": _fields,
    "unnest": _unnest,
    "stats": _stats,
    "sort": _sort,
    "limit": _limit,
}
