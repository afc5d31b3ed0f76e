"""Finds one mail by the source that a replay printed for it, such as `box.mbox#7213`."""

import os
from collections.abc import Iterator
from pathlib import Path

from bouncer_cli.mail_files import MailReader, read_items, unreadable
from bouncer_cli.mail_item import Item
from bouncer_cli.passed_over import PassedOver
from bouncer_cli.raw_mail import Envelope


def read_named_items(
    paths: list[str], envelope: Envelope, passed_over: PassedOver
) -> Iterator[Item]:
    """Yield every mail in `paths`; a path with `#NUMBER` behind a file's name means one of them.

    Files in folders that are not mails are counted in `passed_over`.
    """
    reader = MailReader(envelope, passed_over)
    for path in paths:
        try:
            items = reader.path(path)
        except OSError as error:
            file = _holding_file(path)
            items = iter((_item(path, file, envelope) if file else unreadable(path, error),))
        yield from items


def _holding_file(path: str) -> str | None:
    """Return the file that holds the mail of this source; None if no file does."""
    file = path
    while file and not os.path.exists(file):  # noqa: PTH110  # Path.exists raises for a long name
        file = file[: max(file.rfind("#"), file.rfind("/"), 0)]
    return file if file and Path(file).is_file() else None


def _item(path: str, file: str, envelope: Envelope) -> Item:
    wanted, last = str(Path(path)), ""
    for item in read_items([file], envelope):
        if item.source == wanted:
            return item
        last = item.source
    found = f"the last one is {last}" if last else "it has none"
    return Item(source=path, error=f"found no such mail in {file}, expected one of it ({found})")
