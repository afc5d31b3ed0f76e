"""Raw mails as SES stores them, and the rules that they are replayed with."""

import json
from pathlib import Path

import workload

_RULES = 100
_BODY = "A line of seventy-two characters, as mails have had them for a long time.\n" * 70
_SEPARATOR = "From bob@sender.example Mon Nov  2 08:00:00 2026\n"


def write_rules(folder: Path) -> None:
    """Write the rules of all replays; about 5 % of the mails match one of them."""
    folder.mkdir()
    for name, document in workload.documents(_RULES).items():
        (folder / f"{name}.json").write_text(json.dumps(document))


def write_mails(folder: Path, count: int, size: int) -> list[str]:
    """Write mails of `size` bytes into files of their own, and return their paths."""
    paths = [folder / f"{number:05d}.eml" for number in range(count)]
    for path, mail in zip(paths, _mails(count, size), strict=True):
        path.write_text(mail)
    return [str(path) for path in paths]


def write_mbox(path: Path, count: int, size: int) -> None:
    """Write one mbox with mails of `size` bytes: the same 500 ones again and again."""
    some = [f"{_SEPARATOR}{mail}\n\n" for mail in _mails(500, size)]
    with path.open("w") as file:
        file.writelines(some[number % len(some)] for number in range(count))


def _mails(count: int, size: int) -> list[str]:
    events = workload.events(count, workload.documents(_RULES))
    return [_mail(event, number, size) for number, event in enumerate(events)]


def _mail(event: str, number: int, size: int) -> str:
    headers = json.loads(event)["Records"][0]["ses"]["mail"]["headers"]
    lines = "".join(f"{header['name']}: {header['value']}\n" for header in headers)
    block = f"{lines}X-Number: {number}\n\n"
    return block + _BODY[: size - len(block)]
