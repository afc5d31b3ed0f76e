"""Trust in the headers of a raw mail: whose words count, and what a stranger can't forge."""

import time

import pytest

from bouncer.guard import Context, withheld
from bouncer.judge import guard_context
from bouncer.mail.message import Message
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.rules.ruleset import Decision, Ruleset
from bouncer_cli.authentication_results import parts
from bouncer_cli.raw_mail import Envelope, read_raw_mail

TRUSTED = "mx.google.example"
HOP = "Received: from a.sender.example by b.sender.example; Mon, 2 Nov 2026 08:00:00 +0000\n"
BY_TRUSTED = (
    f"Received: from b.sender.example (b [192.0.2.1]) by {TRUSTED} with ESMTPS id x"
    " for <ann@example.com>; Mon, 2 Nov 2026 08:00:01 +0000\n"
)
PASSED = (
    f"Authentication-Results: {TRUSTED}; spf=pass smtp.mailfrom=bob@sender.example; dmarc=pass\n"
)
FAILED = PASSED.replace("=pass", "=fail")
WRITTEN = "From: Bob <bob@sender.example>\nTo: team@example.com\nSubject: Hello\n\n"


def read(top: str, trusted: str | None = TRUSTED) -> Message:
    """Return the message of a mail with these headers on top."""
    return read_raw_mail(f"{top}{WRITTEN}".encode(), Envelope(trusted=trusted)).message


@pytest.mark.threat
@pytest.mark.parametrize(
    ("top", "spf"),
    [
        (BY_TRUSTED + PASSED, "pass"),
        (PASSED + BY_TRUSTED, "pass"),
        (PASSED + BY_TRUSTED + HOP, "pass"),
        (PASSED, "pass"),
        (PASSED + HOP, "pass"),
        (HOP + BY_TRUSTED + PASSED, "pass"),
        (BY_TRUSTED + PASSED.replace(TRUSTED, TRUSTED.upper()), "pass"),
        (BY_TRUSTED + FAILED + PASSED, "fail"),
        (BY_TRUSTED + PASSED.replace(TRUSTED, "mx.example") + FAILED, "fail"),
        (BY_TRUSTED + HOP + PASSED, "absent"),
        (HOP + HOP + PASSED, "absent"),
        (BY_TRUSTED + PASSED.replace(TRUSTED, f"x {TRUSTED}"), "absent"),
        (BY_TRUSTED + PASSED.replace(f"{TRUSTED};", f"x.{TRUSTED};"), "absent"),
        (BY_TRUSTED + PASSED.replace(f"{TRUSTED};", f"mx ({TRUSTED});"), "absent"),
        (BY_TRUSTED + PASSED.replace(f" {TRUSTED};", ""), "absent"),
        ("", "absent"),
    ],
)
def test_verdicts_of_the_trusted_server(top: str, spf: str) -> None:
    """Its topmost results count, above the second Received or what it wrote itself."""
    assert read(top).verdicts["spf"] == spf
    assert read(top, trusted=None).verdicts["spf"] == "absent"


def test_verdicts_of_the_operator_win() -> None:
    """A verdict on the command line is not replaced by a server's."""
    given = Envelope(trusted=TRUSTED, verdicts={"spf": "fail"})
    message = read_raw_mail(f"{BY_TRUSTED}{PASSED}{WRITTEN}".encode(), given).message
    assert (message.verdicts["spf"], message.verdicts["dmarc"]) == ("fail", "pass")


@pytest.mark.parametrize(
    "forged",
    [
        'spf=fail (x" ; spf=pass) smtp.mailfrom="; spf=pass"@x.example',
        "spf=fail (a (b; spf=pass (c; dmarc=pass) d) e; dmarc=pass)",
        "spf=fail ((((((; spf=pass))))))",
        'spf=fail "; dmarc=pass',
        "spf=fail (; dmarc=pass",
        r"spf=fail (\); dmarc=pass) x",
    ],
)
def test_results_are_not_read_from_comments_and_quotes(forged: str) -> None:
    """Text that strangers choose is not taken for a result."""
    message = read(f"{BY_TRUSTED}Authentication-Results: {TRUSTED}; {forged}\n")
    assert (message.verdicts["spf"], message.verdicts["dmarc"]) == ("fail", "absent")


def test_recipients_below_the_trust_line_are_a_strangers_word() -> None:
    """A Delivered-To counts above the trusted server's Received only; its `for` counts after it."""
    own, other = "Delivered-To: box@example.com\n", "Delivered-To: no@x.example\n"
    assert read(own + BY_TRUSTED + other).recipients == ("box@example.com",)
    assert read(BY_TRUSTED + other).recipients == ("ann@example.com",)
    assert read(BY_TRUSTED + other, trusted=None).recipients == ("no@x.example",)
    without_for = BY_TRUSTED.replace(" for <ann@example.com>", "")
    assert read(without_for + other).recipients == ("team@example.com",)
    assert read(without_for + other).assumed >= {"recipients"}


def undecided(recipient: str) -> Decision:
    """A decision that no rule made: the guard asks it for the recipient."""
    return Decision(recipient=recipient, rule=None, shadow=())


def test_assumed_recipients_prove_no_ownership() -> None:
    """A colleague in Cc does not make the sender's domain ours; the rejected recipient's is."""
    message = read("Return-Path: <bob@sender.example>\nCc: boss@sender.example\n")
    assert message.assumed == {"recipients"}

    def own(recipient: str) -> bool:
        context = guard_context(message, undecided(recipient), Ruleset(()), Settings())
        return withheld(message, context) is Reason.OWN_SENDER

    assert not own("team@example.com")
    assert own("boss@sender.example")
    assert own("bob@sender.example")


def test_known_recipients_prove_ownership() -> None:
    """All recipients in the envelope of a mail are ours."""
    given = Envelope(recipients=("ann@example.com", "boss@sender.example"))
    message = read_raw_mail(f"Return-Path: <bob@sender.example>\n{WRITTEN}".encode(), given).message
    context = guard_context(message, undecided("ann@example.com"), Ruleset(()), Settings())
    assert withheld(message, context) is Reason.OWN_SENDER


def test_unknown_sender_is_not_answered() -> None:
    """A mail whose sender nothing names has nobody to answer, and is not called a report."""
    message = read_raw_mail(b"To: ann@example.com\nSubject: Hello\n\n", Envelope()).message
    given = Context(recipient="ann@example.com", our_senders=(), own_domains=(), answer=())
    assert withheld(message, given) is Reason.INVALID_SENDER


@pytest.mark.parametrize(
    "unit", ['"', "(", ")", "\\", '"\\', "(a", ";", "; spf=pass", "(((a)", "="]
)
def test_long_results_take_linear_time(unit: str) -> None:
    """Results of 40 KB and more cost little, whatever is repeated in them."""
    value = "mx.example; " + unit * (163_840 // len(unit))
    start = time.process_time()
    parts(value)
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize("name", ["Received", "Received-SPF", "Authentication-Results", "To"])
@pytest.mark.parametrize(
    "unit", [" by ", " for ", " for a", ";", " by inbound-smtp.x", "<", "a@", "smtp.mailfrom=", '"']
)
def test_long_headers_take_linear_time(name: str, unit: str) -> None:
    """No header that the envelope may be read from makes a mail slow."""
    mail = f"{name}: x {unit * (163_840 // len(unit))}\n{WRITTEN}"
    start = time.process_time()
    read(mail)
    assert time.process_time() - start < 0.7
