"""`bouncer jobs`: dead letters are listed undisturbed, put back with their clock, or deleted."""

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from bouncer.jobs.job_json import from_json
from bouncer_cli.operations.dead_letter import dead_letter
from bouncer_cli.operations.dead_letter_report import DeadLetterReport
from bouncer_cli.operations.operated_account import OperatedAccount
from tests.functions.operations.deployed import Deployed, Operate, body, job

HOSTILE = "\x1b[2J\u202egnp.exe\n"


def listed(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def refuse(monkeypatch: pytest.MonkeyPatch, refused: str, code: str = "AccessDenied") -> None:
    """Have AWS refuse one operation."""
    do = OperatedAccount.do

    def answer(self: OperatedAccount, service: str, operation: str, **more: Any) -> Any:
        if operation != refused:
            return do(self, service, operation, **more)
        fault: Any = {"Error": {"Code": code, "Message": "no"}}
        raise self.meaning(service, operation, ClientError(fault, operation))

    monkeypatch.setattr(OperatedAccount, "do", answer)


def test_an_empty_queue_is_said_to_be_empty(operate: Operate) -> None:
    """A table without rows would leave the reader guessing."""
    assert operate("jobs", "list") == (0, "", "found no dead letter\n")


def test_the_list_has_all_that_identifies_a_letter(deployed: Deployed, operate: Operate) -> None:
    """Reference, age, end of the 24 hours, addresses, rule, and the end in the ledger."""
    deployed.bury(body(1, age_h=3), origin="q1")
    deployed.end("q1", "failed", "forbidden")
    deployed.bury(body(2, age_h=30), origin="q2")
    status, out, err = operate("jobs", "list")
    assert (status, err) == (0, "")
    head, old, young = out.splitlines()
    assert head.split() == ["REFERENCE", "AGE", "ENDS", "FROM", "TO", "RULE", "REASON"]
    assert old.split()[:5] == [job(2).reference, "30.0", "h", "over", "eve2@partner.example"]
    assert young.split() == [
        *(job(1).reference, "3.0", "h", "in", "20.8", "h", "eve1@partner.example"),
        *("box1@example.com", "200-departed", "failed:", "forbidden"),
    ]


def test_programs_get_an_object_for_each_letter(deployed: Deployed, operate: Operate) -> None:
    """Times are those of ISO 8601; the ledger's words stand beside the job's."""
    deployed.bury(body(1), origin="q1")
    deployed.end("q1", "failed", "forbidden")
    (letter,) = listed(operate("jobs", "list", "--format", "json")[1])
    assert letter["reference"] == job(1).reference
    assert (letter["outcome"], letter["reason"], letter["expired"]) == (
        "failed",
        "forbidden",
        False,
    )
    assert letter["expires_at"] > letter["received_at"]
    assert letter["recipients"] == ["box1@example.com"]


def test_a_look_disturbs_nothing(deployed: Deployed, operate: Operate) -> None:
    """All letters are visible at once after it, and nothing was taken from the queue of jobs."""
    deployed.queue(body(9))
    for number in (1, 2):
        deployed.bury(body(number), origin=f"q{number}")
    operate("jobs", "list")
    assert len(deployed.bodies(deployed.dead_url)) == 2
    (waiting,) = deployed.sqs.receive_message(
        QueueUrl=deployed.jobs_url, AttributeNames=["ApproximateReceiveCount"]
    )["Messages"]
    assert waiting["Attributes"]["ApproximateReceiveCount"] == "1"


def test_more_than_ten_letters_are_seen(deployed: Deployed, operate: Operate) -> None:
    """Each dead letter has a message group of its own."""
    for number in range(25):
        deployed.bury(body(number), origin=f"q{number}")
    _, out, err = operate("jobs", "list", "--format", "json")
    assert len({each["reference"] for each in listed(out)}) == 25
    assert err == ""


def test_letters_of_the_first_version_are_worked_off_in_tens(
    deployed: Deployed, operate: Operate
) -> None:
    """They share a group, so that only ten can be seen: the command says so, and goes on."""
    for number in range(15):
        deployed.bury(body(number), group="bounces", origin=f"q{number}")
    _, out, err = operate("jobs", "list", "--format", "json")
    shown = len(listed(out))
    assert f"{shown} shown, about {15 - shown} not: SQS shows at most ten" in err or shown == 15
    while operate("jobs", "retry", "--all", "--yes")[1]:
        pass
    assert deployed.bodies(deployed.dead_url) == []


def test_a_retried_job_keeps_its_clock(deployed: Deployed, operate: Operate) -> None:
    """The body is put back as it was, and the letter is gone."""
    letter = body(1, age_h=5)
    deployed.bury(letter)
    deployed.bury(body(2), origin="q2")
    status, out, err = operate("jobs", "retry", job(1).reference, "--yes")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == f"{job(1).reference}: put back"
    assert deployed.bodies(deployed.jobs_url) == [letter]
    assert [from_json(each).reference for each in deployed.bodies(deployed.dead_url)] == [
        job(2).reference
    ]


def test_the_start_of_an_id_names_a_letter(deployed: Deployed, operate: Operate) -> None:
    """A body that is not a job has no other name."""
    name = deployed.bury("not a job")
    status, _, err = operate("jobs", "retry", name[:8], "--yes")
    assert (status, "deploy the version that wrote it" in err) == (1, True)
    assert operate("jobs", "drop", name[:8], "--yes")[0] == 0
    assert deployed.bodies(deployed.dead_url) == []


def test_an_expired_job_is_not_put_back(deployed: Deployed, operate: Operate) -> None:
    """SES would refuse it; the others are put back, and the status says that one was not."""
    deployed.bury(body(1, age_h=23.9), origin="q1")
    deployed.bury(body(2, age_h=2), origin="q2")
    status, _, err = operate("jobs", "retry", "--all", "--yes")
    assert status == 1
    assert f"{job(1).reference}: its 24 hours are over" in err
    assert len(deployed.bodies(deployed.jobs_url)) == 1
    assert operate("jobs", "drop", "--expired", "--yes")[0] == 0
    assert deployed.bodies(deployed.dead_url) == []


@pytest.mark.parametrize(
    ("identity", "numbers"),
    [
        ("example.com", [1, 2]),
        ("Example.COM", [1, 2]),
        ("mailer-daemon@example.com", [1]),
        ("other.example", [3]),
        ("ample.com", []),
    ],
)
def test_letters_are_chosen_by_identity(
    deployed: Deployed, operate: Operate, identity: str, numbers: list[int]
) -> None:
    """An address, or a domain with those below it, as SES verifies them."""
    senders = ("mailer-daemon@example.com", "Post <post@mail.example.com>", "p@other.example")
    for number, sender in enumerate(senders, 1):
        deployed.bury(body(number, sender=sender), origin=f"q{number}")
    assert operate("jobs", "retry", "--identity", identity, "--yes")[0] == 0
    found = {from_json(each).message_id for each in deployed.bodies(deployed.jobs_url)}
    assert found == {f"m{number}" for number in numbers}


@pytest.mark.parametrize("verb", [["retry", "--all"], ["drop", job(1).reference]])
def test_nothing_is_done_unasked(deployed: Deployed, operate: Operate, verb: list[str]) -> None:
    """Neither in a dry run nor without a terminal; both show the letters."""
    deployed.bury(body(1))
    status, out, err = operate("jobs", *verb, "--dry-run")
    assert (status, err) == (0, "--dry-run: nothing was changed\n")
    assert job(1).reference in out
    assert operate("jobs", *verb)[0] == 2
    assert len(deployed.bodies(deployed.dead_url)) == 1
    assert deployed.bodies(deployed.jobs_url) == []


def test_a_retry_that_was_interrupted_is_run_again(
    deployed: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The letter is deleted last; a second run puts the same message back, which SQS takes once."""
    deployed.bury(body(1))
    with monkeypatch.context() as denied:
        refuse(denied, "delete_message")
        status, _, err = operate("jobs", "retry", "--all", "--yes")
    assert (status, "not put back: sqs:DeleteMessage was answered with" in err) == (1, True)
    assert len(deployed.bodies(deployed.dead_url)) == 1
    assert operate("jobs", "retry", "--all", "--yes")[0] == 0
    assert deployed.bodies(deployed.dead_url) == []
    assert len(deployed.bodies(deployed.jobs_url)) == 1


def test_a_queue_that_takes_nothing_keeps_the_letters(
    deployed: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is deleted that was not put back."""
    deployed.bury(body(1))
    refuse(monkeypatch, "send_message")
    status, _, err = operate("jobs", "retry", "--all", "--yes")
    assert (status, "allow sqs:SendMessage to these credentials in IAM" in err) == (1, True)
    assert len(deployed.bodies(deployed.dead_url)) == 1


def test_a_letter_that_somebody_else_took_is_told(
    deployed: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the answer another operator may have dropped it."""
    deployed.bury(body(1))
    do, looks = OperatedAccount.do, []

    def answer(self: OperatedAccount, service: str, operation: str, **more: Any) -> Any:
        looks.append(operation)
        if looks.count("receive_message") == 3:  # the first of the second look
            return {}
        return do(self, service, operation, **more)

    monkeypatch.setattr(OperatedAccount, "do", answer)
    status, _, err = operate("jobs", "drop", job(1).reference, "--yes")
    assert (status, "could not be received again" in err) == (1, True)


def test_the_ledger_may_be_silent(
    deployed: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The letters are shown without their ends, and the reason is said."""
    deployed.bury(body(1))
    refuse(monkeypatch, "batch_get_item", "AccessDeniedException")
    status, out, err = operate("jobs", "list")
    assert (status, job(1).reference in out) == (0, True)
    assert "the ends of these jobs are not shown: dynamodb:BatchGetItem was answered with" in err


def test_all_of_a_letter_is_shown(deployed: Deployed, operate: Operate) -> None:
    """Its job, its end, and the call that SES would get."""
    deployed.bury(body(1))
    deployed.end("q1", "failed", "forbidden")
    status, out, _ = operate("jobs", "show", job(1).reference)
    assert status == 0
    for line in (
        "  ledger:   failed: forbidden",
        "  mail:     m1 from eve1@partner.example",
        "  rule:     200-departed, for box1@example.com",
        "  OriginalMessageId: m1",
        "  BounceSender: mailer-daemon@example.com",
        "  Explanation: This person has left.",
        "  BouncedRecipientInfoList[0].BounceType: DoesNotExist",
    ):
        assert line in out.splitlines()
    (letter,) = listed(operate("jobs", "show", job(1).reference, "--format", "json")[1])
    assert letter["send_bounce"]["BounceSender"] == "mailer-daemon@example.com"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["show", "bnc-none"], "bnc-none: found no such dead letter, expected a reference"),
        (["show", ""], ": found no such dead letter"),
        (["retry"], "found nothing, expected one of REFERENCE, --identity X or --all"),
        (["retry", "x", "--all"], "found several of them, expected one of REFERENCE"),
        (["drop"], "found nothing, expected one of REFERENCE or --expired to name dead letters"),
        (["drop", "bnc-none", "--yes"], "bnc-none: found no such dead letter"),
        ([], "required: VERB"),
    ],
)
def test_wrong_usage_is_one_sentence(
    deployed: Deployed, operate: Operate, words: list[str], says: str
) -> None:
    """It names what was found and what was expected, and nothing is touched."""
    deployed.bury(body(1))
    status, out, err = operate("jobs", *words)
    assert (status, out) == (2, "")
    assert says in err
    assert len(deployed.bodies(deployed.dead_url)) == 1


