"""Writes the public suffix list that the worker ships, from the pinned package that carries it.

`make suffixes` runs it at a release, after `make lock` took a newer package. Nothing is fetched.
"""

from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files

from bouncer.mail.a_label import a_labels
from bouncer.mail.organisation import SUFFIX_LIST

PACKAGE = "publicsuffixlist"
_HEADER = """\
# The part for registries (ICANN) of the Public Suffix List, https://publicsuffix.org/list/
# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of
# the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.
# Names are in ASCII (A-labels) and sorted; comments are left out. `make suffixes` wrote it.
"""


def shipped_list() -> str:
    """Return the text of the list as it is shipped."""
    source = files(PACKAGE).joinpath("public_suffix_list.dat").read_text(encoding="utf-8")
    rules = sorted(set(_registry_rules(source)))
    stamp = next(line for line in source.splitlines() if line.startswith("// VERSION:"))
    return f"{_HEADER}# {stamp.removeprefix('// ')}\n" + "".join(f"{rule}\n" for rule in rules)


def _registry_rules(source: str) -> Iterator[str]:
    part = source.partition("===BEGIN ICANN DOMAINS===")[2].partition("// ===END ICANN")[0]
    for line in part.splitlines():
        rule = line.strip()
        if rule and not rule.startswith("//"):
            labels = rule.removeprefix("!").split(".")
            name = ".".join(label if label == "*" else a_labels(label) for label in labels)
            yield f"!{name}" if rule.startswith("!") else name


if __name__ == "__main__":
    SUFFIX_LIST.write_text(shipped_list(), encoding="ascii")
    size = SUFFIX_LIST.stat().st_size
    print(f"{SUFFIX_LIST.name}: {size:,} bytes, from {PACKAGE} {version(PACKAGE)}")  # noqa: T201
