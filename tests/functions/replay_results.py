"""Results of a replay, made without files."""

from datetime import UTC, datetime

from bouncer.judge import judge
from bouncer.mail.message import read_record
from bouncer.operator_settings import Settings
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer_cli.replay import Bounce, Result


def result_of(sender: str, *recipients: str, rule: str | None = None, source: str = "x") -> Result:
    """Return the result of a mail that passed SPF; a rule rejects it, if there is one."""
    receipt = {"recipients": recipients, "spfVerdict": {"status": "PASS"}}
    mail = {"messageId": "1", "source": sender, "headers": [{"name": "From", "value": sender}]}
    message = read_record({"ses": {"mail": mail, "receipt": receipt}})
    ruleset = Ruleset([read_rule(rule, "reject: {type: DoesNotExist, message: x}")] if rule else [])
    judged = judge(message, ruleset, Settings(), now=datetime(2026, 1, 1, tzinfo=UTC))
    bounce = Bounce(status="withheld", reason="unauthenticated") if rule else Bounce()
    return Result(source=source, judgement=judged, bounce=bounce)