def test_an_ambiguous_name_is_refused(deployed: Deployed, operate: Operate) -> None:
    """The start of two ids names neither."""
    names = [deployed.bury(f"not a job {number}", origin=f"q{number}") for number in range(40)]
    ((first, _),) = Counter(name[0] for name in names).most_common(1)
    status, _, err = operate("jobs", "drop", first, "--yes")
    assert (status, "dead letters, expected one" in err) == (2, True)


def test_a_letter_that_is_refused_is_not_said_to_be_missing(
    deployed: Deployed, operate: Operate
) -> None:
    """The reason stands first, and then that nothing else can be put back."""
    deployed.bury("not a job", origin="q1")
    status, out, err = operate("jobs", "retry", "--all", "--yes")
    assert (status, out) == (1, "")
    refused, said = err.splitlines()
    assert "deploy the version that wrote it" in refused
    assert said == "found no dead letter that can be put back"


def test_a_time_without_a_next_day_hides_no_other_letter(
    deployed: Deployed, operate: Operate
) -> None:
    """A body may hold any date: it is not a job, and the letters beside it are shown."""
    members = json.loads(body(1)) | {"received_at": "9999-12-31T23:59:59+00:00"}
    deployed.bury(json.dumps(members), origin="q1")
    deployed.bury(body(2), origin="q2")
    status, out, err = operate("jobs", "list")
    assert (status, err) == (0, "")
    assert "found 9999-12-31 23:59:59+00:00 as received_at" in out
    assert job(2).reference in out


