"""Draws docs/pictures from real output; `make pictures` calls it.

The table is printed by the code of `bouncer replay`, the bounce is written by the fake SES for a
job of the deployed code. Whatever differs from run to run, such as dates, is left out.
"""

import contextlib
import email
import email.policy
import io
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bouncer_cli.commands.demo_command import SAMPLES, SHIPPED_RULES
from bouncer_cli.commands.mail_run import run_mails
from bouncer_cli.commands.rules_in_force import load
from bouncer_cli.mail_files import read_items
from bouncer_cli.raw_mail import Envelope
from bouncer_cli.replay_report import Report
from bouncer_cli.replay_table import TableReport
from bouncer_cli.rule_counts import RuleCounts
from bouncer_cli.rule_files import FileSource
from bouncer_sim.clock import SimulatedClock

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
SHOWN = ("02", "22", "25", "27", "40", "47", "48")
BOUNCED = "02"

_COLUMNS = 108
_NOW = 1_793_600_000.0  # a moment in November 2026, as in the samples
# Rich's own form (rich.console.Console.export_svg), without the fonts that it loads from the web.
_FORM = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-title {{ font: bold 18px sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
_VARIES = ("Arrival-Date", "Last-Attempt-Date")


def main() -> int:
    """Write each picture that has changed, and print its place."""
    PICTURES.mkdir(exist_ok=True)
    for name, draw in DRAWN.items():
        path, picture = PICTURES / name, draw()
        if not path.exists() or path.read_text(encoding="utf-8") != picture:
            path.write_text(picture, encoding="utf-8")
            print(path.relative_to(Path.cwd()))  # noqa: T201  # the output
    return 0


def table() -> str:
    """Draw the table of a replay, and the counts below it."""
    console = _console(_COLUMNS)
    loaded = load(FileSource(SHIPPED_RULES))
    names = [name for number in SHOWN for name in _samples(number)]
    console.print(
        Text(
            f"$ bouncer replay --rules ../../../rules {' '.join(f'{n}-*.eml' for n in SHOWN)}",
            style="bold",
        )
    )
    counts = RuleCounts(loaded.ruleset.rules)
    reports: list[Report] = [TableReport(console, clock=lambda: 0.0), counts]
    with contextlib.chdir(SAMPLES):
        items = read_items(names, Envelope())
        summary = run_mails(items, loaded, reports, clock=SimulatedClock(_NOW), out=None)
    for line in (str(summary), *counts.lines()):
        console.print(Text(line))
    return _svg(console, "bouncer replay")


def bounce() -> str:
    """Draw a bounce: its text, and below it the part that machines read."""
    console = _console(_COLUMNS)
    for line in _bounce_lines(_sent(BOUNCED)):
        console.print(line)
    return _svg(console, "the bounce")


DRAWN: Mapping[str, Callable[[], str]] = {"table.svg": table, "bounce.svg": bounce}


def _samples(number: str) -> list[str]:
    return sorted(path.name for path in SAMPLES.glob(f"{number}-*.eml"))


def _sent(number: str) -> EmailMessage:
    """Return the bounce that the fake SES writes for a sample."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(SAMPLES):
        loaded = load(FileSource(SHIPPED_RULES))
        items = read_items(_samples(number), Envelope())
        run_mails(items, loaded, (), clock=SimulatedClock(_NOW), out=Path(folder))
        (written,) = Path(folder).glob("*.eml")
        return email.message_from_bytes(written.read_bytes(), policy=email.policy.default)


def _bounce_lines(mail: EmailMessage) -> Iterator[Text]:
    for name in ("From", "To", "Subject"):
        yield Text.assemble((f"{name}: ", "bold"), str(mail[name]))
    text, status, *_ = mail.iter_parts()
    yield Text()
    yield Text(text.get_content().strip())
    yield Text()
    for part in status.iter_parts():
        for name, value in part.items():
            if name not in _VARIES:
                yield Text(f"{name}: {value}", style="dim")


def _console(columns: int) -> Console:
    return Console(
        record=True,
        width=columns,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        legacy_windows=False,
    )


def _svg(console: Console, title: str) -> str:
    """Return what was printed as SVG that loads nothing from elsewhere."""
    name = title.replace(" ", "-")
    return console.export_svg(title=title, code_format=_FORM, unique_id=name)


if __name__ == "__main__":
    sys.exit(main())
