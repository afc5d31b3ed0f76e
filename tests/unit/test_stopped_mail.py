"""The key and the metadata of a stopped mail say by which rule it was stopped, and for whom."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from string import printable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.judge import judge
from bouncer.mail.message import read_event
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.stopped_mail import (
    METADATA,
    StoppedFor,
    StoppedMail,
    metadata,
    read_key,
    stopped_key,
    stopped_mail,
    with_metadata,
)
from tests.functions.intake_events import REJECT, event

NOW = datetime(2026, 11, 2, 8, 0, 5, tzinfo=UTC)
REFERENCE = "bnc-abcdefghij234567"
RULES = Ruleset([read_rule("200", REJECT), read_rule("300", "when: {recipient: bob@*}\ndrop: {}")])


def stopped(*recipients: str, **mail: Any) -> StoppedMail:
    (message,) = read_event(event(*recipients, **mail))
    return stopped_mail(judge(message, RULES, Settings(), now=NOW), NOW)


def test_it_says_what_was_decided_for_whom() -> None:
    """By rule, action and the reason for which nobody was told."""
    mail = stopped("ann@example.com", "bob@example.com")
    assert mail.sender == "eve@partner.example"
    assert mail.stopped_for == (
        StoppedFor("200", "reject", "", ("ann@example.com",)),
        StoppedFor("300", "drop", "", ("bob@example.com",)),
    )
    assert len(mail.references) == 1
    (group,) = stopped(source="<>").stopped_for
    assert group.reason == Reason.NULL_SENDER


def test_the_key_has_time_id_and_references() -> None:
    """In UTC, so that keys stand in the order in which mails came."""
    mail = StoppedMail("0a1b-c", NOW.astimezone(timezone(timedelta(hours=9))), (REFERENCE,))
    assert stopped_key(mail) == f"stopped/2026-11-02/080005_0a1b-c_{REFERENCE}"
    assert stopped_key(mail._replace(references=())) == "stopped/2026-11-02/080005_0a1b-c"
    assert read_key(stopped_key(mail)) == mail._replace(received_at=NOW)


def test_the_same_mail_has_the_same_key() -> None:
    """SES may ask again, and the mail is kept once."""
    assert stopped_key(stopped()) == stopped_key(stopped())
    assert stopped_key(stopped()) != stopped_key(stopped("bob@example.com"))


def test_a_mail_without_a_time_has_that_of_the_intake() -> None:
    """SES always gives one."""
    assert stopped(timestamp=None).received_at == NOW


@given(
    message_id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", fullmatch=True).filter(
        lambda text: "_bnc-" not in text
    ),
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  # made UTC below
    references=st.lists(st.from_regex("bnc-[a-z2-7]{16}", fullmatch=True), max_size=20),
)
def test_a_key_is_read_as_it_was_written(
    message_id: str, moment: datetime, references: list[str]
) -> None:
    """For every message id that SES could make."""
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    mail = StoppedMail(message_id, moment, tuple(references))
    assert read_key(stopped_key(mail)) == mail
    assert len(stopped_key(mail).encode()) <= 1024


@pytest.mark.parametrize(
    "key", ["", "mail/a", "stopped/", "stopped/x", "stopped/2026-13-02/080005_a", "stopped/a_b_c"]
)
def test_other_keys_are_not_of_stopped_mail(key: str) -> None:
    """Somebody put an object there by hand."""
    assert read_key(key) is None


def test_references_beyond_twenty_are_left_out() -> None:
    """A key has 1,024 bytes."""
    mail = StoppedMail("a", NOW, (REFERENCE,) * 50)
    assert len(stopped_key(mail)) < 600


texts = st.text(max_size=300)


@pytest.mark.threat
@given(sender=texts, names=st.lists(texts, min_size=1, max_size=40), rule=st.just("200"))
def test_no_stranger_speaks_in_metadata(sender: str, names: list[str], rule: str) -> None:
    """Metadata is ASCII without blanks, within S3's 2 KB, and read as it was written."""
    group = StoppedFor(rule, "reject", "", tuple(names))
    mail = StoppedMail("a", NOW, sender=sender, stopped_for=(group,))
    made = metadata(mail)
    assert set(made) == {METADATA}
    assert set(made[METADATA]) <= set(printable) - set(" \t\r\n\x0b\x0c?")
    assert len(made[METADATA]) + len(METADATA) <= 2_000
    found = with_metadata(StoppedMail("a", NOW), made)
    assert found.sender == sender[: len(found.sender)]
    assert len(found.recipients) + found.more == len(names)
    assert set(found.recipients) <= set(names)


def test_some_sixty_recipients_fit() -> None:
    """The number of the others stands there."""
    names = tuple(f"person{number}@example.com" for number in range(100))
    mail = StoppedMail("a", NOW, stopped_for=(StoppedFor("200", "reject", "", names),))
    found = with_metadata(StoppedMail("a", NOW), metadata(mail))
    assert found.recipients == names[: len(found.recipients)]
    assert (len(found.recipients) > 60, len(found.recipients) + found.more) == (True, 100)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"v":1}', '{"for":[[1]],"from":"a","more":0}', "[" * 9999]
)
def test_metadata_of_somebody_else_says_nothing(text: str) -> None:
    """The mail is still listed by its key."""
    mail = StoppedMail("a", NOW)
    assert with_metadata(mail, {METADATA: text}) == mail
    assert with_metadata(mail, {}) == mail


def test_an_id_of_another_form_is_no_key() -> None:
    """`replace` shows that only the id matters."""
    (message,) = read_event(event(messageId="a/b c"))
    found = stopped_mail(judge(replace(message), RULES, Settings(), now=NOW), NOW)
    assert read_key(stopped_key(found)) is None
