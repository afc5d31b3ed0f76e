"""Writes docs/ses-coverage.md: `make ses-coverage`."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from tests.ses_coverage.configuration_set_rows import CONFIGURATION_SET_ROWS
from tests.ses_coverage.coverage_row import ROOT, Row
from tests.ses_coverage.model_members import members, operations
from tests.ses_coverage.sending_rows import SENDING_ROWS

PAGE = ROOT / "docs" / "ses-coverage.md"
ROWS: Mapping[str, Iterable[Row]] = {**SENDING_ROWS, **CONFIGURATION_SET_ROWS}

_HEAD = """# What is used of SES

Every member of SES's classic interface (API version 2010-12-01) around bouncing: of the operations
that send, and of those on configuration sets and event destinations. `make ses-coverage` writes
this page from the rows in `tests/ses_coverage/`. A test fails if botocore's model has a member
without a row, or a row is of no member, or names code, a property or a test that does not exist.

- Calls of a **function** are made in AWS. The **fake SES** answers them here, in tests and as
  `bouncer ses`.
- **CloudFormation** makes, changes and deletes sets and destinations, as `cdk.json` says
  ([deploy.md](deploy.md#event-destinations-and-configuration-sets)). `make deploy-local` drives all
  of that; the emulator offers sets and destinations through SESv2 and CloudFormation only.
- The **doctor** lists sets and describes ours by the classic operations, which a fake account
  answers in its tests.
- **By SESv2**: a part of ours uses the same member of the second interface, by the name that is
  shown. That interface takes header fields of a composed mail, and knows event buses.
- **Not ours**: nothing uses the member, for the reason given.
- Members of SESv2 alone have no rows: event buses, suppression reasons, header fields of reports.
"""


def page() -> str:
    """Return the page."""
    counts = _counts(chain.from_iterable(ROWS.values()))
    return "\n".join((_HEAD, counts, *chain.from_iterable(map(_section, operations()))))


def _counts(rows: Iterable[Row]) -> str:
    listed = list(rows)
    unused = sum(bool(row.not_ours) for row in listed)
    return (
        f"{len(operations())} operations with {len(listed)} members: {len(listed) - unused} are "
        f"used, {unused} are not ours.\n"
    )


def _section(operation: str) -> Iterator[str]:
    yield f"## {operation}\n"
    yield "| member | used by | tested by |\n|---|---|---|"
    rows = {row.member: row for row in ROWS[operation]}
    for member in members(operation):
        yield _line(rows[member])
    yield ""


def _line(row: Row) -> str:
    uses = "; ".join(use.shown(row.member) for use in row.uses) or row.not_ours
    return f"| `{row.member}` | {uses} | {'; '.join(map(_test, row.tests))} |"


def _test(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_')}](../{path})"


def main() -> int:
    """Write the page; returns the exit status."""
    PAGE.write_text(page(), encoding="utf-8")
    print(Path(PAGE).relative_to(ROOT))  # noqa: T201  # to people
    return 0


if __name__ == "__main__":
    sys.exit(main())