@pytest.mark.threat
@pytest.mark.parametrize("verb", ["list", "show"])
def test_hostile_text_is_shown_as_escapes(deployed: Deployed, operate: Operate, verb: str) -> None:
    """Strangers choose addresses; no byte of a body controls the terminal or begins a line."""
    members = json.loads(body(1))
    members["sender"] = f"eve{HOSTILE}@partner.example"
    deployed.bury(json.dumps(members), origin="q1")
    name = deployed.bury(f'{{"v": 2, "{HOSTILE}"', origin="q2")
    for words in ([verb], [verb, "--format", "json"]):
        for key in [[job(1).reference], [name]] if verb == "show" else [[]]:
            status, out, err = operate("jobs", *words, *key)
            assert status == 0
            assert "\x1b" not in out + err
            assert "\u202e" not in out + err


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_shows_every_reference_whole(deployed: Deployed, width: int) -> None:
    """Addresses are folded to fit the width; what names a row and its 24 hours are not."""
    name = deployed.bury("not a job", origin="q9")
    letters = [dead_letter(each) for each in received(deployed)]
    long = replace(job(1), sender=f"{'e' * 60}@partner.example")
    letters.append(replace(letters[0], job=long, problem=""))
    console = Console(force_terminal=True, width=width, no_color=True)
    with console.capture() as captured:
        report = DeadLetterReport(
            console, now=datetime.now(UTC), margin=timedelta(0), deployment="main"
        )
        report.table(letters)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", captured.get())
    assert all(len(line.rstrip()) <= width for line in shown.splitlines())
    assert job(1).reference in shown
    assert name in shown
    assert "in 23.0 h" in shown


