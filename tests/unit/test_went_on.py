"""Never stopped and silent: a mail goes on if its bounce is withheld for want of knowledge."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.judge import Disposition, Judgement, judge
from bouncer.mail.message import VERDICTS, read_record
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.rules.rule import Mode
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
REJECT = "when: {recipient: ann@example.com}\nreject: {type: DoesNotExist, message: Gone.}"
ANSWERS = (
    "when: {recipient: bob@example.com}\n"
    "reject: {type: DoesNotExist, message: Moved., answer: truncated}"
)
DROP = "when: {recipient: trash@example.com}\ndrop: {}"
KEEP = (
    "when: {recipient: kept@example.com}\n"
    "reject: {type: Undefined, message: We read this now and then., keep_copy: true}"
)
CUT = {"headersTruncated": True}


def judged(
    *names: str,
    mail: dict[str, Any] | None = None,
    settings: Settings | None = None,
    rules: tuple[str, ...] = (REJECT, ANSWERS, DROP, KEEP),
    sender: str = "eve@partner.example",
    goes_on: bool = False,
    kept: bool = True,
    **verdicts: str,
) -> Judgement:
    """Judge a mail to these mailboxes; every verdict is PASS unless told otherwise."""
    words = dict.fromkeys(VERDICTS, "PASS") | verdicts
    record = {
        "ses": {
            "mail": {
                "messageId": "m1",
                "source": sender,
                "headersTruncated": False,
                "headers": [{"name": "From", "value": sender}],
                **(mail or {}),
            },
            "receipt": {
                "recipients": [f"{name}@example.com" for name in names or ("ann",)],
                **{f"{name}Verdict": {"status": word} for name, word in words.items() if word},
            },
        }
    }
    ruleset = Ruleset(read_rule(f"{place}00-rule", text) for place, text in enumerate(rules, 1))
    message, in_force = read_record(record), settings or Settings()
    return judge(message, ruleset, in_force, now=NOW, goes_on=goes_on, kept=kept)


def ended(judgement: Judgement) -> tuple[str, Reason | None, list[str]]:
    """Return the disposition, the reason to go on, and the recipients that are bounced."""
    bounced = [recipient for job in judgement.jobs for recipient in job.recipients]
    return str(judgement.disposition), judgement.went_on, bounced


def test_cut_headers_let_the_mail_go_on() -> None:
    """Its sender would never learn that it was stopped."""
    assert ended(judged(mail=CUT)) == ("CONTINUE", Reason.HEADERS_TRUNCATED, [])
    assert judged(mail=CUT).withheld == {"ann@example.com": Reason.HEADERS_TRUNCATED}


@pytest.mark.parametrize("word", ["PROCESSING_FAILED", "DISABLED", ""])
def test_missing_verdicts_let_the_mail_go_on(word: str) -> None:
    """SES could not tell; that is not the sender's doing."""
    unknown = judged(spf=word, dmarc=word)
    assert ended(unknown) == ("CONTINUE", Reason.UNVERIFIABLE, [])
    answering = Settings(answer=frozenset({"unauthenticated"}))
    answered = judged(spf=word, dmarc=word, settings=answering)
    assert ended(answered) == ("STOP_RULE_SET", None, ["ann@example.com"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"spam": "FAIL"}, Reason.SPAM),
        ({"virus": "FAIL"}, Reason.VIRUS),
        ({"spf": "FAIL", "dmarc": "FAIL"}, Reason.UNAUTHENTICATED),
        ({"spf": "GRAY", "dmarc": "GRAY"}, Reason.UNAUTHENTICATED),
        ({"sender": "mailer-daemon@partner.example"}, Reason.DAEMON_SENDER),
        ({"sender": "noreply@partner.example"}, Reason.AUTOMATIC),
        ({"sender": "cats-bounces@partner.example"}, Reason.LISTS),
        ({"sender": ""}, Reason.NULL_SENDER),
        ({"sender": "boss@example.com"}, Reason.OWN_SENDER),
    ],
)
def test_padded_spam_is_stopped(change: dict[str, str], reason: Reason) -> None:
    """A reason that says something about the sender stops the mail, and is the one reported."""
    padded = judged(mail=CUT, **change)  # type: ignore[arg-type]  # senders and verdicts are texts
    assert ended(padded) == ("STOP_RULE_SET", None, [])
    assert padded.withheld == {"ann@example.com": reason}


