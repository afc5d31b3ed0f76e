"""The jobs of a rejected mail: their texts fit the queue and SendBounce."""

from datetime import UTC, datetime

import pytest

from bouncer.jobs.job_json import to_json
from bouncer.judge import judge
from bouncer.mail.message import read_record
from bouncer.operator_settings import Settings
from bouncer.rules.rejection import MESSAGE_LIMIT
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset

LONGEST_BODY = 256 * 1024  # bytes a queue message may have in every region
RECIPIENTS = [f"box{number:02}@example.com" for number in range(50)]
VERDICTS = ("spfVerdict", "dkimVerdict", "dmarcVerdict", "virusVerdict", "spamVerdict")


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize(
    ("letter", "in_ascii"),
    [("x", "x"), ("é", "e"), ("\ufdfa", "?"), ("\U0001f4ec", "?")],  # \ufdfa is 18 in NFKD
)
def test_long_messages_of_many_rules_are_cut(
    letter: str, in_ascii: str, *, ascii_only: bool
) -> None:
    """However many rules reject, and however long a letter gets on its way."""
    text = f"{letter * 400} {{recipient}}"
    reject = f"reject: {{type: ContentRejected, message: '{text}'}}"
    rules = [read_rule(name[:5], f"when: {{recipient: {name}}}\n{reject}") for name in RECIPIENTS]
    headers = [{"name": "From", "value": "eve@partner.example"}]
    mail = {"messageId": "m1", "source": "eve@partner.example", "headers": headers}
    verdicts = {key: {"status": "PASS"} for key in VERDICTS}
    message = read_record(
        {
            "eventSource": "aws:ses",
            "ses": {
                "mail": {**mail, "headersTruncated": False},
                "receipt": {"recipients": RECIPIENTS, **verdicts},
            },
        }
    )
    settings = Settings(ascii_only=ascii_only)
    now = datetime(2026, 11, 2, 8, tzinfo=UTC)
    (job,) = judge(message, Ruleset(rules), settings, now=now).jobs
    assert job.recipients == tuple(RECIPIENTS)
    assert job.explanation
    assert job.explanation.startswith((in_ascii if ascii_only else letter) * 3)
    assert MESSAGE_LIMIT // 2 < len(job.explanation) <= MESSAGE_LIMIT
    assert len(to_json(job)) < LONGEST_BODY
