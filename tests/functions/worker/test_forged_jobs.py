"""Jobs that no intake of ours wrote: the worker looks again at what the guard never lets by."""

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from bouncer.jobs.job_json import from_json, to_json
from tests.functions.worker.lone_worker import LoneWorker

SETTINGS = "bounce_sender: bounces@example.com\nown_domains: [.ours.example]"
LISTED = ("bounces@example.com", "help@brand.example")


@pytest.fixture
def lone(stack: ExitStack) -> LoneWorker:
    """A worker of a deployment that may bounce from two addresses."""
    return LoneWorker(stack, SETTINGS, senders=LISTED)


def forged(lone: LoneWorker, **members: Any) -> str:
    """The body of a job with other members."""
    return to_json(replace(from_json(lone.job()), **members))


@pytest.mark.threat
@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        ("", "null_sender"),
        ("eve", "invalid_sender"),
        ("eve@partner..example", "invalid_sender"),
        ("Ann+x@example.com", "own_sender"),
        ("bounces@example.com", "own_sender"),
        ("HELP@brand.example", "own_sender"),
        ("eve@example.com", "own_sender"),
        ("eve@mail.ours.example", "own_sender"),
        ("mailer-daemon@partner.example", "daemon_sender"),
        ("MAILER-DAEMON+x@partner.example", "daemon_sender"),
        ("autoresponder@partner.example", "daemon_sender"),
    ],
)
def test_a_sender_that_the_guard_never_answers_is_withheld(
    lone: LoneWorker, sender: str, reason: str
) -> None:
    """SES is not called, whoever wrote the job, and the line has the guard's reason."""
    assert lone.deliver(forged(lone, sender=sender)) == []
    (line,) = lone.lines
    assert (line["message"], line["reason"]) == ("withheld", reason)
    assert line[f"Withheld_{reason}"] == [1]
    assert lone.ses.calls == []
    assert lone.queue.dead == []


def test_mail_to_a_bounce_sender_is_withheld(lone: LoneWorker) -> None:
    """An answer to a bounce goes there, so that two machines would answer each other."""
    lone.deliver(lone.job("ann@example.com", "bounces+1@example.com"))
    assert lone.said() == [("withheld", "own_sender")]


@pytest.mark.threat
@pytest.mark.parametrize(
    "sender",
    [
        "ceo@example.com",
        "bounces@example.com.evil.example",
        "bounces@example.com, ceo@example.com",
        "<bounces@example.com> <ceo@example.com>",
        "bounces@example.com <ceo@example.com>",
    ],
)
def test_a_bounce_sender_that_is_not_listed_is_a_dead_letter(lone: LoneWorker, sender: str) -> None:
    """SES is not asked; the job can be retried once the deployment lists the address."""
    assert lone.deliver(lone.job(sender=sender)) == []
    (line,) = lone.lines
    assert (line["message"], line["reason"]) == ("failed", "forbidden")
    assert f"found '{sender}', expected one that cdk.json lists" in line["error"]
    assert line["Failed"] == [1]
    assert lone.ses.calls == []
    assert len(lone.queue.dead) == 1


@pytest.mark.parametrize("sender", ["Help@Brand.example", "Our Mail <bounces@example.com>"])
def test_a_listed_bounce_sender_may_be_spelt_as_a_rule_spells_it(
    lone: LoneWorker, sender: str
) -> None:
    """Case and a name before the address make no difference, as for IAM."""
    lone.deliver(lone.job(sender=sender))
    assert lone.said() == [("sent", "")]


def test_without_a_list_iam_alone_decides(stack: ExitStack) -> None:
    """A worker that an upgrade has not yet told of its senders sends as before."""
    lone = LoneWorker(stack, SETTINGS)
    lone.deliver(lone.job(sender="ceo@example.com"))
    assert lone.said() == [("sent", "")]
