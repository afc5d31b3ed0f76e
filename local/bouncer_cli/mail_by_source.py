"""Finds one mail by the source that a replay printed for it, such as `box.mbox#7213`."""

import os
from collections.abc import Iterator
from pathlib import Path

from bouncer_cli.mail_files import MailReader, read_items, unreadable
from bouncer_cli.mail_folder import Unlisted, files_in
from bouncer_cli.mail_item import Item
from bouncer_cli.passed_over import PassedOver
from bouncer_cli.raw_mail import Envelope
from bouncer_cli.replay_report import clean

IN_STDIN = ("-#", "-/")  # how the sources of mails in standard input begin


def read_named_items(
    paths: list[str], envelope: Envelope, passed_over: PassedOver
) -> Iterator[Item]:
    """Yield every mail in `paths`; a path may also be the source that was printed for one mail.

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
    if str(Path(path)).startswith(IN_STDIN):
        return "-"
    file = path
    while file and not os.path.isfile(file):  # noqa: PTH113  # Path.is_file raises for a long name
        file = file[: max(file.rfind("#"), file.rfind("/"), 0)]
    return file or _escaped_file(path)


def _escaped_file(path: str) -> str | None:
    r"""Return the file whose name was printed with escapes such as `\u202e`; None without any."""
    if "\\" not in path:
        return None
    folder = Path(path.partition("\\")[0] + "_").parent
    for file in files_in(folder):
        if not isinstance(file, Unlisted) and str(Path(path)).startswith(clean(str(file))):
            return str(file)
    return None


def _item(path: str, file: str, envelope: Envelope) -> Item:
    wanted, last = {path, path.removeprefix("./"), str(Path(path))}, ""
    for item in read_items([file], envelope):
        if item.source in wanted or clean(item.source) in wanted:
            return item
        last = item.source
    found = f"the last one is {last}" if last else "it has none"
    name = path.removeprefix("./") if file == "-" else path
    return Item(source=name, error=f"found no such mail in {file}, expected one of it ({found})")
