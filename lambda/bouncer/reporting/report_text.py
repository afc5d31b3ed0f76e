"""Writes a report as plain text of at most 72 columns, with what needs a person first.

A section without anything to say is left out, so that the report of a quiet day is short.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from bouncer.mail.text import shown
from bouncer.reporting.report import Report, RuleLine
from bouncer.rules.rule import Mode
from bouncer.sending.ending import Outcome

WIDTH = 72
_MOST_LINES = 20  # of a table; the others are counted
_MOST_NAMES = 10
_NUMBER = 9
_LONGEST = 2000  # characters of a sentence
_DECIDED = (  # in whatever order rules act, and what is only recorded in mode shadow
    ("reject", "recipients rejected", "recipients that would be rejected"),
    ("drop", "recipients dropped", "recipients that would be dropped"),
    ("reply", "recipients with a rule that replies", "recipients with a rule that would reply"),
    ("accept", "recipients accepted by a rule", "recipients that a rule would accept"),
    ("", "recipients without a matching rule", "recipients without a matching rule"),
)


def subject(report: Report) -> str:
    """Return the subject: one line that says the essential."""
    parts = [
        _counted(report.mails, "mail", "mails"),
        "bounces not known" if report.bounces is None else f"{report.bounces:,} bounced",
        _need(report),
    ]
    in_force = report.standing.in_force
    if in_force and in_force.mode != Mode.ENFORCE:
        parts.append(f"mode {in_force.mode}")
    if report.gaps:
        parts.append("incomplete")
    return f"[{report.deployment}] {', '.join(parts)}"


def report_text(report: Report) -> str:
    """Return the text; each line ends with a line feed."""
    sections = [
        [_first(report), *_needs(report)],
        [report.deployment, str(report.period)],
        [*_mail(report)],
        [*_by_rule(report)],
        [*_withheld(report)],
        [*_waiting(report)],
        [*_senders(report)],
        [*_failures(report)],
        [*_rules(report)],
        [*_gaps(report)],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _need(report: Report) -> str:
    count = len(report.needs)
    if count:
        return f"{count} need{'s' if count == 1 else ''} you"
    return "nothing to do" if report.needs_known else "needs not known"


def _first(report: Report) -> str:
    count = len(report.needs)
    if count:
        return "1 thing needs you." if count == 1 else f"{count} things need you."
    return "Nothing to do." if report.needs_known else "What needs you is not known."


def _needs(report: Report) -> Iterator[str]:
    for number, (what, step) in enumerate(report.needs, 1):
        yield ""
        yield from _folded(f"{number}. {_sentence(what)}", indent=3)
        yield f"   {shown(step, _LONGEST)}"


def _mail(report: Report) -> Iterator[str]:
    mails = report.counts.mails
    if mails is None:
        return
    yield "MAIL"
    yield _row(report.mails or 0, "came")
    if stopped := sum(each.mails for each in mails if each.disposition == "STOP_RULE_SET"):
        yield _row(stopped, "were stopped")
    went_on = [each for each in mails if each.went_on]
    if count := sum(each.mails for each in went_on):
        reasons = ", ".join(f"{each.went_on} {each.mails:,}" for each in went_on)
        yield from _folded(_row(count, f"went on though rejected: {reasons}"), indent=_NUMBER + 2)
    for action, words, recorded in _DECIDED:
        if count := report.recipients(action):
            yield _row(count, words)
        if count := report.recipients(action, shadow=True):
            yield _row(count, f"{recorded} (mode shadow)")
    for event, words in ((Outcome.SENT, "bounces sent"), ("replied", "replies sent")):
        if count := report.times(event) or 0:
            yield _row(count, words)


def _by_rule(report: Report) -> Iterator[str]:
    lines = report.by_rule
    if not lines:
        return
    columns = [name for name in RuleLine._fields[1:] if name != "replied" or _replies(lines)]
    yield _cells("BY RULE", columns)
    for line in lines[:_MOST_LINES]:
        numbers = [getattr(line, name) for name in columns]
        cells = ["?" if count is None else f"{count:,}" if count else "-" for count in numbers]
        yield _cells(shown(line.rule, _LONGEST), cells)
    yield from _others(lines, "rules")


def _replies(lines: Iterable[RuleLine]) -> bool:
    return any(line.replied != 0 for line in lines)


def _withheld(report: Report) -> Iterator[str]:
    lines = report.withheld
    if not lines:
        return
    yield "WITHHELD: no bounce or reply, for this reason and by this rule"
    for reason, rule, times in lines[:_MOST_LINES]:
        yield from _folded(_row(times, f"{reason}  {shown(rule, _LONGEST)}"), indent=_NUMBER + 2)
    yield from _others(lines, "kinds")


def _waiting(report: Report) -> Iterator[str]:
    standing = report.standing
    if not standing.waiting:
        return
    yield "WAITING"
    yield _row(standing.waiting, "bounce waits" if standing.waiting == 1 else "bounces wait")
    if standing.oldest_s is not None:
        yield f"{'':{_NUMBER}}  the oldest for {_duration(standing.oldest_s)}"


def _senders(report: Report) -> Iterator[str]:
    bounced = [
        (report.times("bounce_bounced", kind="permanent"), "bounces bounced for good"),
        (report.times("bounce_bounced", kind="complaint"), "bounces reported as spam"),
    ]
    withheld = [
        (report.times("withheld", reason="capped"), "bounces withheld by a cap"),
        (_taken_out(report, "capped"), "bounces that a cap took recipients out of"),
        (report.times("withheld", reason="braked"), "bounces withheld by a brake"),
        (_taken_out(report, "braked"), "bounces that a brake took recipients out of"),
        (report.times("breaker_tripped"), "times the breaker held sending"),
    ]
    silenced = [_row(count, words) for count, words in bounced if count]
    if silenced:
        silenced.append(f"{'':{_NUMBER}}  their senders get none for a while; to end that:")
        silenced.append(f"{'':{_NUMBER}}  {report.step('bouncer forget ADDRESS')}")
    rows = [*silenced, *(_row(count, words) for count, words in withheld if count)]
    if rows:
        yield "SENDERS"
        yield from rows


def _taken_out(report: Report, name: str) -> int:
    return sum(getattr(each, name) for each in report.counts.lines or ())


def _failures(report: Report) -> Iterator[str]:
    if report.failures:
        yield "FAILED"
    for what, times, step in report.failures:
        yield _row(times, what)
        yield f"{'':{_NUMBER}}  {step}"


def _rules(report: Report) -> Iterator[str]:
    in_force = report.standing.in_force
    if in_force is None:
        return
    yield "RULES"
    count = "" if in_force.rules is None else f", {_counted(len(in_force.rules), 'rule', 'rules')}"
    yield f"  revision {in_force.revision[:12] or 'none'}, mode {in_force.mode}{count}"
    if names := report.unmatched_rules:
        listed = [shown(name, _LONGEST) for name in names[:_MOST_NAMES]]
        if left := len(names) - len(listed):
            listed.append(f"and {left:,} more")
        yield from _folded(f"without a match: {', '.join(listed)}", indent=4, first=2)


def _gaps(report: Report) -> Iterator[str]:
    if report.gaps:
        yield "NOT KNOWN"
    for gap in report.gaps:
        yield from _folded(_sentence(gap), indent=4, first=2)


def _others(lines: Sequence[object], words: str) -> Iterator[str]:
    if (left := len(lines) - _MOST_LINES) > 0:
        yield f"{'':{_NUMBER}}  and {left:,} more {words}"


def _row(count: int, words: str) -> str:
    return f"{count:>{_NUMBER},}  {words}"


def _cells(name: str, cells: Iterable[str]) -> str:
    """Return a row of a table; a name too long for its column stands on lines of its own."""
    numbers = "".join(f"{cell:>{_NUMBER}}" for cell in cells)
    room = WIDTH - len(numbers)
    if len(name) <= room:
        return f"{name:<{room}}{numbers}"
    return "\n".join([*textwrap.wrap(name, WIDTH), f"{'':{room}}{numbers}"])


def _folded(text: str, *, indent: int, first: int = 0) -> list[str]:
    return textwrap.wrap(
        " " * first + text.lstrip() if first else text,
        WIDTH,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
    )


def _sentence(text: str) -> str:
    """Return a text with one line and no control characters, which operators may have written."""
    return shown(text, _LONGEST)


def _counted(count: int | None, one: str, many: str) -> str:
    if count is None:
        return f"{many} not known"
    return f"{count:,} {one if count == 1 else many}"


def _duration(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    if hours >= timedelta(days=1) // timedelta(hours=1):
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