WAIVED = [
    ("spam", {"spam": "FAIL"}, Reason.SPAM),
    ("unauthenticated", {"spf": "FAIL", "dmarc": "FAIL"}, Reason.UNAUTHENTICATED),
    ("automatic", {"sender": "noreply@partner.example"}, Reason.AUTOMATIC),
    ("lists", {"sender": "cats-bounces@partner.example"}, Reason.LISTS),
]


@pytest.mark.parametrize(("answer", "change", "reason"), WAIVED)
def test_what_answer_waives_is_no_way_past_the_rules(
    answer: str, change: dict[str, str], reason: Reason
) -> None:
    """A mail that can't be answered is stopped as it would be without `answer`."""
    settings = Settings(answer=frozenset({answer}))
    whole = judged(settings=settings, **change)  # type: ignore[arg-type]  # all are texts
    assert ended(whole) == ("STOP_RULE_SET", None, ["ann@example.com"])
    padded = judged(mail=CUT, settings=settings, **change)  # type: ignore[arg-type]  # as above
    assert ended(padded) == ("STOP_RULE_SET", None, [])
    assert padded.withheld == {"ann@example.com": reason}
    person = judged(mail=CUT, settings=settings)
    assert ended(person) == ("CONTINUE", Reason.HEADERS_TRUNCATED, [])


@pytest.mark.parametrize(
    ("answer", "change", "cut"),
    [*((answer, change, False) for answer, change, _ in WAIVED), ("truncated", {}, True)],
)
def test_a_copy_that_failed_stops_nothing_that_answer_waives(
    answer: str, change: dict[str, str], cut: bool
) -> None:
    """No stranger can make a copy fail; the mail would be bounced but for an error of ours."""
    settings, mail = Settings(answer=frozenset({answer})), CUT if cut else None
    kept = judged(mail=mail, settings=settings, **change)  # type: ignore[arg-type]  # all are texts
    assert ended(kept) == ("STOP_RULE_SET", None, ["ann@example.com"])
    unkept = judged(mail=mail, settings=settings, kept=False, **change)  # type: ignore[arg-type]
    assert ended(unkept) == ("CONTINUE", Reason.NOT_KEPT, [])


@pytest.mark.parametrize(("answer", "change", "reason"), WAIVED)
def test_two_classes_answer_padded_mail(
    answer: str, change: dict[str, str], reason: Reason
) -> None:
    """With `truncated` beside it the mail is bounced, if somebody vouches for its sender."""
    settings = Settings(answer=frozenset({answer, "truncated"}))
    padded = judged(mail=CUT, settings=settings, **change)  # type: ignore[arg-type]  # all are texts
    vouched = reason is not Reason.UNAUTHENTICATED
    bounced = ["ann@example.com"] if vouched else []
    assert ended(padded) == ("STOP_RULE_SET", None, bounced)
    assert padded.withheld == ({} if vouched else {"ann@example.com": reason})