def received(deployed: Deployed) -> list[Any]:
    answer = deployed.sqs.receive_message(QueueUrl=deployed.dead_url, AttributeNames=["All"])
    return list(answer["Messages"])


def test_what_the_ledger_keeps_is_listed_with_the_letters_of_the_queue(
    deployed: Deployed, operate: Operate
) -> None:
    """The dead-letter queue refused it, so that nobody else would see it."""
    deployed.bury(body(1), origin="q1")
    deployed.keep(body(2), origin="q2")
    status, out, err = operate("jobs", "list", "--format", "json")
    assert status == 0
    assert {each["reference"]: each["kept"] for each in listed(out)} == {
        job(1).reference: False,
        job(2).reference: True,
    }
    assert err.startswith("1 of these are kept in the ledger")
    assert "kept in the ledger" in operate("jobs", "show", job(2).reference)[1]


def test_what_the_ledger_keeps_is_put_back_to_the_jobs(
    deployed: Deployed, operate: Operate
) -> None:
    """Then the worker does not bury it any more, and no letter of the queue is touched."""
    deployed.bury(body(1), origin="q1")
    kept = body(2)
    deployed.keep(kept, origin="q2")
    status, out, _ = operate("jobs", "retry", job(2).reference, "--yes")
    assert (status, out.splitlines()[-1]) == (0, f"{job(2).reference}: put back")
    assert deployed.bodies(deployed.jobs_url) == [kept]
    assert deployed.kept() == []
    assert len(deployed.bodies(deployed.dead_url)) == 1


def test_what_the_ledger_keeps_can_be_dropped(deployed: Deployed, operate: Operate) -> None:
    """Together with a letter of the queue, and each with its own word."""
    deployed.bury(body(1), origin="q1")
    deployed.keep(body(2), origin="q2")
    names = [job(number).reference for number in (1, 2)]
    status, out, _ = operate("jobs", "drop", *names, "--yes")
    assert status == 0
    assert sorted(out.splitlines()[-2:]) == sorted(f"{name}: deleted" for name in names)
    assert deployed.kept() == []
    assert deployed.bodies(deployed.dead_url) == []


def test_letters_are_listed_without_the_permission_to_read_the_ledger(
    deployed: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remark says that those in the ledger are not shown."""
    deployed.bury(body(1), origin="q1")
    refuse(monkeypatch, "batch_get_item")
    status, out, err = operate("jobs", "list")
    assert status == 0
    assert job(1).reference in out
    assert "dead letters in the ledger are not shown: " in err
