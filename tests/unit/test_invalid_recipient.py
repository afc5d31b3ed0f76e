"""A recipient that SES could not take is left out; the others are bounced and the mail goes on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncer.judge import Disposition, Judgement, judge
from bouncer.mail.address import is_recipient
from bouncer.mail.message import read_record
from bouncer.operator_settings import Settings
from bouncer.reasons import Reason
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer_sim.fake_ses import syntax
from tests.unit.test_went_on import NOW

REJECT_ALL = Ruleset([read_rule("900-all", "reject: {type: DoesNotExist, message: Gone.}")])
DOMAIN_OF_63 = "d" * 63

CLEANED = ["ann@example.com\u2028", "ann@example.com\n"]  # the reader strips these
INVALID = [
    "jörg@example.com",
    "ann@bücher.example",
    "名前@example.com",
    "ann\u200b@example.com",
    "ann\t@example.com",
    "ann@exam\x00ple.com",
    "\udcff@example.com",
    f"{'x' * 309}@example.com",
    f"ann@{'.'.join([DOMAIN_OF_63] * 5)}",
    "ann",
    "@example.com",
    "ann@",
    "",
    "a b@example.com",
    "ann@[192.0.2.1]",
    '"ann@example.com',
    "<ann@example.com>",
    "ann@example..com",
    "ann@bob@example.com",
]
VALID = [
    "ann@example.com",
    "Ann.O'Neill+tag=x/y@Example.com",
    f"{'x' * 308}@example.com",
    f"{'x' * 65}@example.com",
    "a..b@example.com",
    ".ann.@example.com",
    '"ann smith"@example.com',
    '"ann@home"@example.com',
    "!#$%&'*+-/=?^_`{|}~@example.com",
    "ann@xn--bcher-kva.example",
    "ann@my_host.example.com",
    "ann@localhost",
]


def judged(*recipients: str, spam: str = "PASS") -> Judgement:
    verdicts = dict.fromkeys(("spf", "dkim", "dmarc", "virus"), "PASS") | {"spam": spam}
    record = {
        "ses": {
            "mail": {
                "messageId": "m1",
                "source": "eve@partner.example",
                "headersTruncated": False,
                "headers": [{"name": "From", "value": "eve@partner.example"}],
            },
            "receipt": {
                "recipients": list(recipients),
                **{f"{name}Verdict": {"status": word} for name, word in verdicts.items()},
            },
        }
    }
    return judge(read_record(record), REJECT_ALL, Settings(), now=NOW)


def bounced(judgement: Judgement) -> list[str]:
    return [recipient for job in judgement.jobs for recipient in job.recipients]


@pytest.mark.parametrize("recipient", INVALID[:-7])
def test_it_is_withheld_and_the_others_are_bounced(recipient: str) -> None:
    """The mail goes on, as its sender can't be told about this recipient."""
    judgement = judged("bob@example.com", recipient, "carol@example.com")
    assert judgement.withheld == {recipient: Reason.INVALID_RECIPIENT}
    assert bounced(judgement) == ["bob@example.com", "carol@example.com"]
    assert judgement.disposition is Disposition.CONTINUE
    assert judgement.went_on is Reason.INVALID_RECIPIENT


@pytest.mark.parametrize("recipient", [*INVALID, *CLEANED])
def test_what_ses_could_not_take_is_not_a_recipient(recipient: str) -> None:
    """Not ASCII, too long, or not an address."""
    assert not is_recipient(recipient)


@pytest.mark.parametrize("recipient", VALID)
def test_whom_strangers_write_to_is_bounced(recipient: str) -> None:
    """Also what no operator would choose as a mailbox: the check is not timid."""
    judgement = judged(recipient)
    assert not judgement.withheld
    assert bounced(judgement) == [recipient]
    assert judgement.disposition is Disposition.STOP_RULE_SET


def test_it_alone_makes_no_job() -> None:
    """Nothing is sent, and nothing is stopped."""
    judgement = judged("jörg@example.com")
    assert not judgement.jobs
    assert judgement.disposition is Disposition.CONTINUE


def test_a_finding_about_the_sender_comes_first() -> None:
    """Spam to such a recipient is stopped, as other spam is."""
    judgement = judged("jörg@example.com", spam="FAIL")
    assert judgement.withheld == {"jörg@example.com": Reason.SPAM}
    assert judgement.disposition is Disposition.STOP_RULE_SET


@given(st.text(st.characters(codec="latin-1") | st.sampled_from('@.<>"\\ éß名\u202e'), max_size=40))
def test_no_recipient_is_an_error_and_none_is_refused(recipient: str) -> None:
    """Law: whatever is bounced is an address to the fake SES, too, or has a quoted local part."""
    for name in bounced(judged(recipient, "ann@example.com")):
        assert syntax.is_address(name)


def test_hostile_recipients_take_no_time() -> None:
    """The pattern reads each character once, and nothing of what is too long."""
    for hostile in ("a." * 160, '"' + "a" * 318, "a" * 10_000_000, "@" * 320, "x@" + "a." * 158):
        assert not is_recipient(hostile)
