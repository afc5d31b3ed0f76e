"""No line of the worker names a person, if the setting `journal` says so."""

from contextlib import ExitStack
from dataclasses import replace

import pytest

from bouncer.jobs.job_json import from_json, to_json
from tests.functions.worker.lone_worker import READ, LoneWorker, refusal

SETTINGS = {
    "masked": "journal: {addresses: masked}\n",
    "hashed": "journal: {addresses: hashed, key: 0123456789abcdef}\n",
}
ONCE = "caps: {sender: {10m: 1}, domain_share: off, sender_recipient_rule: off}"
QUOTING = "Email address is not verified: eve@partner.example, 'ann@example.com'"


@pytest.mark.threat
@pytest.mark.parametrize("form", SETTINGS)
def test_no_line_of_the_worker_names_a_person(stack: ExitStack, form: str) -> None:
    """Jobs that end in each way, and the texts of errors that quote addresses."""
    lone = LoneWorker(stack, SETTINGS[form] + ONCE)
    lone.ses.answers = [refusal("MessageRejected", text=QUOTING), refusal("X", text=QUOTING)]
    unreadable = lone.job().replace('"recipient":"ann@', '"recipient":"ann@x\\n')
    bodies = [lone.job(message_id=f"m{number}") for number in range(2)]
    lone.deliver(*bodies, unreadable, lone.job(message_id="m3"), "ann@example.com")
    lone.deliver(bodies[0], receives=2)
    lone.source.text = f"{SETTINGS[form]}sending: paused"
    lone.deliver(lone.job(message_id="m4"), first=9)
    lone.table.fail(READ, *["before"] * 9, error=refusal("Denied", text=QUOTING))
    lone.deliver(lone.job(message_id="m5"), first=10)
    said = lone.stream.getvalue()
    assert {line["message"] for line in lone.lines} >= {
        *("failed", "withheld", "unreadable_job", "handed_back"),
    }
    assert "ann@" not in said
    assert "eve@" not in said
    assert "@partner.example" in said


def test_hashed_lines_of_a_person_can_be_joined(stack: ExitStack) -> None:
    """The end of each job names its sender by the same word, and another sender by another."""
    lone = LoneWorker(stack, SETTINGS["hashed"])
    jobs = [from_json(lone.job(message_id=f"m{number}")) for number in range(3)]
    senders = ("eve@partner.example", "Eve@partner.example", "bob@partner.example")
    bodies = [
        to_json(replace(job, sender=sender)) for job, sender in zip(jobs, senders, strict=True)
    ]
    lone.deliver(*bodies)
    first, second, third = (line["sender"] for line in lone.lines)
    assert first == second != third


@pytest.mark.threat
def test_the_ledger_has_no_address(stack: ExitStack) -> None:
    """Its items hold digests, whatever became of the jobs."""
    lone = LoneWorker(stack, ONCE)
    lone.ses.answers = [None, refusal("MessageRejected", text=QUOTING)]
    for number in range(4):
        lone.deliver(lone.job(message_id=f"m{number}"), first=number + 1)
        lone.clock.sleep(601 * (number % 2))
    kept = str(lone.items.scan(TableName=lone.name)["Items"])
    assert "job#q4" in kept
    assert "@" not in kept
    assert "partner.example" not in kept