@given(
    st.sets(st.sampled_from(["lists", "automatic", "unauthenticated", "spam"])),
    st.fixed_dictionaries(
        {
            "spf": st.sampled_from(["PASS", "FAIL", "GRAY", "PROCESSING_FAILED"]),
            "dmarc": st.sampled_from(["PASS", "FAIL", "GRAY", ""]),
            "spam": st.sampled_from(["PASS", "FAIL"]),
            "sender": st.sampled_from(
                [f"{name}@partner.example" for name in ("eve", "noreply", "cats-bounces")]
            ),
        }
    ),
    st.sampled_from([CUT, None]),
)
def test_answer_never_lets_mail_in(
    answer: set[str], facts: dict[str, str], mail: dict[str, Any] | None
) -> None:
    """A mail that is stopped without it is stopped with it."""
    without = judged(mail=mail, **facts)  # type: ignore[arg-type]  # all are texts
    answering = Settings(answer=frozenset(answer))
    with_it = judged(mail=mail, settings=answering, **facts)  # type: ignore[arg-type]  # as above
    if without.disposition is Disposition.STOP_RULE_SET:
        assert with_it.disposition is Disposition.STOP_RULE_SET


def test_a_rule_may_answer_cut_headers_of_known_senders() -> None:
    """With `answer: truncated` the mail is stopped, and its sender is told."""
    assert ended(judged("bob", mail=CUT)) == ("STOP_RULE_SET", None, ["bob@example.com"])
    by_dmarc = judged("bob", mail=CUT, spf="FAIL")
    assert ended(by_dmarc) == ("STOP_RULE_SET", None, ["bob@example.com"])
    unknown = judged("bob", mail=CUT, spf="PROCESSING_FAILED", dmarc="GRAY")
    assert ended(unknown) == ("CONTINUE", Reason.HEADERS_TRUNCATED, [])


def test_one_recipient_lets_the_mail_go_on_for_all() -> None:
    """SES stops a mail as a whole; a bounce that may be sent is sent all the same."""
    mixed = judged("bob", "ann", "trash", mail=CUT)
    assert ended(mixed) == ("CONTINUE", Reason.HEADERS_TRUNCATED, ["bob@example.com"])
    assert mixed.withheld == {"ann@example.com": Reason.HEADERS_TRUNCATED}


def test_drop_stops_padded_mail() -> None:
    """Only a bounce that could not be sent lets a mail go on."""
    assert ended(judged("trash", mail=CUT)) == ("STOP_RULE_SET", None, [])


def test_a_mail_that_goes_on_anyway_did_not_go_on_for_it() -> None:
    """A kept copy, a recipient without a rule and mode shadow have reasons of their own."""
    assert ended(judged("kept", mail=CUT)) == ("CONTINUE", None, [])
    assert ended(judged("ann", "staff", mail=CUT)) == ("CONTINUE", None, [])
    shadow = judged(mail=CUT, settings=Settings(mode=Mode.SHADOW))
    assert ended(shadow) == ("CONTINUE", None, [])
    assert shadow.withheld == {"ann@example.com": Reason.HEADERS_TRUNCATED}
    assert ended(judged(mail=CUT, settings=Settings(mode=Mode.OFF))) == ("CONTINUE", None, [])


@pytest.mark.parametrize("mode", list(Mode))
def test_the_senders_of_all_rules_are_bounce_senders(mode: Mode) -> None:
    """Two rules that refuse mail to each other's sender must not answer each other's bounces."""
    left = (
        f"mode: {mode}\nwhen: {{recipient: ann@example.com}}\n"
        "reject: {type: DoesNotExist, message: Gone., sender: Leavers <Leavers@example.com>}"
    )
    every = (
        "when: {recipient_domain: example.com}\nreject: {type: DoesNotExist, message: No mailbox.}"
    )
    answer = judged("leavers+x", rules=(left, every), sender="helpdesk@partner.example")
    assert answer.disposition is Disposition.STOP_RULE_SET
    assert set(answer.withheld.values()) == {Reason.OWN_SENDER}
    abroad = left.replace("Leavers@example.com", "leavers@example.net")
    ours = judged("carl", rules=(abroad, every), sender="LEAVERS@example.net")
    assert set(ours.withheld.values()) == {Reason.OWN_SENDER}
    default = judged("mailer-daemon", rules=(left, every))
    assert set(default.withheld.values()) == {Reason.OWN_SENDER}
    assert not judged("carl", rules=(left, every)).withheld
